/** What is not trusted here: references, lists of names, files of projects, states and ignore files. Bounded time, no exception that is not ours, nothing that steers a terminal. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BuildError } from '../../src/build/errors.ts';
import { parseDockerfile } from '../../src/build/dockerfile.ts';
import { imageUses } from '../../src/build/image-uses.ts';
import { IgnoreFileError, asHtml, asJson, asMarkdown, asSarif, asTable, parseIgnoreFile, siftFindings } from '../../src/findings/index.ts';
import { InvalidReferenceError } from '../../src/image/errors.ts';
import { BUILT_IN_NAMES, Names, RULES, SquatError, generate, judge, nearRepository, parseSeen, readSource } from '../../src/squat/index.ts';
import { shownHost } from '../../src/squat/punycode.ts';

const CASES = 100_000;
/** A case that takes longer is one that somebody could use; the machine may be busy. */
const MOST_MS = 2000;
const names = Names.parse(BUILT_IN_NAMES);

const PIECES = ['nginx', 'ngnix', 'ghcr.io', 'docker.io', '/', ':', '@', '.', '-', '_', '__', '--', 'a', '1', 'rn', 'vv', 'xn--', 'xn--hcr-qmc', '\u0430', '\u202e', '\x1b[31m', '\0', ' ', '\n', '\t', '"', '\'', '`', '$', '${', '}', '$(', ')', '(', '{{', '}}', '| default "', '#', '\\', '\\\n', 'image: ', 'image:\n  ', 'repository: ', 'tag: ', '- ', 'services:\n', 'docker run ', 'docker build -t ', ' --rm ', ' -v ', '--image=', 'docker://', 'FROM ', 'COPY --from=', 'RUN --mount=from=', 'ARG A=', '<<EOF\n', 'AS x\n', 'sha256:', 'localhost:5000', '[::1]:5', '\ud800', '\u{1f600}', '*', 'until ', ' -- ', '2027-01-01', 'official 3: ', 'mistake: a=b', '{"version":1,"names":{', '"image":"x"', '{image: x}', '~', '%', 'docker.image(\'', 'A=B;', '&&', '||'];

/** mulberry32 */
let state = 20_260_830;
function random(below: number): number {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
}

function text(pieces: number): string {
  return Array.from({ length: random(pieces) }, () => (random(20) === 0 ? String.fromCodePoint(random(0x2fff)) : PIECES[random(PIECES.length)] ?? '')).join('');
}

const OURS = [InvalidReferenceError, SquatError, IgnoreFileError, BuildError];

/** Runs it, and answers undefined where it refuses as it should. */
function attempt<Value>(what: () => Value, input: string): Value | undefined {
  const started = performance.now();
  try {
    return what();
  } catch (error) {
    assert.ok(OURS.some((kind) => error instanceof kind), `${JSON.stringify(input)}: ${String(error)}`);
    return undefined;
  } finally {
    assert.ok(performance.now() - started < MOST_MS, JSON.stringify(input.slice(0, 200)));
  }
}

test(`${CASES} references, files and lists are judged or refused, quickly`, () => {
  const hostile: string[] = [];
  for (let round = 0; round < CASES; round++) {
    const input = text(round % 10 === 0 ? 60 : 8);
    const judgement = attempt(() => judge(input, names), input);
    if (judgement !== undefined && judgement.suspicions.length > 0 && hostile.length < 200) hostile.push(input);
    if (round % 2 === 0) shownHost(input);
    for (const kind of ['yaml', 'shell', 'groovy'] as const) {
      for (const { line, text: found } of readSource(kind, input, '.gitlab-ci.yml')) assert.ok(line >= 1 && line <= input.split('\n').length && !found.includes('\n'), JSON.stringify(input));
    }
    if (round % 5 === 0) attempt(() => imageUses(parseDockerfile(input, 'Dockerfile')), input);
    if (round % 5 === 1) attempt(() => Names.parse(input), input);
    if (round % 5 === 2) attempt(() => siftFindings([], parseIgnoreFile(input), 0), input);
    if (round % 5 === 3) attempt(() => parseSeen(input), input);
    if (round % 100 === 4) attempt(() => generate(input, names), input);
    if (round % 5 === 4) nearRepository(input, ['team/app', input, `${input}x`]);
  }
  assert.ok(hostile.length > 0);
  const report = { tool: 'squat', version: '1', target: 'x', rules: RULES, ignored: [], findings: hostile.map((subject) => ({ rule: 'omission', severity: 'low' as const, subject, message: subject, place: { file: subject, line: 1, source: subject } })) };
  for (const shown of [asTable(report), asMarkdown(report), asJson(report), asSarif(report), asHtml(report)]) assert.doesNotMatch(shown, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
});

test('texts that are made to take long do not', () => {
  const long = 60_000;
  for (const piece of ['a', '-', '.', ' ', '$(', '${', '{{', '"', '\\\n', '#', ':', '/', 'rn', 'a.', 'a-', 'a/', 'image: ', '- ', 'image:\n', '\t', 'docker run ', 'docker://a', '=', '(', '&a ', '!!a ', '{image: ', 'repository: a\n', 'A=', '{image:x,', 'default "', 'xn--', '-- ', 'FROM a\n', 'COPY --from=a b c\n']) {
    const input = piece.repeat(Math.ceil(long / piece.length));
    for (const whole of [input, `image: ${input}`, `docker run ${input}`, `IMAGE=${input}`, `\${A:-${input}`, `image: {${input}`]) {
      attempt(() => judge(whole, names), whole);
      for (const kind of ['yaml', 'shell', 'groovy'] as const) attempt(() => readSource(kind, whole, 'x.yaml'), whole);
      attempt(() => Names.parse(whole), whole);
      attempt(() => parseIgnoreFile(whole), whole);
    }
    attempt(() => imageUses(parseDockerfile(input, 'Dockerfile')), input);
  }
});
