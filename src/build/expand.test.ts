import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandHeredoc, expandWord, expandWords, splitRaw } from './expand.ts';
import type { Expander } from './expand.ts';

const unset: string[] = [];
const expander: Expander = { escape: '\\', variables: new Map([['A', 'a'], ['EMPTY', ''], ['P', 'x/y/z.tar.gz'], ['L', 'aXbXc']]), onUnset: (name) => void unset.push(name) };

/** BuildKit's `shell/envVarTest`, in part, and the Dockerfile reference "Environment replacement". */
const CASES: readonly (readonly [text: string, expected: string])[] = [
  ['plain', 'plain'], ['he\'ll\'o', 'hello'], ['"a b"', 'a b'], ['\'$A\'', '$A'], ['"$A"', 'a'], ['$A$A', 'aa'], ['${A}b', 'ab'], ['$Ab', ''], ['\\$A', '$A'], ['"\\$A"', '$A'], ['\'\\$A\'', '\\$A'], ['a\\b', 'ab'], ['"a\\b"', 'a\\b'], ['"\\""', '"'],
  ['${NONE:-x}', 'x'], ['${EMPTY:-x}', 'x'], ['${EMPTY-x}', ''], ['${NONE-x}', 'x'], ['${A:+x}', 'x'], ['${EMPTY:+x}', ''], ['${EMPTY+x}', 'x'], ['${NONE+x}', ''], ['${NONE:-${A}}', 'a'], ['${NONE:-"q r"}', 'q r'], ['${NONE:-a:b}', 'a:b'], ['${A:?no}', 'a'],
  ['${P#*/}', 'y/z.tar.gz'], ['${P##*/}', 'z.tar.gz'], ['${P%.*}', 'x/y/z.tar'], ['${P%%.*}', 'x/y/z'], ['${P#nothing}', 'x/y/z.tar.gz'], ['${L/X/-}', 'a-bXc'], ['${L//X/-}', 'a-b-c'], ['${L//X/}', 'abc'], ['${P/\\//_}', 'x_y/z.tar.gz'], ['${L/?/q}', 'qXbXc'],
  ['$', '$'], ['a$', 'a$'], ['$$', ''], ['$1', ''], ['${1}', ''], ['$.', '$.'],
];

test('expandWord() does what BuildKit\'s words do', () => {
  for (const [text, expected] of CASES) assert.equal(expandWord(text, expander), expected, text);
});

test('expandWord() refuses what cannot be read, in bounded time', () => {
  for (const text of ['"a', '\'a', '${A', '${', '${}', '${A!}', '${A/x}', '${NONE:?}', '${NONE?why}', '${-x:'.repeat(60), '${N:-'.repeat(60) + '}'.repeat(60)]) assert.throws(() => expandWord(text, expander), { name: 'BuildError' }, text);
  const doubling: Expander = { escape: '\\', variables: new Map([['B', 'x'.repeat(70_000)]]) };
  assert.throws(() => expandWord('$B$B', doubling), /longer than/);
});

test('expandWord() tells of names that are not set', () => {
  unset.length = 0;
  expandWord('$GONE ${GONE_TOO:-x} ${LAST#x} $A', expander);
  assert.deepEqual(unset, ['GONE', 'LAST']);
});

test('expandWords() splits at spaces that are not quoted', () => {
  assert.deepEqual(expandWords('a "b c" $A\\ d \'\' ${NONE:-x y}', expander), ['a', 'b c', 'a d', '', 'x y']);
});

test('splitRaw() keeps quotes and escapes', () => {
  assert.deepEqual(splitRaw('A="b c" d\\ e \'f g\'h', '\\'), ['A="b c"', 'd\\ e', '\'f g\'h']);
});

test('expandHeredoc() leaves quotes alone', () => {
  assert.equal(expandHeredoc('"$A" \'${A}\' \\$A ${NONE:-d} $', expander), '"a" \'a\' $A d $');
});
