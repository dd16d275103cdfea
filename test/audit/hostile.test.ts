/** Inputs that were made to hurt: each is refused in one line or judged, in bounded time and memory, and nothing of it steers a terminal or a page. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { AuditInputError } from '../../src/audit/errors.ts';
import { judge } from '../../src/audit/evaluate.ts';
import { cutPaths } from '../../src/audit/fix.ts';
import { asDot, asSvg, graphOf } from '../../src/audit/graph.ts';
import { NO_FACTS } from '../../src/audit/host-facts.ts';
import { readInput } from '../../src/audit/read.ts';
import { asText, reportOf } from '../../src/audit/report.ts';
import { asHtml, asJson, asMarkdown, asSarif } from '../../src/findings/index.ts';
import { RECORDED } from './testing.ts';

function many(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('');
}

/** True: judged. False: refused in one line. */
function survives(text: string): boolean {
  try {
    const input = readInput(text);
    for (const configuration of input.configurations) judge(configuration, NO_FACTS);
    input.rewrite(input.configurations.slice(0, 20).map((configuration) => cutPaths(configuration, NO_FACTS, 'docker', 'low')));
    return true;
  } catch (error) {
    assert.ok(error instanceof AuditInputError, `${(error as Error).stack ?? ''}\n${text.slice(0, 300)}`);
    assert.ok(error.message.length < 500 && !error.message.includes('\n') && error.advice !== '', error.message);
    return false;
  }
}

const REFUSED: Readonly<Record<string, string>> = {
  'nothing': '', 'blanks': '\t'.repeat(1e6), 'prose': 'hello, world\n'.repeat(100), 'JSON that is cut short': '{"HostConfig": {"Privileged": true', 'a number': '[1]', 'YAML that is none': 'services:\n  a: "x\n',
  'deep JSON arrays': '['.repeat(1e6), 'deep JSON objects': '{"a":'.repeat(1e5) + '1' + '}'.repeat(1e5), 'deep JSON with an end': `{"HostConfig": ${'['.repeat(5000)}${']'.repeat(5000)}}`,
  'deep flow collections': `services: ${'['.repeat(1e5)}`, 'deep block mappings': `services:\n${many(3000, (index) => `${' '.repeat(index + 1)}a:\n`)}`, 'deep block sequences': `services:\n${'- '.repeat(50_000)}a`,
  'as deep as the parser is given': `services:\n${many(399, (index) => `${' '.repeat(index + 1)}a:\n`)}${' '.repeat(398)}b: ${'['.repeat(399)}${']'.repeat(399)}`,
  'an alias bomb': `a0: &a0 [${'x,'.repeat(10)}]\n${many(20, (index) => `a${index + 1}: &a${index + 1} [${`*a${index},`.repeat(9)}]\n`)}services: {w: {image: x, volumes: *a20}}\n`, 'an alias of itself': 'services: &s\n  w: *s\n',
  'many aliases': `x: &x 1\nservices:\n  w:\n    image: a\n    volumes:\n${'      - *x\n'.repeat(5000)}`, 'an alias of nothing': 'services: {w: *none}\n', 'a key twice': 'services:\n  w: {image: a, image: b}\n', 'a merge of a text': 'services:\n  w: {<<: x}\n',
  'many lines': `services:\n  w:\n    environment:\n${many(200_000, (index) => `      k${index}: v\n`)}`, 'many services': `services:\n${many(3000, (index) => `  s${index}: {image: a}\n`)}`, 'many documents': '---\nservices: {a: {image: x}}\n'.repeat(3000),
  'many mounts': `docker run ${many(2000, (index) => `-v /:/h${index} `)}app`, 'many words': `docker run ${'-v /a:/b '.repeat(1e5)}app`, 'many runs': 'docker run a\n'.repeat(3000), 'variables that grow': `A=xxxxxxxxxx\n${'A=$A$A\n'.repeat(40)}docker run $A`,
  'nested substitutions': `docker run ${'$('.repeat(1e5)}`, 'backquotes': 'docker run `'.repeat(2e4), 'heredocs': 'cat <<A\n'.repeat(2e4), 'a quote without end': 'docker run "app', 'a flag without value': 'docker run --memory', 'an unknown flag': 'docker run --memroy 1g app', 'no image': 'docker run -it',
  'a list of nothing': 'apiVersion: v1\nkind: List\nitems: []\n', 'more than 16 MiB': 'a'.repeat((16 << 20) + 1),
};
for (const [name, text] of Object.entries(REFUSED)) test(`${name}: refused in one line`, () => assert.equal(survives(text), false));

