import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DetachKeys, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys() reads letters and control characters as Docker documents them', () => {
  for (const [text, bytes] of [['ctrl-p,ctrl-q', [16, 17]], ['', [16, 17]], ['ctrl-@', [0]], ['ctrl-a,a', [1, 97]], ['ctrl-[', [27]], ['ctrl-\\', [28]], ['ctrl-],x', [29, 120]], ['ctrl-^', [30]], ['ctrl-_', [31]], ['CTRL-Z', [26]]] as const) {
    assert.deepEqual(parseDetachKeys(text), bytes, text);
  }
  for (const text of ['ctrl-', 'ctrl-1', 'ab', 'ctrl-p,', 'ä', 'alt-x']) assert.throws(() => parseDetachKeys(text), /Invalid detach keys/, text);
});

test('DetachKeys.feed() passes on what only begins like the keys, whole or in pieces', () => {
  const fed = (keys: readonly number[], ...pieces: readonly (readonly number[])[]): readonly [number[], boolean] => {
    const matcher = new DetachKeys(keys);
    const passed: number[] = [];
    let isDetached = false;
    for (const piece of pieces) {
      const answer = matcher.feed(Uint8Array.from(piece));
      passed.push(...answer.passed);
      isDetached ||= answer.isDetached;
    }
    return [passed, isDetached];
  };
  assert.deepEqual(fed([16, 17], [97, 16, 17, 98]), [[97], true]);
  assert.deepEqual(fed([16, 17], [97, 16], [17]), [[97], true]);
  assert.deepEqual(fed([16, 17], [16, 97, 16], [16, 17]), [[16, 97, 16], true]);
  assert.deepEqual(fed([16, 17], [16, 16, 17]), [[16], true]);
  assert.deepEqual(fed([16, 17], [16]), [[], false]);
  assert.deepEqual(fed([97], [98, 97]), [[98], true]);
});
