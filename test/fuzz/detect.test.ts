/** Files of rules and recorded streams, spoiled: each is read, or refused by an error of its own. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Detector, NO_CONTAINER, RulesError, actionsOf, readProfile, readRuleFiles, replay } from '../../src/detect/index.ts';

const RULES = `- list: shells
  items: [bash, "sh", 'dash']
- macro: opens
  condition: evt.type in (open, openat) and not (fd.name exists or proc.aname[2] = x)
- rule: One
  desc: >
    folded
    text
  condition: >
    opens and proc.name in (shells) and fd.name pmatch (/etc, /var)
    and evt.rawres >= 0 and tolower(proc.args) glob "*a[b-d]?"
  output: "%proc.aname[1] %fd.name of %evt.arg.flags"
  priority: WARNING
  tags: [a, b]
  exceptions:
    - name: pairs
      fields: [proc.name, fd.name]
      comps: [in, startswith]
      values:
        - [[a, b], /x]
  action: deny:EACCES
- rule: Two
  sequence:
    - condition: opens
      count: 3
      by: [proc.pid, fd.name]
    - condition: evt.type = connect
      output: "%fd.name"
  by: [proc.ppid, fd.rip]
  within: 10s
  without: evt.type = execve
  output: x
  priority: INFO
- rule: One
  condition: and evt.type = open
  override:
    condition: append
`;
const EVENT = '{"number":1,"time":"2026-11-30T10:20:30.123456789Z","type":"openat","result":3,"tid":1,"session":1,"group":1,"terminal":0,"uid":0,"gid":0,"cwd":"/","file":{"fd":3,"type":"file","name":"/etc/x","other":"/y","local":["::1",1]},"openFlags":0,"arguments":{"flags":"O_RDONLY","a":1},"program":{"pid":1,"name":"sh","exe":"sh","exepath":"/bin/sh","args":["-c"],"parent":{"pid":2,"name":"x","exe":"x","exepath":"/x","args":[]}}}';
const PIECES = ['[', ']', '{', '}', '(', ')', '"', "'", '\\', '\n', '  ', '- ', ': ', '*', '&a', '*a', '|', '>', '%', 'not ', 'and ', 'in ', '=', '\0', '\ud800', '~', 'null', '1e999', '!!binary x', '<<: ', '#', '- rule: ', 'append: true\n', '__proto__', 'constructor', ',', '0x', '-'];

/** The same every time. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function spoil(text: string, next: (bound: number) => number): string {
  let spoiled = text;
  for (let left = 1 + next(2); left > 0; left--) {
    const at = next(spoiled.length);
    const piece = next(3) === 0 ? spoiled.slice(next(spoiled.length), next(spoiled.length)).slice(0, 60) : PIECES[next(PIECES.length)]!;
    spoiled = spoiled.slice(0, at) + piece + spoiled.slice(at + next(3) * next(8));
  }
  return spoiled;
}

test('files of rules that are spoiled are read or refused by RulesError with a place', async () => {
  const next = numbers(7);
  let read = 0;
  for (let round = 0; round < 1500; round++) {
    const text = spoil(RULES, next);
    try {
      const { rules } = await readRuleFiles([{ name: 'x.yaml', text }]);
      actionsOf(rules, ['deny']);
      read++;
    } catch (error) {
      assert.ok(error instanceof RulesError, `${String(error instanceof Error ? error.stack : error)}\n${text}`);
      assert.ok(error.place === undefined || (error.place.line >= 1 && error.place.line <= text.split('\n').length + 1 && error.place.column >= 1), `${error.message}\n${text}`);
    }
  }
  assert.ok(read > 50, `${read} are read`);
});

test('events of a stream that are spoiled are put before rules or refused by RulesError', async () => {
  const next = numbers(11);
  const { rules } = await readRuleFiles([{ name: 'default' }, { name: 'x.yaml', text: RULES }]);
  for (let round = 0; round < 1500; round++) {
    const line = spoil(EVENT, next);
    async function* lines(): AsyncGenerator<string> {
      yield* line.split('\n');
    }
    try {
      await replay('x', lines(), { rules, onAlert: ({ output }) => output.length < 10_000 });
    } catch (error) {
      assert.ok(error instanceof RulesError, `${String(error instanceof Error ? error.stack : error)}\n${line}`);
    }
  }
  assert.ok(new Detector({ container: NO_CONTAINER, rules, onAlert: () => true }).calls.size > 10);
});

const PROFILE = 'caisson: profile\nversion: 1\nruns: 2\nimages: ["a:1"]\nprograms:\n  - /bin/busybox (sh)\nread:\n  - /etc/*\n  - "/proc/@{pid}/x\\\\*"\nwrite: []\nconnect: [tcp *:443, "tcp [::1]:*"]\nbind:\n  - unix /run/x\ncalls:\n  - openat\n';

test('profiles that are spoiled are read or refused by RulesError', () => {
  const next = numbers(11);
  let read = 0;
  for (let round = 0; round < 1500; round++) {
    try {
      readProfile('x.yaml', spoil(PROFILE, next));
      read++;
    } catch (error) {
      assert.ok(error instanceof RulesError, String((error as Error).stack));
    }
  }
  assert.ok(read > 100 && read < 1400, String(read));
});
