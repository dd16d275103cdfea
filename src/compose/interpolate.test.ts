import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironmentFile } from './environment-file.ts';
import { ComposeError } from './errors.ts';
import { interpolate } from './interpolate.ts';
import { shellWords } from './shell-words.ts';

const VARIABLES: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '', OTHER: 'other' };

function expand(text: string, unset: string[] = []): string {
  return interpolate(text, { get: (name) => VARIABLES[name], unset: (name) => unset.push(name) }, 'services.web.image');
}

test('interpolate() follows the table of the specification', () => {
  for (const [text, wanted] of [
    ['$SET', 'value'], ['${SET}', 'value'], ['a${SET}b', 'avalueb'], ['$SET-x', 'value-x'], ['$$SET', '$SET'], ['$${SET}', '${SET}'], ['$$$SET', '$value'], ['no variables', 'no variables'], ['', ''],
    ['${UNSET:-default}', 'default'], ['${EMPTY:-default}', 'default'], ['${SET:-default}', 'value'], ['${UNSET-default}', 'default'], ['${EMPTY-default}', ''], ['${SET-default}', 'value'], ['${UNSET-}', ''],
    ['${SET:?message}', 'value'], ['${EMPTY?message}', ''], ['${SET:+there}', 'there'], ['${EMPTY:+there}', ''], ['${EMPTY+there}', 'there'], ['${UNSET+there}', ''], ['${UNSET:+there}', ''],
    ['${UNSET:-${OTHER}}', 'other'], ['${UNSET:-${EMPTY:-inner}}', 'inner'], ['${UNSET-a:b/c}', 'a:b/c'], ['${UNSET:-x ${SET} y}', 'x value y'], ['${SET:+${OTHER}}', 'other'], ['${UNSET:-$$5}', '$5'], ['${UNSET:-?}', '?'],
  ] as const) assert.equal(expand(text), wanted, text);
});

test('interpolate() tells of variables without a value, and of no others', () => {
  const unset: string[] = [];
  assert.equal(expand('$UNSET ${UNSET} ${UNSET:-x} ${SET:-$NEVER} $EMPTY', unset), '  x value ');
  assert.deepEqual(unset, ['UNSET', 'UNSET']);
});

test('interpolate() refuses what is missing, and what is no variable', () => {
  for (const [text, message] of [
    ['${UNSET:?say so}', 'services.web.image: required variable UNSET is missing a value: say so'], ['${EMPTY:?}', 'services.web.image: required variable EMPTY is missing a value'], ['${UNSET?$OTHER}', 'services.web.image: required variable UNSET is missing a value: other'],
    ['${', 'invalid interpolation format for services.web.image: "${"'], ['$', 'invalid interpolation format for services.web.image: "$"'], ['${}', 'invalid interpolation format for services.web.image: "${}"'], ['${SET/a/b}', 'invalid interpolation format for services.web.image: "${SET/a/b}"'],
    ['$1', 'invalid interpolation format for services.web.image: "$1"'], ['${SET', 'invalid interpolation format for services.web.image: "${SET"'], ['${a b}', 'invalid interpolation format for services.web.image: "${a b}"'],
  ] as const) assert.throws(() => expand(text), { name: 'ComposeError', message }, text);
});

test('interpolate() is bounded in depth and length', () => {
  assert.throws(() => expand(`${'${A:-'.repeat(50)}x${'}'.repeat(50)}`), ComposeError);
  const long = 'x'.repeat(1 << 19);
  assert.throws(() => interpolate('$A$A$A', { get: () => long, unset: () => {} }, 'name'), /grow to more than/);
});

function env(text: string, lookUp: (name: string) => string | undefined = () => undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(readEnvironmentFile({ path: '.env', text, lookUp }));
}

test('readEnvironmentFile() follows Docker\'s syntax', () => {
  assert.deepEqual(env('A=1\n# comment\n\nB = two words  \nexport C=3\nD=\nE=a=b#c # comment\nF: yaml\n'), { A: '1', B: 'two words', C: '3', D: '', E: 'a=b#c', F: 'yaml' });
  assert.deepEqual(env('A="x\\ty\\n" # said\nB=\'$A \\n\'\nC="$A${D:-d}"\nE="two\nlines"\nF=\'it\\\'s\'\nG="\\"q\\" \\$A"\r\nH=$A'), { A: 'x\ty\n', B: '$A \\n', C: 'x\ty\nd', E: 'two\nlines', F: 'it\'s', G: '"q" $A', H: 'x\ty\n' });
  assert.deepEqual(env('HERE\nMISSING\nA=$HERE\n', (name) => (name === 'HERE' ? 'host' : undefined)), { HERE: 'host', A: 'host' });
});

test('readEnvironmentFile() says where it is wrong', () => {
  for (const [text, message] of [
    ['A=1\n=2', 'cannot read ".env": line 2: it is no variable'], ['A="x', 'cannot read ".env": line 1: a quote is not closed'], ['A B', 'cannot read ".env": line 1: unexpected "B" behind "A"'], ['A="x" y', 'cannot read ".env": line 1: there is something behind the closing quote'],
  ] as const) assert.throws(() => env(text), { name: 'ComposeError', message }, text);
});

test('shellWords() takes words apart as a shell does', () => {
  assert.deepEqual(shellWords(' a  \'b c\' "d \\"e\\" $F" g\\ h \'\' i"j"k', 'x'), ['a', 'b c', 'd "e" $F', 'g h', '', 'ijk']);
  assert.deepEqual(shellWords('', 'x'), []);
  assert.throws(() => shellWords('a "b', 'services.web.command'), { message: 'services.web.command: a quote is not closed in "a "b"' });
});
