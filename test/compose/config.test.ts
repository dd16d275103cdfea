/** `compose config` against Docker Compose 1.29: what that made of each case (`record.ts`), read again, is the same project as the case itself. By the built command. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { caisson } from '../cli/caisson.ts';
import { CASES, CASES_DIRECTORY, ENVIRONMENT, caseKey } from './cases.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-compose-'));
const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8')) as Readonly<Record<string, string>>;
after(() => rmSync(scratch, { recursive: true, force: true }));

/** Lists whose order means nothing: Docker Compose sorts some of them. */
const UNORDERED = ['cap_add', 'cap_drop', 'expose', 'ports', 'volumes', 'tmpfs'];

type Tree = Readonly<Record<string, unknown>>;

function comparable(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return UNORDERED.includes(key) ? items.sort((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)) : items;
  }
  if (typeof value !== 'object' || value === null) return value;
  // Extensions are ours to keep: it left them out.
  return Object.fromEntries(Object.entries(value).filter(([name]) => !name.startsWith('x-')).sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, item]) => [name, comparable(item, name)]));
}

async function config(files: readonly string[], cwd: string): Promise<Tree> {
  const { stdout, stderr, status } = await caisson(['compose', '-p', 'same', '--profile', '*', ...files.flatMap((file) => ['-f', file]), 'config', '--format', 'json'], { cwd, env: ENVIRONMENT });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout) as Tree;
}

for (const one of CASES) {
  test(`config of ${caseKey(one)} is what Docker Compose makes of it`, async () => {
    const directory = join(CASES_DIRECTORY, one.name);
    const file = join(scratch, `${one.name}.yaml`);
    writeFileSync(file, (recorded[caseKey(one)] ?? '').replaceAll('CASES', CASES_DIRECTORY));
    const [own, theirs] = [await config(one.files, directory), await config([file], directory)];
    assert.deepEqual(comparable(own), comparable(theirs));
  });
}

test('what config prints is read again as the same, in YAML and JSON', async () => {
  for (const { name, files } of CASES) {
    const cwd = join(CASES_DIRECTORY, name);
    const first = await caisson(['compose', '-p', 'same', ...files.flatMap((file) => ['-f', file]), 'config'], { cwd, env: ENVIRONMENT });
    const second = await caisson(['compose', '-p', 'same', '-f', '-', 'config'], { cwd, env: ENVIRONMENT, input: first.stdout });
    assert.equal(second.stdout, first.stdout, name);
    assert.equal(second.stderr, first.stderr.replace(/^.* version has no effect.*\n/m, ''), name);
  }
});

test('config --services, --volumes, --networks, --images, --profiles, --hash, -q', async () => {
  const ask = async (name: string, ...flags: readonly string[]): Promise<string> => (await caisson(['compose', 'config', ...flags], { cwd: join(CASES_DIRECTORY, name), env: ENVIRONMENT })).stdout;
  assert.equal(await ask('plain', '--services'), 'db\njob\nold\nweb\n');
  assert.equal(await ask('plain', '--volumes'), 'data\n');
  assert.equal(await ask('plain', '--networks'), 'back\nfront\n');
  assert.equal(await ask('files', '--profiles'), 'tools\n');
  assert.equal(await ask('plain', '--images'), 'redis\nplain-job\nplain-old\nnginx:1.25\n');
  assert.match(await ask('merge', '--hash', 'db'), /^db [0-9a-f]{64}\n$/);
  assert.equal(await ask('plain', '-q'), '');
});
