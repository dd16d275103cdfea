/** The engine for YARA's language against the yara command: which rules match which files, and where their strings are. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { YaraError, compileYara } from '../../src/scan/content/malware/yara/index.ts';
import { FILES, GLOBAL_RULES, NEWER_RULES, RULES, randomFiles, randomRules } from './yara-cases.ts';

const directory = mkdtempSync(join(tmpdir(), 'caisson-yara-'));
after(() => rmSync(directory, { recursive: true, force: true }));

/** `rule file` for each match, then `rule file $string offset length` for each place. */
function ours(rules: string, files: Readonly<Record<string, Buffer>>, places: boolean): readonly string[] {
  const compiled = compileYara(rules);
  return Object.entries(files).flatMap(([name, bytes]) => {
    const { matches, givenUp } = compiled.scan(bytes);
    assert.deepEqual(givenUp, []);
    return matches.flatMap(({ rule, strings }) => [`${rule} ${name}`, ...(places ? strings.map(({ name: string, offset, length }) => `${rule} ${name} ${string} ${offset} ${length}`) : [])]);
  }).sort();
}

function theirs(name: string, rules: string, files: Readonly<Record<string, Buffer>>, places: boolean): readonly string[] {
  const ruleFile = join(directory, `${name}.yar`);
  writeFileSync(ruleFile, rules);
  return Object.entries(files).flatMap(([file, bytes]) => {
    writeFileSync(join(directory, file), bytes);
    const output = execFileSync('yara', ['-w', ...(places ? ['-s', '-L'] : []), ruleFile, join(directory, file)], { encoding: 'latin1' });
    let rule = '';
    const seen = new Map<string, number>();
    return output.split('\n').flatMap((line) => {
      const place = /^0x([0-9a-f]+):(\d+):(\$\w*):/.exec(line);
      if (place === null) {
        const [match, path] = line.split(' ');
        if (match === undefined || path === undefined || basename(path) !== file) return [];
        rule = match;
        return [`${rule} ${file}`];
      }
      // Of each string the first ten are told.
      const count = (seen.get(rule + place[3]) ?? 0) + 1;
      seen.set(rule + place[3], count);
      return count > 10 ? [] : [`${rule} ${file} ${place[3]} ${parseInt(place[1]!, 16)} ${place[2]}`];
    });
  }).sort();
}

const programs = { ...FILES, true: readFileSync('/bin/true') };

test('YaraRules.scan() matches what yara matches', () => {
  const expected = theirs('fixed', RULES, programs, false);
  assert.deepEqual(ours(RULES, programs, false), expected);
  const never = [...RULES.matchAll(/^rule (\w+)/gm)].map((found) => found[1]!).filter((rule) => !expected.some((line) => line.startsWith(`${rule} `)));
  assert.deepEqual(never, ['no_third', 'beyond', 'not_beyond']);
});

test('YaraRules.scan() finds strings where yara finds them', () => {
  const places = RULES.replace(/rule anonymous .*/, '');
  assert.deepEqual(ours(places, FILES, true), theirs('places', places, FILES, true));
});

test('YaraRules.scan() knows what came after Debian\'s yara', () => {
  assert.deepEqual(ours(NEWER_RULES, FILES, true), ['hex_not bytes', 'hex_not bytes $a 12 3', 'of_at script', 'of_at script $b 0 2', 'of_at script $a 12 5'].sort());
});

test('YaraRules.scan() takes files out by global rules, as yara does', () => {
  assert.deepEqual(ours(GLOBAL_RULES, programs, true), theirs('global', GLOBAL_RULES, programs, true));
});

