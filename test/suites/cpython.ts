/**
 * CPython's own tests (Debian's libpython3.11-testsuite), module by module, natively and inside.
 *
 *   node --import tsx test/suites/cpython.ts [--module NAME]... [--jobs N] [--timeout S] [--resume] [--failed] [--side native|inside]
 *
 * --resume runs only what has no outcome yet, --failed only what did not pass inside.
 * Outcomes are kept in .cache/suites/cpython.json, output in .cache/suites/cpython/.
 */
import { execFileSync } from 'node:child_process';
import { parseChoice, runSuite } from './suite.ts';
import type { Ended, Outcome } from './suite.ts';

const PYTHON = '/usr/bin/python3';

function listModules(): readonly string[] {
  return execFileSync(PYTHON, ['-m', 'test', '--list-tests'], { encoding: 'utf8' }).split('\n').filter((name) => name !== '');
}

/** What `regrtest` says at its end: Lib/test/libregrtest/main.py, display_result(). */
const VERDICTS: readonly (readonly [RegExp, string])[] = [
  [/^1 test OK\.$/m, 'passed'],
  [/^1 test failed:$/m, 'failed'],
  [/^1 test altered the execution environment:$/m, 'altered the environment'],
  [/^1 test skipped:$/m, 'skipped'],
  [/^1 test run no tests:$/m, 'no tests'],
];

function judge({ output, status, signal }: Ended): Omit<Outcome, 'seconds'> {
  const verdict = VERDICTS.find(([pattern]) => pattern.test(output))?.[1] ?? `crashed (${signal ?? `status ${status}`})`;
  const failures = [...output.matchAll(/^(?:FAIL|ERROR): (\S+) \(([^)]*)\)/gm)].map(([, test = '', owner = '']) => (owner.endsWith(`.${test}`) ? owner : `${owner}.${test}`));
  return { verdict, failures: [...new Set(failures)] };
}

await runSuite(
  {
    name: 'cpython',
    members: listModules(),
    argv: (module) => [PYTHON, '-m', 'test', '-v', module],
    judge,
    requiredShare: 0.95,
  },
  parseChoice('module'),
);
