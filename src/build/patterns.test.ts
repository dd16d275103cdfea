import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMode } from './chmod.ts';
import { IgnoreRules, compilePattern } from './patterns.ts';

test('compilePattern() does what Go\'s filepath.Match does', () => {
  const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ['*.txt', 'a.txt', true], ['*.txt', 'd/a.txt', false], ['a?c', 'abc', true], ['a?c', 'a/c', false], ['[a-c]x', 'bx', true], ['[^a-c]x', 'bx', false], ['[^a-c]x', 'dx', true], ['a\\*', 'a*', true], ['a\\*', 'ab', false],
    ['[]a]', ']', true], ['*', '', true], ['a.c', 'abc', false], ['**/x', 'a/b/x', true], ['**/x', 'x', true], ['a/**', 'a/b/c', true], ['a/**/z', 'a/z', true], ['+(a)', '+(a)', true],
  ];
  for (const [pattern, name, matches] of cases) assert.equal(compilePattern(pattern).test(name), matches, `${pattern} ${name}`);
  assert.throws(() => compilePattern('[a'), { name: 'BuildError' });
});

test('IgnoreRules let the last rule that fits decide, and a directory stand for what is in it', () => {
  const rules = IgnoreRules.read('# no\n*.md\n!README*.md\nREADME-secret.md\n/build/\nsrc/**/tmp\n!src/keep/tmp/x\n');
  const excluded = ['a.md', 'README-secret.md', 'build', 'build/x/y', 'src/a/b/tmp/z', 'src/tmp'];
  const kept = ['README.md', 'd/a.md', 'other/build', 'src/a', 'src/keep/tmp/x', '# no'];
  for (const path of excluded) assert.equal(rules.excludes(path), true, path);
  for (const path of kept) assert.equal(rules.excludes(path), false, path);
});

test('parseMode() reads octal and chmod(1)\'s letters', () => {
  const cases: readonly (readonly [text: string, before: number, after: number, isDirectory?: boolean])[] = [
    ['755', 0o600, 0o755], ['0', 0o777, 0], ['4755', 0, 0o4755], ['u=rwX,go=rX', 0o640, 0o644], ['u=rwX,go=rX', 0o600, 0o755, true], ['a+x', 0o644, 0o755], ['+x', 0o644, 0o755], ['go-rwx', 0o777, 0o700], ['g=u', 0o640, 0o660], ['u+s', 0o755, 0o4755], ['+t', 0o755, 0o1755], ['o=', 0o777, 0o770],
  ];
  for (const [text, before, after, isDirectory = false] of cases) assert.equal(parseMode(text)(before, isDirectory).toString(8), after.toString(8), text);
  for (const text of ['8', 'rwx', 'z+x', '', '77777']) assert.throws(() => parseMode(text), { name: 'BuildError' }, text);
});
