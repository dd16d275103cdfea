/**
 * The stressors of stress-ng (Debian's stress-ng) that verify what they get, natively and inside.
 *
 *   node --import tsx test/suites/stress.ts [--stressor NAME]... [--jobs N] [--timeout S] [--resume] [--failed] [--side native|inside]
 *
 * --resume runs only what has no outcome yet, --failed only what did not pass inside.
 * Outcomes are kept in .cache/suites/stress.json, output in .cache/suites/stress/.
 */
import { execFileSync } from 'node:child_process';
import { parseChoice, runSuite } from './suite.ts';
import type { Ended, Outcome } from './suite.ts';

/** All that stress-ng 0.15 has. */
const CLASSES = ['cpu', 'cpu-cache', 'device', 'filesystem', 'gpu', 'interrupt', 'io', 'memory', 'network', 'os', 'pipe', 'scheduler', 'security', 'vm'];
/** Natively, and as root, these take away what others on the machine need: they load modules, add swap, open every device, reboot, switch processors off. */
const HARM_THE_MACHINE = new Set(['cpu-online', 'dev', 'module', 'reboot', 'smi', 'swap', 'sysinval', 'watchdog', 'bad-ioctl', 'mlockmany', 'oom-pipe', 'bind-mount']);
const SECONDS = 2;

/** `stress-ng --class NAME?` prints one line: class 'NAME' stressors: A B C. */
function listStressors(): readonly string[] {
  const names = CLASSES.flatMap((name) => {
    const text = execFileSync('stress-ng', ['--class', `${name}?`], { encoding: 'utf8' });
    return text.slice(text.indexOf(': ') + 2).trim().split(/\s+/);
  });
  return [...new Set(names)].filter((name) => !HARM_THE_MACHINE.has(name)).sort();
}

/** stress-ng(1), EXIT STATUS; a stressor that the system cannot run is left out with status 0. */
const VERDICTS: Readonly<Record<number, string>> = { 2: 'failed', 3: 'no resources', 4: 'not implemented', 5: 'killed by a signal', 7: 'clock untrustworthy' };

function judge({ output, status, signal }: Ended): Omit<Outcome, 'seconds'> {
  const messages = [...output.matchAll(/^stress-ng: (?:fail|error): +\[\d+\] (.*)$/gm)].map(([, text = '']) => text);
  const isSkipped = /will be skipped|No stress workers invoked|[Ss]kipping stressor|skipping/.test(output);
  const failures = [...new Set(messages)];
  if (status !== 0) return { verdict: VERDICTS[status ?? -1] ?? `ended with ${signal ?? `status ${status}`}`, failures };
  if (isSkipped) return { verdict: 'skipped', failures };
  const isComplete = output.includes('successful run completed') && !/^stress-ng: fail:/m.test(output);
  return { verdict: isComplete ? 'passed' : 'failed', failures };
}

await runSuite(
  {
    name: 'stress',
    members: listStressors(),
    argv: ([stressor]) => ['stress-ng', `--${stressor}`, '1', '--verify', '--timeout', `${SECONDS}s`],
    judge,
    requiredShare: 0.9,
  },
  parseChoice('stressor'),
);
