/**
 * The kernel's conformance suite: C programs that pass on Linux first, then inside Caisson.
 *
 *   node --import tsx test/conformance/run.ts [--static] [--native-only] [--inside-only] [--default] [--verbose] [PROGRAM...]
 *
 * Compiles `*.c` into .cache/conformance, runs each on the host and through `caisson do`, and prints a table
 * and every check that passes on the host and not inside. Root inside has all capabilities, as on the host, unless
 * `--default` asks for those of a container. Exits 1 if there is one, or if one fails on the host.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, '../..');
const CACHE = join(ROOT, '.cache/conformance');
const FLAGS = ['-O1', '-Wall', '-Wextra', '-Wno-nonnull', '-Wno-format-truncation', '-Wno-psabi'];
const PROGRAM_SECONDS = 300;

/** What a program said: the verdict of each check by name, and the line of each that failed. */
interface Outcome {
  readonly verdicts: ReadonlyMap<string, 'ok' | 'skip' | 'not ok'>;
  readonly lines: ReadonlyMap<string, string>;
  /** Checks that were skipped for want of a capability or of root. */
  readonly needs: ReadonlySet<string>;
  readonly summary: string;
  readonly ended: boolean;
  readonly milliseconds: number;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    static: { type: 'boolean', default: false }, 'native-only': { type: 'boolean', default: false },
    'inside-only': { type: 'boolean', default: false }, default: { type: 'boolean', default: false }, verbose: { type: 'boolean', default: false },
    command: { type: 'string', default: join(ROOT, 'dist/caisson.js') },
  },
});

function compile(name: string): string {
  const source = join(HERE, `${name}.c`);
  const target = join(CACHE, options.static ? `${name}.static` : name);
  const newest = Math.max(...[source, join(HERE, 'check.h'), join(HERE, 'fixtures.h')].map((path) => statSync(path).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > newest) return target;
  execFileSync('gcc', [...FLAGS, ...(options.static ? ['-static'] : []), '-o', target, source, '-lpthread', '-lutil', '-lrt'], { stdio: 'inherit' });
  return target;
}

function parse(text: string, milliseconds: number): Outcome {
  const verdicts = new Map<string, 'ok' | 'skip' | 'not ok'>();
  const lines = new Map<string, string>();
  const needs = new Set<string>();
  let summary = '';
  for (const line of text.split('\n')) {
    const match = /^(ok|skip|not ok) (\S+)/.exec(line);
    if (/^\d+ passed/.test(line)) summary = line;
    else if (match?.[1] !== undefined && match[2] !== undefined) {
      if (verdicts.get(match[2]) !== 'not ok') verdicts.set(match[2], match[1] as 'ok' | 'skip' | 'not ok');
      if (/^skip \S+ needs /.test(line)) needs.add(match[2]);
      if (match[1] === 'not ok') lines.set(match[2], `${lines.get(match[2]) ?? ''}${line}\n`);
    } else if (line !== '') lines.set('', `${lines.get('') ?? ''}${line}\n`);
  }
  return { verdicts, lines, needs, summary, ended: summary !== '', milliseconds };
}

function run(command: string, args: readonly string[]): Outcome {
  const started = Date.now();
  const result = spawnSync(command, args, { encoding: 'latin1', timeout: PROGRAM_SECONDS * 1000, stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 16 * 2 ** 20 });
  return parse(result.stdout + result.stderr, Date.now() - started);
}

function count(outcome: Outcome | undefined, verdict: string): string {
  return outcome === undefined ? '-' : String([...outcome.verdicts.values()].filter((value) => value === verdict).length);
}

/** What is wrong on the host, and what passes there and not inside. */
function complaints(native: Outcome | undefined, inside: Outcome | undefined): string[] {
  const found: string[] = [];
  for (const [name, line] of native?.lines ?? []) if (name !== '') found.push(`on the host: ${line}`);
  if (native?.ended === false) found.push('on the host: the program did not end by itself\n');
  if (inside === undefined) return found;
  for (const [name, verdict] of native?.verdicts ?? inside.verdicts) {
    if (verdict === 'not ok' && native !== undefined) continue;
    const here = inside.verdicts.get(name);
    // A capability that the container's root does not have, or a check that the host skips too.
    if (here === 'ok' || (here === 'skip' && (verdict === 'skip' || inside.needs.has(name)))) continue;
    found.push(inside.lines.get(name) ?? `${here ?? 'missing'} ${name}\n`);
  }
  if (!inside.ended) found.push(`inside: the program did not end by itself\n${inside.lines.get('') ?? ''}`);
  return found;
}

mkdirSync(CACHE, { recursive: true });
const every = readdirSync(HERE).filter((file) => file.endsWith('.c')).map((file) => file.slice(0, -2)).sort();
const programs = positionals.length > 0 ? positionals : every;
const scratch = existsSync('/dev/shm') ? '/dev/shm' : '/tmp';
let failed = 0;
let passed = 0;
console.log('program           host ok   inside ok  skipped  failed      ms (host, inside)');
for (const name of programs) {
  const program = compile(name);
  const native = options['inside-only'] ? undefined : run(program, [scratch]);
  const inside = options['native-only'] ? undefined : run(process.execPath, [options.command, 'do', ...(options.default ? [] : ['--cap-add', 'ALL']), '--', program, '/tmp']);
  const wrong = complaints(native, inside);
  failed += wrong.length;
  passed += Number(count(inside ?? native, 'ok'));
  console.log(
    `${name.padEnd(18)}${count(native, 'ok').padStart(7)}${count(inside, 'ok').padStart(12)}${count(inside ?? native, 'skip').padStart(9)}` +
      `${String(wrong.length).padStart(8)}${String(native?.milliseconds ?? '-').padStart(9)}${String(inside?.milliseconds ?? '-').padStart(9)}`,
  );
  for (const line of wrong) process.stdout.write(`    ${line}`);
  if (options.verbose && inside?.lines.get('') !== undefined) process.stdout.write(inside.lines.get('') ?? '');
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
