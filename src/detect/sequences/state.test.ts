import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProgramFacts, SystemEvent } from '../../kernel/watch/types.ts';
import { Detector } from '../detector.ts';
import { MOST_WAITING_SEQUENCES } from '../limits.ts';
import { readRuleFiles } from '../rules-files.ts';
import { NO_CONTAINER } from '../subject.ts';

const program = (pid: number, parent?: ProgramFacts): ProgramFacts => ({
  pid, virtualPid: pid, name: `p${pid}`, exe: '', exePath: '', arguments: [], commandLine: `p${pid}`, inUpperLayer: false, fromMemory: false, parent,
});

let number = 0;

/** One directory is made at a time, in seconds. */
function event(seconds: number, type: string, name: string, by: ProgramFacts): SystemEvent {
  return {
    number: ++number, seconds, nanoseconds: 0, type, result: 0, program: by, tid: 1, session: 1, processGroup: 1, terminal: 0, uid: 0, gid: 0, cwd: '/', source: undefined, target: undefined, openFlags: undefined, arguments: new Map(),
    file: { number: -1, type: 'file', name, otherName: undefined, givenName: name, protocol: undefined, localAddress: undefined, localPort: undefined, remoteAddress: undefined, remotePort: undefined, isServer: false },
  };
}

async function detectorOf(rest: string): Promise<{ readonly detector: Detector; readonly fired: () => number }> {
  const { rules } = await readRuleFiles([{ name: 'x', text: `- rule: R\n${rest}  output: x\n  priority: INFO\n` }]);
  const detector = new Detector({ container: NO_CONTAINER, rules, onAlert: () => true });
  return { detector, fired: () => detector.fired.get('R') ?? 0 };
}

const STEPS = '  sequence:\n    - condition: evt.type = mkdir\n    - condition: evt.type = rmdir\n';
const init = program(1);
const shell = program(2, init);
const one = program(3, shell);
const two = program(4, shell);

test('SequenceState.complete() asks for the same value, the order, and the time', async () => {
  const { detector, fired } = await detectorOf(`${STEPS}  by: fd.name\n  within: 10s\n`);
  for (const each of [event(1, 'rmdir', '/a', one), event(2, 'mkdir', '/a', one), event(3, 'rmdir', '/b', one)]) detector.happened(each);
  assert.equal(fired(), 0, 'another file, and another order');
  detector.happened(event(12, 'rmdir', '/a', two));
  assert.equal(fired(), 1, 'just in time, by another process');
  detector.happened(event(12, 'rmdir', '/a', two));
  assert.equal(fired(), 1, 'it was completed once');
  detector.happened(event(20, 'mkdir', '/a', one));
  detector.happened(event(31, 'rmdir', '/a', one));
  assert.equal(fired(), 1, 'too late');
});

test('SequenceState.complete() takes siblings and what is below them for one tree, and no other process', async () => {
  const other = program(5, init);
  for (const [by, expected] of [[one, 1], [two, 1], [program(6, program(7, two)), 1], [shell, 1], [other, 0], [init, 0], [program(8, other), 0]] as const) {
    const { detector, fired } = await detectorOf(`${STEPS}  by: proc.tree\n  within: 10s\n`);
    detector.happened(event(1, 'mkdir', '/a', one));
    detector.happened(event(1, 'rmdir', '/b', by));
    assert.equal(fired(), expected, by.name);
  }
});

test('SequenceState.cancel() ends those of the same value', async () => {
  const { detector, fired } = await detectorOf(`${STEPS}  by: proc\n  within: 10s\n  without: evt.type = chmod\n`);
  for (const each of [event(1, 'mkdir', '/a', one), event(1, 'mkdir', '/a', two), event(2, 'chmod', '/a', one), event(3, 'rmdir', '/a', one)]) detector.happened(each);
  assert.equal(fired(), 0);
  detector.happened(event(3, 'rmdir', '/a', two));
  assert.equal(fired(), 1);
});

test('SequenceState.take() counts steps, and one event takes one step', async () => {
  const { detector, fired } = await detectorOf('  sequence:\n    - condition: evt.type = mkdir\n      count: 3\n  by: container\n  within: 10s\n');
  for (const seconds of [1, 2, 12, 13]) detector.happened(event(seconds, 'mkdir', '/a', one));
  assert.equal(fired(), 0);
  detector.happened(event(14, 'mkdir', '/a', two));
  assert.equal(fired(), 1);
});

test('SequenceState.take() keeps a bounded number, and counts what is forgotten', async () => {
  const { detector, fired } = await detectorOf(`${STEPS}  by: fd.name\n  within: 10s\n`);
  for (let index = 0; index < MOST_WAITING_SEQUENCES + 10; index++) detector.happened(event(1, 'mkdir', `/${index}`, one));
  assert.equal(detector.droppedSequences, 10);
  detector.happened(event(1, 'rmdir', '/9', one));
  assert.equal(fired(), 0, 'the oldest');
  detector.happened(event(1, 'rmdir', '/10', one));
  assert.equal(fired(), 1);
});
