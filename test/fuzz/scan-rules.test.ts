/** Rules and lists of digests that once made a scan fail or hang: each is taken, or refused in one line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDigestList } from '../../src/scan/content/index.ts';
import { YaraError, compileYara } from '../../src/scan/content/malware/yara/index.ts';
import type { YaraResult } from '../../src/scan/content/malware/yara/index.ts';
import { ScanInputError } from '../../src/scan/errors.ts';

const FILE = Buffer.from('hello, hello');

function scanned(condition: string, bytes: Uint8Array = FILE): YaraResult {
  return compileYara(`rule a { ${condition} }`).scan(bytes);
}

function refused(text: string, message: RegExp): void {
  assert.throws(() => compileYara(text), (error) => error instanceof YaraError && !error.message.includes('\n') && message.test(error.message), text.slice(0, 80));
}

test('numbers that are not finite have no bits', () => {
  const infinite = `0x${'f'.repeat(400)}`;
  for (const value of ['(0.5 \\ 0)', '(0.0 \\ 0)', infinite, `(-${infinite})`]) for (const condition of [`${value} & 1`, `1 | ${value}`, `${value} ^ 0`, `${value} << 1`, `${value} >> 1`, `~${value}`, `uint8(${value})`]) assert.deepEqual(scanned(`condition: defined (${condition})`).matches, [], condition);
  assert.deepEqual(scanned(`condition: for any i in (0..${infinite}) : ( i < 0 )`).givenUp, ['a']);
});

test('regular expressions count what matches nothing as well', () => {
  const expressions = ['(^|\\b){30000}hello', `hel(${'|'.repeat(8000)}){9}lo`, '((((){9999}){9999}){9999})', '(a|b|){9999}', '((^|^){9999}){9999}'];
  for (const expression of expressions) refused(`rule a { strings: $a = /${expression}/ condition: $a }`, /too large/);
  for (const expression of [`hel(${'|'.repeat(8000)})lo`, '(^|\\b)?hello', `${'('.repeat(99)}hello${')?'.repeat(99)}`, `(${'('.repeat(90)}a${')?'.repeat(90)}){90}?hello`.replace('}?', '}'), '(a*){0}hello']) assert.equal(scanned(`strings: $a = /${expression}/ condition: $a`).matches.length, 1, expression.slice(0, 80));
});

test('texts, expressions and hex strings are as long as they may be', () => {
  refused(`rule a { strings: $a = "${'a'.repeat(8193)}" condition: $a }`, /more than 8192 bytes/);
  refused(`rule a { strings: $a = /${'a'.repeat(8193)}/ condition: $a }`, /more than 8192 characters/);
  assert.equal(scanned(`strings: $a = "${'a'.repeat(8192)}" condition: not $a`).matches.length, 1);
  refused(`rule a { strings: $a = { 68 ${'[0-4096] 6c '.repeat(30)} } condition: $a }`, /too long, its jumps counted out/);
  refused(`rule a { strings: $a = { ${'68 '.repeat(1_000_000)} } condition: $a }`, /too long/);
  refused(`rule a { strings: $a = { 68 [${' '.repeat(100_000)} } condition: $a }`, /hex string/);
  refused('rule a { strings: $a = { 68 [ 1 2 ] 6c } condition: $a }', /jump/);
  refused(`rule a { strings: $a = { 68 ${'/*'.repeat(1_000_000)} } condition: $a }`, /comment that does not end/);
  assert.equal(scanned('strings: $a = { 68 [ 2 - 4 ] /* l */ 6f // end\n } condition: $a').matches.length, 1);
});

test('conditions of any length and depth', () => {
  for (const operator of ['and', 'or']) assert.deepEqual(scanned(`condition: true${` ${operator} true`.repeat(60_000)}`), { matches: [{ rule: 'a', tags: [], meta: new Map(), strings: [] }], givenUp: [] });
  for (const condition of [`1${' + 1'.repeat(60_000)} > 0`, `1${' == 1'.repeat(60_000)}`, `${'not '.repeat(60_000)}true`, `${'-'.repeat(60_000)}1 < 9`]) assert.deepEqual(scanned(`condition: ${condition}`).givenUp, ['a'], condition.slice(0, 40));
  assert.deepEqual(scanned(`condition: 1${' + 1'.repeat(500)} == 501`).matches.length, 1);
  const strings = 'strings: $a = "hello" condition:';
  for (const condition of [`${'('.repeat(60_000)}true`, `$a${' at $a'.repeat(60_000)}`, `any of them${' at 1 of them'.repeat(60_000)}`, `${'for '.repeat(60_000)}`, `${'uint8('.repeat(60_000)}`, `${'@a['.repeat(60_000)}`]) refused(`rule a { ${strings} ${condition} }`, /within/);
  const deep = `${'1 + (2 * (3 - (4 & (5 | ('.repeat(33)}1${')))))'.repeat(33)}`;
  assert.deepEqual(scanned(`condition: ${'(((('.repeat(40)}true${'))))'.repeat(40)} and ${deep} != 0`).givenUp, []);
  assert.deepEqual(compileYara(`import "elf" rule a { condition: elf${'.a'.repeat(60_000)} }`).scan(FILE).givenUp, ['a']);
  refused(`rule b0 { condition: true } rule b1 { condition: true } rule a { condition: any of (${Array.from({ length: 60_000 }, () => 'b*').join(', ')}) }`, /a list of more than/);
});

test('white space and comments of megabytes', () => {
  const blank = ' \n'.repeat(3_000_000);
  assert.equal(scanned(`${blank}${'// x\n'.repeat(500_000)}/*${blank}*/ condition: true`).matches.length, 1);
});

test('an expression whose states are all different is given up in a file, and told', () => {
  const expression = '(a|b)*a(a|b){4000}c';
  let seed = 1;
  const bytes = Uint8Array.from({ length: 1 << 20 }, () => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return (seed >> 16) % 2 === 0 ? 0x61 : 0x62;
  });
  assert.deepEqual(scanned(`strings: $a = /${expression}/ condition: $a`, bytes).givenUp, ['a']);
});

test('parseDigestList() refuses a text without a digest, and one that is too long', () => {
  const digest = '0123456789abcdef'.repeat(4);
  assert.throws(() => parseDigestList('# nothing\nhere\n'), ScanInputError);
  assert.throws(() => parseDigestList(`${digest}\n${'\n'.repeat(1_000_000)}`), ScanInputError);
  parseDigestList(`${digest}${' '.repeat(1_000_000)}\rx\n`);
});