test('YaraRules.scan() agrees with yara on random rules and files', () => {
  const [rules, files] = [randomRules(300, 7), randomFiles(20, 8)];
  // Of a hex string with alternatives yara tells the length that it found first, which is not always the shortest.
  const hex = new Set([...rules.matchAll(/^rule (\w+) \{ strings: \$a = \{.*\(/gm)].map((found) => found[1]));
  const compared = (lines: readonly string[]): readonly string[] => lines.map((line) => (hex.has(line.slice(0, line.indexOf(' '))) ? line.replace(/ \d+$/, '') : line));
  const expected = theirs('random', rules, files, true);
  assert.ok(expected.length > 2000, `${expected.length} places`);
  const [found, wanted] = [new Set(compared(ours(rules, files, true))), new Set(compared(expected))];
  const invented = [...found].filter((line) => !wanted.has(line));
  // Where yara finds less, because it forgets ways through nested repeats, V8 says who is right.
  for (const line of invented) assert.ok(isMatch(rules, files, line), line);
  assert.ok(invented.length < expected.length / 100, `${invented.length} of ${expected.length}`);
  const places = new Set(invented.map((line) => line.replace(/ \d+$/, '')));
  assert.deepEqual([...wanted].filter((line) => !found.has(line) && !places.has(line.replace(/ \d+$/, ''))), []);
});

/** Whether what `rule file $a offset length` says is a match as V8's regular expressions have it. */
function isMatch(rules: string, files: Readonly<Record<string, Buffer>>, line: string): boolean {
  const [rule, file, , offset, length] = line.split(' ');
  if (offset === undefined) return true;
  const [, string] = new RegExp(`^rule ${rule} \\{ strings: \\$a = (.*) condition`, 'm').exec(rules)!;
  const regex = /^\/(.*)\/(i?)(?: fullword)?$/.exec(string!);
  const hex = string!.replace(/[{} ]/g, '').replace(/\[(\d)-(\d)\]|([0-9a-f?]{2})/g, (_, from: string, to: string, byte: string | undefined) => {
    if (byte === undefined) return `[^]{${from},${to}}`;
    const bytes = Array.from({ length: 256 }, (_unused, index) => index.toString(16).padStart(2, '0')).filter((each) => [...byte].every((digit, index) => digit === '?' || digit === each[index]));
    return `[${bytes.map((each) => `\\x${each}`).join('')}]`;
  });
  const text = files[file!]!.toString('latin1').slice(Number(offset), length === undefined ? undefined : Number(offset) + Number(length));
  return new RegExp(`^(?:${regex?.[1]!.replace(/\./g, '[^\\n]') ?? hex})${length === undefined ? '' : '$'}`, regex?.[2] ?? '').test(text);
}

test('compileYara() says what is wrong, and where', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['include "other.yar"', /line 1: "include" is refused/],
    ['\n\nrule a { condition: $b }', /line 3: the rule has no string "\$b"/],
    ['rule a { strings: $a = "x" condition: $a } rule a { condition: true }', /the rule "a" twice/],
    ['rule a { strings: $a = /(a/ condition: $a }', /without its "\)"/],
    ['rule a { strings: $a = /a(?=b)/ condition: $a }', /not supported/],
    ['rule a { strings: $a = /(a)\\1/ condition: $a }', /references/],
    ['rule a { strings: $a = { 4D [4-] } condition: $a }', /cannot end with a jump/],
    ['rule a { strings: $a = "x" xor nocase condition: $a }', /does not go with/],
    ['rule a { condition: later } rule later { condition: true }', /no rule above/],
    ['import "cuckoo"', /no module "cuckoo"/],
    [`rule a { condition: ${'('.repeat(5000)}true${')'.repeat(5000)} }`, /within expressions/],
    ['rule a { condition: true', /the end/],
    ['rule a { strings: $a = "x', /does not end/],
    ['rule a { condition: true } /* never', /does not end/],
  ];
  for (const [source, message] of refused) assert.throws(() => compileYara(source), (error: unknown) => error instanceof YaraError && message.test(error.message), source.slice(0, 80));
});

test('compileYara() lets conditions ask for external variables', () => {
  const rules = compileYara('rule a { condition: filename matches /\\.sh$/ and depth > 2 }', { externals: { filename: '', depth: 0 } });
  assert.equal(rules.scan(Buffer.from('x'), { filename: 'a.sh', depth: 3 }).matches.length, 1);
  assert.equal(rules.scan(Buffer.from('x'), { filename: 'a.sh' }).matches.length, 0);
});

test('YaraRules.scan() gives up what would take too long, and says so', () => {
  const rules = compileYara(`
    rule loop { condition: for all i in (0..1000000000) : ( i >= 0 ) }
    rule nested { condition: for all i in (0..100000) : ( for all j in (0..100000) : ( i + j >= 0 ) ) }
    rule slow { strings: $a = /[a-z][^X]*[a-z][^X]*Y/ condition: $a }
    rule fast { strings: $a = "aaaa" condition: $a }`);
  const { matches, givenUp } = rules.scan(Buffer.alloc(4 << 20, 'a'));
  assert.deepEqual(matches.map(({ rule }) => rule), ['fast']);
  assert.deepEqual(givenUp.filter((rule) => rule !== 'slow'), ['loop', 'nested']);
});
