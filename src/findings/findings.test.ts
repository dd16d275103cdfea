/** Findings: ignore files, and that nothing which others say is more than text in any format. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { IgnoreFileError, asHtml, asJson, asMarkdown, asSarif, asTable, bySeverity, escapeMarkup, matches, parseIgnoreFile, siftFindings } from './index.ts';
import type { Finding, Report } from './index.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2027, 0, 15, 12);
const finding = (more: Partial<Finding> = {}): Finding => ({ rule: 'omission', severity: 'high', subject: 'ngnix', message: 'looks like "nginx"', ...more });
const report = (findings: readonly Finding[], more: Partial<Report> = {}): Report => ({
  tool: 'squat', version: '1.2.3', target: 'ngnix', ignored: [], findings,
  rules: [{ id: 'other', summary: 'Another', remedy: 'wait', severity: 'low' }, { id: 'omission', summary: 'A letter is missing', remedy: 'correct the name', severity: 'high', url: 'https://example.com/omission' }], ...more,
});

test('parseIgnoreFile() reads entries with quotes, days and reasons', () => {
  const entries = parseIgnoreFile('# ours\n\nomission ngnix until 2027-03-31 -- renamed -- in spring\n\t*   "a b*" -- old\r\n');
  assert.deepEqual(entries, [
    { line: 3, rule: 'omission', subject: 'ngnix', until: '2027-03-31', reason: 'renamed -- in spring' },
    { line: 4, rule: '*', subject: 'a b*', until: undefined, reason: 'old' },
  ]);
});

test('parseIgnoreFile() refuses what has no reason, no subject, or no such day', () => {
  for (const [text, message] of [
    ['omission ngnix', /no reason/], ['omission ngnix -- ', /no reason/], ['omission -- why', /not a rule and a subject/], ['a b until 2027-02-30 -- why', /no day/],
    ['a b until soon -- why', /no day/], ['a b for 2027-01-01 -- why', /"for" means nothing/], ['a "b -- why', /quote/], ['a b until 2027-01-01 c -- why', /not a rule and a subject/],
  ] as const) {
    assert.throws(() => parseIgnoreFile(`# first\n${text}`), (error) => error instanceof IgnoreFileError && error.line === 2 && message.test(error.message), text);
  }
});

test('siftFindings() takes out what is named until its last day is over', () => {
  const entries = parseIgnoreFile('omission ng* until 2027-01-15 -- a\nomission Docker* until 2027-01-14 -- b\n* nothing -- c\n');
  const [here, there] = [finding(), finding({ subject: 'pyton', place: { file: 'Dockerfile.web', line: 2 } })];
  const { findings, ignored, expired, unused } = siftFindings([here, there], entries, NOW);
  assert.deepEqual(findings, [there]);
  assert.deepEqual(ignored, [{ finding: here, reason: 'a', until: '2027-01-15' }]);
  assert.deepEqual([expired.map(({ line }) => line), unused.map(({ line }) => line)], [[2], [3]]);
  assert.deepEqual(siftFindings([here], entries, NOW + DAY).findings, [here]);
});

test('matches() knows *, and takes no longer for a bad pattern', () => {
  for (const [pattern, text, expected] of [['*', '', true], ['a*c', 'abbc', true], ['a*c', 'abcd', false], ['**a', 'ba', true], ['', '', true], ['', 'a', false], ['a.c', 'abc', false], ['*ab*ab', 'abab', true]] as const) assert.equal(matches(pattern, text), expected, `${pattern} ${text}`);
  assert.equal(matches('*a'.repeat(2000), 'a'.repeat(1999)), false);
});

test('the worst comes first, in the order found', () => {
  const found = [finding({ severity: 'low', subject: '1' }), finding({ severity: 'critical', subject: '2' }), finding({ severity: 'low', subject: '3' })];
  assert.deepEqual(bySeverity(found).map(({ subject }) => subject), ['2', '1', '3']);
  assert.match(asTable(report(found)), /^SEVERITY {3}RULE {7}SUBJECT {3}MESSAGE\ncritical .*\n(?:low .*\n){2}3 findings: 1 critical, 2 low\n$/);
});

test('asSarif() has the rule, the place, and what is ignored as suppressed', () => {
  const placed = finding({ place: { file: 'a dir/Dock#er:file', line: 3, source: 'FROM ngnix' }, score: 0.9, evidence: [{ name: 'distance', value: '1' }] });
  const { runs } = JSON.parse(asSarif(report([placed], { ignored: [{ finding: finding(), reason: 'ours', until: undefined }] }))) as { runs: [{ tool: { driver: { rules: { id: string; properties?: object }[] } }; results: Record<string, unknown>[] }] };
  const [first, second] = runs[0].results;
  assert.deepEqual([first?.['ruleId'], first?.['ruleIndex'], first?.['level']], ['omission', 1, 'error']);
  assert.deepEqual(first?.['locations'], [{ physicalLocation: { artifactLocation: { uri: 'a%20dir/Dock%23er%3Afile' }, region: { startLine: 3, endLine: 3, snippet: { text: 'FROM ngnix' } } } }]);
  assert.deepEqual(second?.['suppressions'], [{ kind: 'external', justification: 'ours' }]);
  assert.deepEqual(runs[0].tool.driver.rules[1]?.properties, { 'security-severity': '8.0' });
  const style = JSON.parse(asSarif(report([], { isSecurity: false }))) as { runs: [{ tool: { driver: { rules: { properties?: object }[] } } }] };
  assert.equal(style.runs[0].tool.driver.rules[1]?.properties, undefined);
});

test('nothing that others say is more than text', () => {
  const hostile = '</td><script>alert(1)</script>"\' onload=x `|[a](javascript:b)\x1b[31m\x9b\u202e\u200b\r\nnext\ud800';
  const document = report([finding({ rule: hostile, subject: hostile, message: hostile, remedy: hostile, place: { file: hostile, line: 1, source: hostile }, evidence: [{ name: hostile, value: hostile }] })], {
    target: hostile, ignored: [{ finding: finding({ subject: hostile }), reason: hostile, until: undefined }],
    sections: [{ title: hostile, text: hostile }, { title: hostile, rows: [[hostile], [hostile]] }, { title: hostile, svg: `<svg><text>${escapeMarkup(hostile)}</text></svg>` }],
  });
  const html = asHtml(document);
  assert.doesNotMatch(html, /<script|<td>[^<]*"[^<]*onload|\x1b|\x9b|\u202e|\u200b/);
  assert.match(html, /default-src 'none'/);
  assert.doesNotMatch(html, /(?:src|href)=/);
  const controls = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u200b]/;
  for (const [name, text] of [['table', asTable(document)], ['markdown', asMarkdown(document)]] as const) assert.doesNotMatch(text, controls, name);
  assert.doesNotMatch(asMarkdown(document), /<script|[^\\]\[a\]\(/);
  for (const text of [asJson(document), asSarif(document)]) {
    assert.doesNotMatch(text, controls);
    assert.ok((JSON.stringify(JSON.parse(text))).includes(JSON.stringify(hostile)));
  }
});
