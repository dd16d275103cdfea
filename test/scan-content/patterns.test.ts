/** Expressions over bytes: the same matches as V8's regular expressions, in time of the bytes whatever they say. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Automaton } from '../../src/scan/content/patterns/automaton.ts';
import { keywordsOf } from '../../src/scan/content/patterns/keywords.ts';
import { PatternError, parsePattern } from '../../src/scan/content/patterns/syntax.ts';
import { TOKEN_RULES } from '../../src/scan/content/secrets/token-rules.ts';
import { randomNumbers } from './testing.ts';

const random = randomNumbers(3);
const pick = <Element>(list: readonly Element[]): Element => list[random(list.length)]!;

function randomExpression(depth = 0): string {
  return Array.from({ length: 1 + random(3) }, () => {
    const kind = random(depth < 2 ? 9 : 7);
    const atom = kind < 3 ? pick(['a', 'b', 'c', ' ']) : kind === 3 ? pick(['[ab]', '[^a]', '[a-c]', '\\w', '\\s', '\\d', '\\W']) : kind === 4 ? '.' : kind === 5 ? pick(['\\b', '\\B', '^', '$']) : kind === 6 ? pick(['\\x61', '\\n', 'bc']) : `(${randomExpression(depth + 1)}|${randomExpression(depth + 1)})`;
    return kind === 5 ? atom : atom + pick(['', '', '', '?', '*', '+', '{2}', '{1,3}', '{2,}']);
  }).join('');
}

test('Automaton.matchAt() finds the longest match that V8 finds', () => {
  for (let count = 0; count < 1000; count++) {
    const expression = randomExpression();
    const automaton = new Automaton(parsePattern(expression));
    for (let each = 0; each < 5; each++) {
      const text = Array.from({ length: random(10) }, () => pick(['a', 'b', 'c', ' ', '\n', 'A', '1'])).join('');
      const bytes = Buffer.from(text, 'latin1');
      const start = random(text.length + 1);
      // V8 prefers, it does not measure: so each end is asked for by itself, the longest first.
      let expected = -1;
      for (let end = text.length; end >= start && expected === -1; end--) {
        if (new RegExp(`^[^]{${start}}(?:${expression.replace(/\^/g, (_, at: number) => (expression[at - 1] === '[' ? '^' : '(?<![^])')).replace(/\$/g, '(?![^])').replace(/\./g, '[^\\n]')})(?<=^[^]{${end}})`).test(text)) expected = end;
      }
      assert.equal(automaton.matchAt(bytes, start, { count: 0 }), expected, `/${expression}/ at ${start} of ${JSON.stringify(text)}`);
    }
  }
});

test('Automaton.firstEnd() finds whether there is a match anywhere', () => {
  // Short texts: on longer ones V8 itself takes minutes.
  for (let count = 0; count < 1000; count++) {
    const expression = randomExpression(1).replace(/[\^$]/g, '');
    if (expression === '') continue;
    const text = Array.from({ length: random(9) }, () => pick(['a', 'b', 'c', ' ', '\n'])).join('');
    const found = new Automaton(parsePattern(expression), true).firstEnd(Buffer.from(text, 'latin1'), 0, { count: 0 });
    assert.equal(found !== -1, new RegExp(expression.replace(/\./g, '[^\\n]')).test(text), `/${expression}/ in ${JSON.stringify(text)}`);
  }
});

test('Automaton takes a step a byte, for expressions that make others explode too', () => {
  const bytes = Buffer.alloc(4000, 'a');
  for (const expression of ['(a+)+b', '(a|a)*b', '(a|aa)+b', '(.*)*b', '(a?){50}a{50}b', '([a-z]+)*[0-9]', '(a*)*(a*)*(a*)*c', `${'(a|b)?'.repeat(60)}c`, '(((a+)+)+)+x', '.*.*.*.*=x', 'a{1,400}b']) {
    for (const automaton of [new Automaton(parsePattern(expression)), new Automaton(parsePattern(expression), true)]) {
      const steps = { count: 0 };
      automaton.matchAt(bytes, 0, steps);
      automaton.firstEnd(bytes, 0, steps);
      assert.ok(steps.count <= 2 * (bytes.length + 1), `${expression}: ${steps.count}`);
    }
  }
});

test('each rule on tokens takes a step a byte, and no more bytes than a token has', () => {
  for (const rule of TOKEN_RULES) {
    const automaton = new Automaton(parsePattern(rule.pattern));
    for (const letter of ['a', 'A', '0', '-', '_', '.', '/', '=', '\n']) {
      for (const keyword of rule.keywords) {
        const steps = { count: 0 };
        const end = automaton.matchAt(Buffer.from(keyword + letter.repeat(20_000)), 0, steps);
        assert.ok(steps.count <= 5300 && end <= 5300, `${rule.id}: ${steps.count} steps`);
      }
    }
  }
});

test('Keywords.scan() finds every word, in both cases and where they overlap', () => {
  const words = ['he', 'she', 'his', 'hers', 'ab', 'bab', 'b', 'abab'];
  const keywords = keywordsOf(words);
  for (const text of ['ushers', 'SHE said his', 'ababab', '', 'xxhexx']) {
    const found: string[] = [];
    keywords.scan(Buffer.from(text), (word, end) => {
      found.push(`${words[word]}@${end - keywords.lengthOf(word)}`);
    });
    const expected = words.flatMap((word) => [...text].map((_, at) => at).filter((at) => text.slice(at, at + word.length).toLowerCase() === word).map((at) => `${word}@${at}`));
    assert.deepEqual(found.sort(), expected.sort());
  }
});

test('parsePattern() refuses what would be too large, or is no automaton', () => {
  for (const expression of ['a{1000}{1000}', '(a{500}){500}', `${'('.repeat(300)}a${')'.repeat(300)}`, '(?=a)', '(?<n>a)', '\\1', 'a**', '[z-a]', 'a{3,1}', '(', ')', '[a', '\\', '*a', 'a+?b+']) {
    assert.throws(() => new Automaton(parsePattern(expression)), PatternError, expression);
  }
});
