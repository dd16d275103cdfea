/** Compiles the conformance programs, runs them on the host and inside Caisson, and compares what they say. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SYSCALL_ROWS } from '../../src/kernel/syscalls/table.ts';

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, '../..');
const CACHE = join(ROOT, '.cache/conformance');
const FLAGS = ['-O1', '-Wall', '-Wextra', '-Wno-nonnull', '-Wno-format-truncation', '-Wno-psabi'];
const HEADERS = ['check.h', 'fixtures.h', 'ptrace.h', 'signals.h', 'uring.h'];
const PROGRAM_SECONDS = 300;

type Verdict = 'ok' | 'skip' | 'not ok';

/** What a program said: the verdict of each check by name, and the line of each that failed. */
export interface Outcome {
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly lines: ReadonlyMap<string, string>;
  /** Checks that were skipped for want of a capability or of root. */
  readonly needs: ReadonlySet<string>;
  readonly ended: boolean;
  readonly milliseconds: number;
}

export interface Complaint {
  readonly check: string;
  readonly text: string;
}

/** Who runs the programs; undefined: who runs this. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Names of all programs, without `.c`. */
export function programNames(): string[] {
  return readdirSync(HERE).filter((file) => file.endsWith('.c')).map((file) => file.slice(0, -2)).sort();
}

/** Path of the compiled program, which is made anew where its source is newer. */
export function compile(name: string, isStatic = false): string {
  mkdirSync(CACHE, { recursive: true });
  const source = join(HERE, `${name}.c`);
  const target = join(CACHE, isStatic ? `${name}.static` : name);
  const newest = Math.max(...[source, ...HEADERS.map((name) => join(HERE, name))].map((path) => statSync(path).mtimeMs));
  if (existsSync(target) && statSync(target).mtimeMs > newest) return target;
  execFileSync('gcc', [...FLAGS, ...(isStatic ? ['-static'] : []), '-o', target, source, '-lpthread', '-lutil', '-lrt', '-lm'], { stdio: 'inherit' });
  return target;
}

function parse(text: string, milliseconds: number): Outcome {
  const verdicts = new Map<string, Verdict>();
  const lines = new Map<string, string>();
  const needs = new Set<string>();
  let ended = false;
  for (const line of text.split('\n')) {
    const match = /^(ok|skip|not ok) (\S+)/.exec(line);
    if (/^\d+ passed/.test(line)) ended = true;
    else if (match?.[1] !== undefined && match[2] !== undefined) {
      if (verdicts.get(match[2]) !== 'not ok') verdicts.set(match[2], match[1] as Verdict);
      if (/^skip \S+ needs /.test(line)) needs.add(match[2]);
      if (match[1] === 'not ok') lines.set(match[2], `${lines.get(match[2]) ?? ''}${line}\n`);
    } else if (line !== '') lines.set('', `${lines.get('') ?? ''}${line}\n`);
  }
  return { verdicts, lines, needs, ended, milliseconds };
}

export function run(command: string, args: readonly string[], user?: User): Promise<Outcome> {
  const started = Date.now();
  const child = spawn(command, args, { timeout: PROGRAM_SECONDS * 1000, killSignal: 'SIGKILL', stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', ...user });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('latin1').on('data', (part: string) => (text += part));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(parse(text, Date.now() - started)));
  });
}

/** A directory for files of the host's runs: in memory, as the sandbox's are. */
export const nativeScratch = existsSync('/dev/shm') ? '/dev/shm' : '/tmp';

export function count(outcome: Outcome | undefined, verdict: Verdict): string {
  return outcome === undefined ? '-' : String([...outcome.verdicts.values()].filter((value) => value === verdict).length);
}

/** What is wrong on the host, and what passes there and not inside. */
export function complaints(native: Outcome | undefined, inside: Outcome | undefined): Complaint[] {
  const found: Complaint[] = [];
  for (const [check, line] of native?.lines ?? []) if (check !== '') found.push({ check, text: `on the host: ${line}` });
  if (native?.ended === false) found.push({ check: '', text: `on the host: the program did not end by itself\n${native.lines.get('') ?? ''}` });
  if (inside === undefined) return found;
  for (const [check, verdict] of native?.verdicts ?? inside.verdicts) {
    if (verdict === 'not ok' && native !== undefined) continue;
    const here = inside.verdicts.get(check);
    // A capability that the container's root does not have, or a check that the host skips too.
    if (here === 'ok' || (here === 'skip' && (verdict === 'skip' || inside.needs.has(check)))) continue;
    found.push({ check, text: inside.lines.get(check) ?? `${here ?? 'missing'} ${check}\n` });
  }
  if (!inside.ended) found.push({ check: '', text: `inside: the program did not end by itself\n${inside.lines.get('') ?? ''}` });
  return found;
}

/** Calls that Linux lets no argument fail: their checks show that, with `V` or `CHECK`. */
const NEVER_FAIL = new Set([
  'rt_sigreturn', 'sched_yield', 'alarm', 'getpid', 'exit', 'exit_group', 'umask', 'getuid', 'getgid', 'geteuid', 'getegid', 'getppid', 'getpgrp', 'gettid',
  'setfsuid', 'setfsgid', 'sync', 'munlockall', 'set_tid_address', 'brk', 'personality',
]);

/**
 * Calls that the table has and that no check of errno_*.c gives bad arguments. The call is the longest name of the table
 * that the check's name starts with: E(clock_gettime_einval, ...) is about clock_gettime.
 */
export function uncheckedCalls(): string[] {
  const names = new Set(SYSCALL_ROWS.map(({ name }) => name));
  const wrong: string[] = [];
  const checked = new Set<string>();
  for (const file of programNames().filter((name) => name.startsWith('errno_'))) {
    for (const [, macro, check] of readFileSync(join(HERE, `${file}.c`), 'utf8').matchAll(/^(E|V|CHECK)(?:_[A-Z]+)?\((\w+)/gm)) {
      let name = check ?? '';
      while (name !== '' && !names.has(name)) name = name.slice(0, Math.max(0, name.lastIndexOf('_')));
      if (name === '' && check?.startsWith('unknown_call') !== true) wrong.push(`${check} of ${file}.c names no call`);
      else if (macro !== 'V' || NEVER_FAIL.has(name)) checked.add(name);
    }
  }
  return [...wrong, ...SYSCALL_ROWS.filter((row) => row.handler !== undefined && !checked.has(row.name)).map(({ name }) => name)];
}
