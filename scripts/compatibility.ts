/**
 * COMPATIBILITY.md from the tables: `node --import tsx scripts/compatibility.ts [--check]`.
 * With --check, nothing is written and a stale page is an error.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { SYSCALL_ROWS } from '../src/kernel/syscalls/table.ts';
import { isControl } from '../src/machine/interpreter/control.ts';
import { ROWS } from '../src/machine/isa/table.ts';
import { semantics } from '../src/machine/semantics/index.ts';
import { isolationTables } from './compatibility/isolation.ts';

const FILE = new URL('../COMPATIBILITY.md', import.meta.url);

function syscallTables(): string[] {
  const rows = [...SYSCALL_ROWS].sort((a, b) => a.number - b.number);
  const full = rows.filter((row) => row.handler !== undefined && row.support === 'full');
  const partial = rows.filter((row) => row.handler !== undefined && row.support === 'partial');
  const refused = rows.filter((row) => row.handler !== undefined && row.support === 'none');
  const missing = rows.filter((row) => row.handler === undefined);
  const names = (list: typeof rows): string => list.map((row) => `\`${row.name}\``).join(', ');
  const noted = [...full.filter((row) => row.note !== undefined), ...partial, ...refused];
  return [
    '## System calls',
    '',
    `Of ${rows.length} calls of x86-64 Linux, ${full.length} are there, ${partial.length} in part, ${refused.length} answer an error of their own, and ${missing.length} answer ENOSYS, which is counted (\`--stats\`).`,
    '',
    `**There**: ${names(full)}.`,
    '',
    '| in part, or with a note | what is missing or different |',
    '|---|---|',
    ...noted.sort((a, b) => a.number - b.number).map((row) => `| \`${row.name}\` (${row.support}) | ${row.note ?? ''} |`),
    '',
    `**ENOSYS**: ${names(missing)}.`,
    '',
  ];
}

function instructionTables(): string[] {
  const supported = ROWS.filter((row) => isControl(row.semantics) || semantics[row.semantics] !== undefined);
  const features = new Map<string, Set<string>>();
  for (const row of supported) {
    const mnemonics = features.get(row.feature) ?? new Set<string>();
    mnemonics.add(row.mnemonic);
    features.set(row.feature, mnemonics);
  }
  const missing = ROWS.filter((row) => !supported.includes(row)).map((row) => row.mnemonic);
  return [
    '## Instructions',
    '',
    `${supported.length} of ${ROWS.length} rows of the instruction table have a meaning; the interpreter and the translator share it.${missing.length > 0 ? ` Without one: ${[...new Set(missing)].join(', ')}.` : ''} What does not decode (AVX-512 among it) raises SIGILL, and so do the rows of avx, avx2, fma and f16c where \`--cpu v3\` is not given ([more](docs/processor.md)).`,
    '',
    '| feature | instructions |',
    '|---|---|',
    ...[...features].map(([feature, mnemonics]) => `| ${feature} | ${[...mnemonics].sort().join(' ')} |`),
    '',
  ];
}

const page = [
  '# Compatibility',
  '',
  'Generated from the tables by `node --import tsx scripts/compatibility.ts`; the test command fails where it is stale.',
  '',
  ...syscallTables(),
  ...isolationTables(),
  ...instructionTables(),
].join('\n');

if (process.argv.includes('--check')) {
  let current = '';
  try {
    current = readFileSync(FILE, 'utf8');
  } catch {
    // It is not there: stale.
  }
  if (current !== page) {
    console.error('COMPATIBILITY.md is stale: run `node --import tsx scripts/compatibility.ts`');
    process.exitCode = 1;
  }
} else {
  writeFileSync(FILE, page);
}
