/**
 * Writes `recorded.json`: what Docker Compose 1.29 (Debian's docker-compose) makes of each case. Paths below the cases begin with `CASES`.
 *
 *   node --import tsx test/compose/record.ts
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CASES, CASES_DIRECTORY, ENVIRONMENT, caseKey } from './cases.ts';

const recorded = Object.fromEntries(CASES.map((one) => {
  const args = [...one.files.flatMap((file) => ['-f', file]), 'config'];
  const { status, stdout, stderr } = spawnSync('docker-compose', args, { cwd: join(CASES_DIRECTORY, one.name), env: { PATH: process.env['PATH'] ?? '', ...ENVIRONMENT }, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${caseKey(one)}: ${stderr}`);
  return [caseKey(one), stdout.replaceAll(CASES_DIRECTORY, 'CASES')];
}));
writeFileSync(join(CASES_DIRECTORY, '../recorded.json'), `${JSON.stringify(recorded, undefined, 2)}\n`);
