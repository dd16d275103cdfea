/** Units of the room: edits, punycode, lists of names, generated names, what was seen, new repositories. */
import assert from 'node:assert/strict';
import { domainToASCII } from 'node:url';
import { test } from 'node:test';
import { parseReference } from '../image/reference.ts';
import { distanceUpTo, kindsOfEdit } from './edits.ts';
import { SquatError } from './errors.ts';
import { generate } from './generate.ts';
import { judge } from './judge.ts';
import { BUILT_IN_NAMES, Names } from './names.ts';
import { nearRepository, nearWellKnown } from './near.ts';
import { decodeLabel, shownHost } from './punycode.ts';
import { changeOf, formatSeen, parseSeen } from './watch.ts';

const names = Names.parse(BUILT_IN_NAMES);

/** The distance by its definition, in full. */
function slowDistance(left: string, right: string): number {
  const table = Array.from({ length: left.length + 1 }, (_, row) => Array.from({ length: right.length + 1 }, (__, column) => (row === 0 ? column : column === 0 ? row : 0)));
  for (let row = 1; row <= left.length; row++) {
    for (let column = 1; column <= right.length; column++) {
      let cost = Math.min(table[row - 1]![column - 1]! + Number(left[row - 1] !== right[column - 1]), table[row - 1]![column]! + 1, table[row]![column - 1]! + 1);
      if (row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1]) cost = Math.min(cost, table[row - 2]![column - 2]! + 1);
      table[row]![column] = cost;
    }
  }
  return table[left.length]![right.length]!;
}

test('kindsOfEdit() and distanceUpTo() agree with the distance by its definition', () => {
  let seed = 1;
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
  for (let round = 0; round < 20_000; round++) {
    const word = (): string => Array.from({ length: random(7) }, () => 'ab-'[random(3)] ?? '').join('');
    const [left, right] = [word(), word()];
    const distance = slowDistance(left, right);
    assert.equal(kindsOfEdit(left, right) !== undefined, distance === 1, `${left} ${right}`);
    assert.equal(distanceUpTo(left, right, 2), Math.min(3, distance), `${left} ${right}`);
  }
});

test('kindsOfEdit() names the edit', () => {
  const cases = [['nginxx', 'nginx', 'repetition'], ['ngix', 'nginx', 'omission'], ['ngnix', 'nginx', 'transposition'], ['nginz', 'nginx', 'keyboard'], ['redis0', 'redis', 'combined-word'], ['redi5', 'redis', 'homoglyph'], ['hello_world', 'hello-world', 'separator'], ['helloworld', 'hello-world', 'separator'], ['nodes', 'node', 'plural'], ['redi', 'redis', 'plural'], ['xedis', 'redis', 'replacement'], ['qredis', 'redis', 'addition']] as const;
  for (const [typed, meant, kind] of cases) assert.equal(kindsOfEdit(typed, meant)?.[0], kind, typed);
  assert.deepEqual([kindsOfEdit('redis', 'redis'), kindsOfEdit('rds', 'redis')], [undefined, undefined]);
});

test('decodeLabel() reads what the host encodes, and refuses what is none', () => {
  for (const host of ['b\u00fccher', '\u0261hcr', '\u043f\u0440\u0438\u043c\u0435\u0440', '\u4f8b\u3048', 'a\u{1f600}b']) assert.equal(shownHost(domainToASCII(`${host}.example`)), `${host}.example`);
  for (const text of ['a-\u0000', '99999999999', 'zzzzzzzzzzzzzzzzzzzz', '!']) assert.equal(decodeLabel(text), undefined, text);
  assert.equal(shownHost('xn--.example'), '.example');
});

