/**
 * CPython's own tests (Debian's libpython3.11-testsuite), module by module, natively and inside.
 *
 *   node --import tsx test/suites/cpython.ts [--module NAME]... [--jobs N] [--timeout S] [--resume] [--failed] [--batch N] [--side native|inside]
 *
 * --resume runs only what has no outcome yet, --failed only what did not pass inside.
 * --page runs nothing, and writes what is kept to docs/suites.md.
 * Outcomes are kept in .cache/suites/cpython.json, output in .cache/suites/cpython/.
 * With --batch, modules that are quick natively share a sandbox; only a pass counts there, all else runs again alone.
 */
import { execFileSync } from 'node:child_process';
import { parseChoice, runSuite } from './suite.ts';
import type { Ended, Outcome } from './suite.ts';

const PYTHON = '/usr/bin/python3';

function listModules(): readonly string[] {
  return execFileSync(PYTHON, ['-m', 'test', '--list-tests'], { encoding: 'utf8' }).split('\n').filter((name) => name !== '');
}

/** Lists of names that `regrtest` prints at its end: Lib/test/libregrtest/main.py, display_result(). */
const LIST = /^\d+ tests? (failed|altered the execution environment|skipped|run no tests):\n((?: {4}.*\n?)+)/gm;

function verdictOf({ output, status, signal }: Ended, module: string): string {
  if (!/^Tests result: /m.test(output)) return `crashed (${signal ?? `status ${status}`})`;
  for (const [, verdict = '', names = ''] of output.matchAll(LIST)) {
    if (names.split(/\s+/).includes(module)) return verdict;
  }
  return 'passed';
}

/** What a module printed: from its line with a clock to the next one's. */
function sectionOf(output: string, module: string): string | undefined {
  const header = /^\d+:\d\d:\d\d .*\[ *\d+\/\d+[^\]]*\] (\w+).*$/gm;
  const found = [...output.matchAll(header)];
  const at = found.findIndex(([, name]) => name === module);
  return at < 0 ? undefined : output.slice(found[at]?.index, found[at + 1]?.index);
}

const sum = (text: string, pattern: RegExp): number => [...text.matchAll(pattern)].reduce((total, [, digits]) => total + Number(digits), 0);

function judge(ended: Ended, module: string, isAlone: boolean): Omit<Outcome, 'seconds'> | undefined {
  const section = sectionOf(ended.output, module);
  if (section === undefined && !isAlone) return undefined;
  const text = section ?? ended.output;
  const failures = [...text.matchAll(/^(?:FAIL|ERROR): (\S+) \(([^)]*)\)/gm)].map(([, test = '', owner = '']) => (owner.endsWith(`.${test}`) ? owner : `${owner}.${test}`));
  const tests = sum(text, /^Ran (\d+) tests? in /gm);
  const skipped = sum(text, /^(?:OK|FAILED) \(.*\bskipped=(\d+)/gm);
  return { verdict: verdictOf(ended, module), failures: [...new Set(failures)], tests, skipped };
}

await runSuite(
  {
    name: 'cpython',
    members: listModules(),
    argv: (modules) => [PYTHON, '-m', 'test', '-v', ...modules],
    judge,
    requiredShare: 0.95,
  },
  parseChoice('module'),
);
