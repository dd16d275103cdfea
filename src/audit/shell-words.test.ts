import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { AuditInputError } from './errors.ts';
import { quoteWord, shellCommands } from './shell-words.ts';

function words(text: string): readonly (readonly string[])[] {
  return shellCommands(text).map((command) => command.map((word) => word.text));
}

/** Each text is one command, whose words a shell prints. */
const LIKE_BASH: readonly string[] = [
  'a b  c', 'a "b c" d', "a 'b c' d", 'a b\\ c', 'a "b\\"c" d', 'a "b\\c"', "a $'b\\tc\\'d'", 'a "b"\'c\'d', 'a \\\n  b', 'a b # c', 'a b#c', 'A=1 a b', 'X=y; a $X', 'X="y z"; a $X "$X"', 'a ${NOTHING:-b}', 'a ""', "a '' b", 'a b > /dev/null c', 'a 2>/dev/null b', 'X=a; X+=b; a $X', 'a "x${X:-y}z"', 'export X=q; a $X', 'a {b,c}'.replace('{b,c}', '"{b,c}"'), 'a -v "$PWD/x:/y"'.replace('$PWD', '/p'),
];
for (const text of LIKE_BASH) {
  test(`shellCommands() takes ${JSON.stringify(text)} apart as bash does`, () => {
    const script = `a() { printf '%s\\0' a "$@" >&3; }\n${text}`;
    const { output } = spawnSync('bash', ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe', 'pipe'] });
    assert.deepEqual(words(text).filter(([first]) => first === 'a'), [(output[3] ?? '').split('\0').slice(0, -1)]);
  });
}

test('shellCommands() finds commands in lists, groups, substitutions and heredocs', () => {
  assert.deepEqual(words('a; b && c || d | e & (f) { g; }\nif h; then i; fi'), [['a'], ['b'], ['c'], ['d'], ['e'], ['f'], ['g'], ['if', 'h'], ['then', 'i'], ['fi']]);
  assert.deepEqual(words('x=$(docker run a)\necho "$(b c)" `d`').filter(([first]) => first !== 'echo'), [['docker', 'run', 'a'], ['b', 'c'], ['d']]);
  assert.deepEqual(words('ssh host <<EOF\ndocker run a\nit\'s text\nEOF\nb'), [['ssh', 'host'], ['docker', 'run', 'a'], ['b']]);
});

test('shellCommands() gives the places of words, and says which are not known', () => {
  const text = 'docker run  -v "$DIR:/x"';
  const [command] = shellCommands(text);
  assert.deepEqual(command?.map(({ start, end }) => text.slice(start, end)), ['docker', 'run', '-v', '"$DIR:/x"']);
  assert.deepEqual(command?.map(({ unknown }) => unknown), [false, false, false, true]);
});

test('shellCommands() says in which line a quote has no end', () => {
  assert.throws(() => shellCommands('a\nb "c'), (error) => error instanceof AuditInputError && /line 2/.test(error.message));
});

test('quoteWord() gives what reads back', () => {
  for (const text of ['a', 'a b', "it's", '', '$x', 'a\nb', '*']) assert.deepEqual(words(`a ${quoteWord(text)}`), [['a', text]]);
});