test('Names.parse() reads a list, and names the line of a mistake', () => {
  const own = Names.parse('# ours\nofficial 3: alpha beta\n  gamma\npublisher: acme quay.io/acme\nmistake: a.io=b.io\nhost: b.io\n');
  assert.deepEqual([...own.official.names()], ['alpha', 'beta', 'gamma']);
  assert.equal(judge('alpah', own).suspicions[0]?.meant, 'alpha');
  assert.equal(judge('a.io/x/y', own).suspicions[0]?.meant, 'b.io/x/y');
  assert.deepEqual(judge('ngnix', own).suspicions, []);
  for (const [text, message] of [['nginx', /line 1 begins with no kind/], ['official 4: x', /line 1 begins/], ['  x', /line 1 goes on with nothing/], ['official: x\nhost: a b\x1b[31m', /line 2/], ['mistake: a', /WRONG=RIGHT/], ['repository: a/b', /whole name/], ['official: Nginx', /no name/]] as const) {
    assert.throws(() => Names.parse(text), (error) => error instanceof SquatError && message.test(error.message), text);
  }
});

test('generate() lists well-formed names near one, each once, and judge() knows most of them', () => {
  for (const text of ['nginx', 'bitnami/redis:7', 'ghcr.io/acme/hello-world', 'localhost:5000/team/app']) {
    const candidates = generate(text, names);
    assert.equal(new Set(candidates.map(({ name }) => name)).size, candidates.length);
    for (const { name } of candidates) assert.doesNotThrow(() => parseReference(name), name);
    assert.ok(candidates.length > 100 && !candidates.some(({ name }) => name === text), text);
  }
  const near = generate('nginx', names);
  for (const [kind, name] of [['omission', 'ngix'], ['repetition', 'nginxx'], ['transposition', 'ngnix'], ['homoglyph', 'ng1nx'], ['keyboard', 'ngibx'], ['bit-flip', 'ngifx'], ['separator', 'ng-inx'], ['plural', 'nginxs'], ['combined-word', 'nginx-official'], ['namespace-stolen', 'nginx/nginx'], ['addition', 'nginxq'], ['replacement', 'ngenx']]) {
    assert.ok(near.some((candidate) => candidate.kind === kind && candidate.name === name), `${kind} ${name}`);
  }
  const hosts = generate('ghcr.io/acme/app', names).filter(({ part }) => part === 'host').map(({ name }) => name);
  for (const name of ['ghrc.io/acme/app', 'ghcr.com/acme/app', 'ghcr-io.com/acme/app', 'ghcr/acme/app', 'gchr.io/acme/app']) assert.ok(hosts.includes(name), name);
  const found = near.filter(({ name, kind }) => kind !== 'namespace-stolen' && judge(name, names).suspicions.length > 0);
  assert.ok(found.length / near.length > 0.9, `${found.length} of ${near.length}`);
});

test('what was seen is read as it was written, and compared', () => {
  const seen = new Map([['b', { digest: 'sha256:1', since: '2027-01-01T00:00:00.000Z', near: 'a', kind: 'omission' }]]);
  assert.deepEqual(parseSeen(formatSeen(seen)), seen);
  for (const text of ['', '[]', '{"version":2,"names":{}}', '{"version":1}', '{"version":1,"names":{"a":{}}}', '{"version":1,"names":{"a":null}}']) assert.throws(() => parseSeen(text), SquatError, text);
  const one = seen.get('b');
  assert.deepEqual([changeOf(undefined, { digest: 'x' }), changeOf(one, { digest: 'x' }), changeOf(one, { digest: 'sha256:1' }), changeOf(one, undefined), changeOf(undefined, undefined)], ['new', 'changed', 'same', 'gone', undefined]);
});

test('nearRepository() finds the one that a new name would be mistaken for', () => {
  const existing = ['team/frontend', 'team/app', 'tools/kubectl', 'base'];
  for (const [name, near] of [['team/frontned', 'team/frontend'], ['team/front-end', 'team/frontend'], ['team/fr0ntend', 'team/frontend'], ['taem/frontend', 'team/frontend'], ['tools/kubectl2', undefined], ['team/app2', undefined], ['team/api', undefined], ['team/frontend', undefined], ['other/backend', undefined], ['team/x/frontend', undefined], ['bases', undefined]] as const) {
    assert.equal(nearRepository(name, existing)?.name, near, name);
  }
  assert.deepEqual(nearWellKnown('team/ngnix', names), { name: 'team/nginx', kind: 'transposition' });
  assert.deepEqual([nearWellKnown('team/nginx', names), nearWellKnown('nginx', names), nearWellKnown('grafana', names)], [undefined, undefined, undefined]);
});
