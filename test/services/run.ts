/**
 * Services from Debian's packages in containers.
 *
 *   npm run test:services               all, some minutes; as root, with a mirror of Debian's
 *   npm run test:services -- redis php  these
 *
 * Images stay in .cache/services. Writes docs/services.md when all were tried; the last line is `N passed, N failed`.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepareStore, tryService, type Result } from './harness.ts';
import { SERVICES } from './services.ts';

const PAGE = join(import.meta.dirname, '../../docs/services.md');

function pageOf(results: readonly Result[]): string {
  const rows = results.map(({ service, saw, wrong }) => `| ${service.name} | \`${service.packages}\` | ${(saw ?? `**fails**: ${wrong?.split('\n')[0] ?? ''}`).replaceAll('|', '\\|')} |`);
  return `# Services

Each is installed from Debian's packages by \`caisson build\`, started by \`caisson run -d\`, and asked by clients of this machine through published ports, or in a container.
Written by \`npm run test:services\`, which fails where one of them does.

| service | packages | what was seen |
|---|---|---|
${rows.join('\n')}
`;
}

const words = process.argv.slice(2);
const chosen = SERVICES.filter(({ name }) => words.length === 0 || words.includes(name));
const unknown = words.filter((word) => !SERVICES.some(({ name }) => name === word));
if (unknown.length > 0) throw new Error(`no such service: ${unknown.join(', ')} (there are ${SERVICES.map(({ name }) => name).join(', ')})`);
await prepareStore();
const results: Result[] = [];
for (const service of chosen) {
  const result = await tryService(service);
  results.push(result);
  const times = `image ${result.buildSeconds.toFixed(1)} s, ${result.seconds.toFixed(1)} s`;
  console.log(result.wrong === undefined ? `ok   ${service.name}: ${result.saw ?? ''} (${times})` : `FAIL ${service.name} (${times})\n${result.wrong.replaceAll(/^/gm, '     ')}`);
}
if (words.length === 0) writeFileSync(PAGE, pageOf(results));
const failed = results.filter(({ wrong }) => wrong !== undefined).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