const JUDGED: Readonly<Record<string, string>> = {
  'two thousand runs': 'docker run --privileged a\n'.repeat(2000), 'a long text': `services:\n  w:\n    image: "${'a'.repeat(5e6)}"\n`, 'closed substitutions': `docker run ${'$(a '.repeat(2e4)}${')'.repeat(2e4)}`, 'a range of all ports': 'docker run -p 1-65535:1-65535 app',
  'a label of equal signs': `docker run --security-opt label=${'='.repeat(1e5)} app`, 'a mount of many options': `docker run --mount ${'volume-opt=o=,'.repeat(20_000)} app`, 'a secret that is nearly one': `docker run -e A=a${':a@'.repeat(1e5)} app`,
  'keys of prototypes': '{"HostConfig": {"__proto__": {"Privileged": true}, "constructor": {}, "toString": 1}, "Config": {"Env": ["__proto__=x"]}}', 'prototypes in YAML': 'services:\n  __proto__: {image: a}\n  constructor: {image: b, privileged: true}\n',
  'wrong types': '{"HostConfig": {"Privileged": [], "CapAdd": {}, "Binds": 7, "Mounts": [null, 1, "x"], "PortBindings": {"80/tcp": 5}, "Ulimits": "x"}, "Mounts": {"a": 1}, "Config": []}',
  'wrong types in an image': '[{"RootFS": {}, "RepoTags": [7], "Config": {"Env": {"a": []}, "User": 7}, "History": [null, 1, {"created_by": 5}]}]', 'steps that are nearly downloads': JSON.stringify([{ RootFS: {}, Config: {}, History: [{ created_by: 'curl '.repeat(50_000) }, { created_by: 'apt-get -q '.repeat(50_000) }] }]),
  'wrong types in a pod': '{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": {}, "securityContext": 7, "volumeMounts": {"a": 1}, "ports": [null]}, null, 3], "volumes": "x", "securityContext": []}}',
};
for (const [name, text] of Object.entries(JUDGED)) test(`${name}: judged`, () => assert.equal(survives(text), true));

test('a prototype gives no rights', () => {
  const [configuration] = readInput('{"HostConfig": {"__proto__": {"Privileged": true}}}').configurations;
  assert.equal(configuration?.privileged, false);
});

test('names and values steer neither a terminal nor a page', () => {
  const evil = '\u001b[2J\u001b]0;x\u0007\u202e\u2028</script><script>alert(1)</script>"><svg onload=1>';
  const text = JSON.stringify([{ Name: `/${evil}`, HostConfig: { Privileged: true, Binds: [`/var/run/docker.sock:/${evil}`], CapAdd: [evil], Devices: [{ PathOnHost: `/dev/sda${evil}` }] }, Config: { Image: evil, Env: [`TOKEN${evil}=abcdefghijklmnop`] } }]);
  const input = readInput(text);
  const judgements = input.configurations.map((configuration) => judge(configuration, NO_FACTS));
  const graphs = judgements.map((judgement) => graphOf(judgement, NO_FACTS));
  const report = reportOf(judgements, { file: `${evil}.json`, version: '1', lines: [], withAll: true, graphs });
  for (const [name, shown] of Object.entries({ text: asText(judgements, report.findings, true, false), json: asJson(report), markdown: asMarkdown(report), sarif: asSarif(report), html: asHtml(report), svg: asSvg(graphs), dot: asDot(graphs) })) {
     
    assert.doesNotMatch(shown, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e\u2028]/u, name);
    if (['html', 'svg', 'markdown'].includes(name)) assert.doesNotMatch(shown, /<script>alert|<svg onload/, name);
  }
});

/** xorshift32: the same cases every time. */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test('20,000 spoiled configurations are judged or refused', () => {
  const pairs = JSON.parse(readFileSync(new URL('pairs.json', import.meta.url), 'utf8')) as readonly { readonly bad: string }[];
  const seeds = [...pairs.map(({ bad }) => bad), ...RECORDED.flatMap(({ dockerRequest, kubernetes = '' }) => [JSON.stringify(dockerRequest), kubernetes]).filter((text) => text !== '' && text.length < 4000)];
  const random = randomFrom(20_260_701);
  const pieces = ['"', "'", '{', '}', '[', ']', ':', ',', '\n', '  ', '- ', '&a ', '*a', '<<: ', '$(', ')', '`', '\\', '--', '-v ', 'null', '0', '-1', '1e999', '\u0000', '\u001b', '\ud800', '!!binary ', '|', '>', '%', '#', '?', '@', '~', '=', 'true'];
  const counts = { judged: 0, refused: 0 };
  for (let round = 0; round < 20_000; round++) {
    let text = seeds[random(seeds.length)] ?? '';
    for (let edit = random(4) + 1; edit > 0; edit--) {
      const at = random(text.length + 1);
      const other = seeds[random(seeds.length)] ?? '';
      text = [
        () => text.slice(0, at) + (pieces[random(pieces.length)] ?? '') + text.slice(at), () => text.slice(0, at) + text.slice(at + random(10) + 1), () => text.slice(0, at),
        () => text.slice(0, at) + other.slice(random(other.length + 1)), () => text.slice(0, at) + String.fromCharCode(random(0x250)) + text.slice(at + 1),
      ][random(5)]?.() ?? text;
    }
    try {
      const input = readInput(text);
      for (const configuration of input.configurations) if (round % 10 === 0) judge(configuration, NO_FACTS);
      counts.judged++;
    } catch (error) {
      if (!(error instanceof AuditInputError)) throw new Error(`round ${round}: ${JSON.stringify(text)}`, { cause: error });
      counts.refused++;
    }
  }
  // Both kinds are there, or the cases mean little.
  assert.ok(counts.judged > 3000 && counts.refused > 3000, JSON.stringify(counts));
});
