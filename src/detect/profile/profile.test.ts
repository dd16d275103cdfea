import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toBytes } from '../text.ts';
import { generalise, withoutNumbers } from './generalise.ts';
import { PatternSet, literal, patternError } from './patterns.ts';
import { profileText, readProfile } from './profile-file.ts';
import type { Section } from './profile.ts';

test('PatternSet.has() takes stars for names, and two for all below', () => {
  const cases: readonly (readonly [pattern: string, path: string, expected: boolean])[] = [
    ['/a/b', '/a/b', true], ['/a/b', '/a/bc', false], ['/a/*', '/a/b', true], ['/a/*', '/a/.b', true], ['/a/*', '/a/b/c', false], ['/a/*', '/a', false], ['/a/**', '/a/b/c', true], ['/a/**', '/a', false], ['/a/**', '/ab/c', false],
    ['/a/b*c', '/a/bXXc', true], ['/a/b*c', '/a/b/c', false], ['/proc/@{pid}/maps', '/proc/12/maps', true], ['/proc/@{pid}/maps', '/proc/self/maps', false], ['/a/\\*', '/a/*', true], ['/a/\\*', '/a/b', false], ['/a/[0-9]', '/a/5', true], ['/**', '/x', true],
  ];
  for (const [pattern, path, expected] of cases) {
    assert.equal(patternError(pattern), undefined, pattern);
    assert.equal(new PatternSet([pattern]).has(path), expected, `${pattern} ${path}`);
  }
  for (const wrong of ['a', '/**/a', '/a**', '/**a/b', `/${'*a'.repeat(40)}`]) assert.notEqual(patternError(wrong), undefined, wrong);
});

test('literal() makes a pattern that fits the path and nothing else', () => {
  for (const path of ['/a*b', '/[x]', '/@{pid}', '/a\\b', '/?', '/**', '/a\\*']) {
    const set = new PatternSet([literal(path)]);
    assert.equal(patternError(literal(path)), undefined, path);
    assert.ok(set.has(path), path);
    for (const other of ['/aXb', '/x', '/7', '/ab', '/a', '/x/y']) assert.ok(!set.has(other), `${path} ${other}`);
  }
});

const numbered = (directory: string, count: number): readonly string[] => Array.from({ length: count }, (_, index) => `${directory}/f${index}`);

test('generalise() widens where names are many, and never beside secrets', () => {
  assert.deepEqual(generalise(numbered('/srv/a', 8)), ['/srv/a/*']);
  assert.equal(generalise(numbered('/srv/a', 7)).length, 7);
  for (const directory of ['/etc', '/root', '/home/me/.ssh', '/run/secrets', '/dev', '/proc/sys', '/usr/bin', '/srv/private']) assert.equal(generalise(numbered(directory, 20)).length, 20, directory);
  assert.deepEqual(generalise(['a', 'b', 'c', 'd'].flatMap((name) => numbered(`/usr/lib/x/${name}`, 8))), ['/usr/lib/x/**']);
  assert.deepEqual(generalise(['a', 'b', 'c', 'd'].flatMap((name) => numbered(`/home/me/${name}`, 8))), ['a', 'b', 'c', 'd'].map((name) => `/home/me/${name}/*`));
  assert.deepEqual(generalise(['/srv/a/*', '/srv/a/one', '/srv/b']), ['/srv/a/*', '/srv/b']);
  assert.deepEqual(['/proc/12/task/13/maps', '/proc/12/fd/3', '/proc/sys/x1', '/dev/pts/4', '/srv/12'].map(withoutNumbers), ['/proc/@{pid}/task/@{pid}/maps', '/proc/@{pid}/fd/@{pid}', '/proc/sys/x1', '/dev/pts/@{pid}', '/srv/12']);
});

/** The same every time. */
function numbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

test('profileText() and readProfile() bring any name back, and no byte of it stands there as it is', () => {
  const next = numbers(5);
  const special = [...'[]{},:#&*!|>\'"%@`\\ \n\r\t-?~', '\u202e', '\u009b', '\u0085', '\ufeff', '\u2028', ': ', ' #', '---', '\n- x', '"\n', '{{{{', '@{pid}', 'null', '(x)'];
  for (let round = 0; round < 400; round++) {
    const name = Array.from({ length: 1 + next(12) }, () => (next(2) === 0 ? special[next(special.length)]! : String.fromCharCode(1 + next(255)))).join('').replaceAll('/', '_');
    const path = toBytes(`/${name}`);
    const sections = new Map<Section, readonly string[]>([['read', [literal(path)]], ['bind', ['tcp [::]:80', 'unix @x']], ['calls', []]]);
    const text = profileText({ runs: 1, images: [name], sections });
    assert.doesNotMatch(text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]/);
    assert.equal(text.split('\n').length, profileText({ runs: 1, images: ['x'], sections: new Map([...sections, ['read', ['/x']]]) }).split('\n').length, JSON.stringify(text));
    assert.deepEqual(readProfile('x', text).sections, sections, JSON.stringify(text));
  }
});

test('readProfile() reads what thousands of hostile names have made', () => {
  const lines = Array.from({ length: 5000 }, (_, index) => literal(`/${index}${'{[,'.repeat(20)}`));
  const sections = new Map<Section, readonly string[]>([['read', lines]]);
  assert.equal(readProfile('x', profileText({ runs: 1, images: [], sections })).sections.get('read')?.length, 5000);
});
