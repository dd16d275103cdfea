/** Names against the labelled set: slips of what is popular are found, names that are meant are left alone, and it takes no time. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { domainToASCII } from 'node:url';
import { IMAGE_NAMES } from '../../src/squat/data-images.ts';
import { judge } from '../../src/squat/judge.ts';
import { BUILT_IN_NAMES, Names } from '../../src/squat/names.ts';
import { KINDS, isHint } from '../../src/squat/rules.ts';
import { impostors, legitimate, misspellings } from './labelled.ts';
import type { Labelled } from './labelled.ts';

const LEAST_RECALL = 0.95;
const MOST_FALSE_ALARMS = 0.005;
const names = Names.parse(BUILT_IN_NAMES);
const sets = { misspellings: misspellings(names), impostors: impostors(), legitimate: legitimate(names) };

function isFound({ text, meant }: Labelled): boolean {
  return judge(text, names).suspicions.some((suspicion) => suspicion.meant === meant);
}

function share(part: readonly unknown[], whole: readonly unknown[]): number {
  return part.length / whole.length;
}

test('the set is large enough, and no text is twice in a part of it', () => {
  assert.ok(sets.misspellings.length + sets.impostors.length >= 1000 && sets.legitimate.length >= 1000);
  for (const part of Object.values(sets)) assert.equal(new Set(part.map(({ text }) => text)).size, part.length);
});

test('one slip in a popular image, publisher or host of five letters and more is found, with what is meant', (context) => {
  const missed = sets.misspellings.filter((labelled) => !isFound(labelled));
  const recall = 1 - share(missed, sets.misspellings);
  context.diagnostic(`recall ${recall.toFixed(4)} of ${sets.misspellings.length}`);
  assert.ok(recall >= LEAST_RECALL, `${recall}: ${missed.map(({ text }) => text).join(' ')}`);
  for (const kind of new Set(sets.misspellings.map((labelled) => labelled.kind))) {
    const own = sets.misspellings.filter((labelled) => labelled.kind === kind);
    assert.ok(1 - share(own.filter((labelled) => !isFound(labelled)), own) >= LEAST_RECALL, kind);
  }
});

test('known impostors are found, with what is meant', () => {
  for (const labelled of sets.impostors) assert.ok(isFound(labelled), `${labelled.text}: ${JSON.stringify(judge(labelled.text, names).suspicions)}`);
});

test('names that are meant as they stand are left alone', (context) => {
  const alarms = sets.legitimate.filter(({ text }) => judge(text, names).suspicions.some(({ kind }) => !isHint(kind)));
  context.diagnostic(`false alarms ${share(alarms, sets.legitimate).toFixed(4)} of ${sets.legitimate.length}`);
  assert.ok(share(alarms, sets.legitimate) <= MOST_FALSE_ALARMS, alarms.map(({ text }) => text).join(' '));
});

test('real neighbours of official images are left alone, and so are the images', () => {
  for (const text of ['mongo', 'mono', 'node', 'nova/nova', 'php', 'pypy', 'mariadb', 'rust', 'ruby', 'acme/mssql', 'acme/httpx', 'acme/stork', 'acme/crane', 'acme/host', 'acme/mango', 'jetty', 'storm', 'swarm', 'swift', 'spark', 'solr']) {
    assert.deepEqual(judge(text, names).suspicions, [], text);
  }
});

test('each reason has a name of its own, with the part, the target and the evidence', () => {
  const expected: Readonly<Record<string, readonly [text: string, part: string, meant: string]>> = {
    'omission': ['ngix', 'repository', 'nginx'], 'repetition': ['postgress', 'repository', 'postgres'], 'transposition': ['ngnix:1', 'repository', 'nginx:1'], 'keyboard': ['pythom', 'repository', 'python'],
    'homoglyph': ['mar1adb', 'repository', 'mariadb'], 'bit-flip': ['retis', 'repository', 'redis'], 'separator': ['helloworld', 'repository', 'hello-world'], 'plural': ['pythons', 'repository', 'python'],
    'addition': ['pythonx', 'repository', 'python'], 'replacement': ['pythoz', 'repository', 'python'], 'combined-word': ['nginx-official', 'repository', 'nginx'], 'distant-misspelling': ['elasticsaerhc', 'repository', 'elasticsearch'],
    'other-name': ['mongodb', 'repository', 'mongo'], 'namespace-stolen': ['official/nginx', 'namespace', 'nginx'], 'namespace-dropped': ['grafana', 'namespace', 'grafana/grafana'], 'host-confused': ['ghrc.io/acme/app', 'host', 'ghcr.io/acme/app'],
    'host-as-namespace': ['ghcr/acme/app', 'host', 'ghcr.io/acme/app'], 'tag-misspelled': ['node:lastest', 'tag', 'node:latest'],
  };
  assert.deepEqual(Object.keys(expected).sort(), [...KINDS].sort());
  for (const [kind, [text, part, meant]] of Object.entries(expected)) {
    const [first] = judge(text, names).suspicions;
    assert.deepEqual([first?.kind, first?.part, first?.meant], [kind, part, meant], text);
    assert.ok(first !== undefined && first.score >= 0.5 && first.score <= 1 && first.why !== '' && first.weight >= 1);
  }
});

test('what is meant has the tag that was typed, and never the digest', () => {
  const digest = `sha256:${'0'.repeat(64)}`;
  for (const [text, meant] of [['ngnix', 'nginx'], ['ngnix:1', 'nginx:1'], [`ngnix@${digest}`, 'nginx'], [`ngnix:1@${digest}`, 'nginx:1'], ['docker.io/library/ngnix', 'nginx'], ['registry.example.com:5000/ngnix', 'registry.example.com:5000/nginx']] as const) {
    assert.equal(judge(text, names).suspicions[0]?.meant, meant, text);
  }
});

test('letters of other scripts are seen through, as they are typed and as a host name writes them', () => {
  for (const [text, meant] of [['ng\u0456nx', 'nginx'], ['\u0261hcr.io/acme/app:1', 'ghcr.io/acme/app:1'], ['bitn\u0430mi/redis', 'bitnami/redis'], [`${domainToASCII('\u0261hcr.io')}/acme/app`, 'ghcr.io/acme/app']] as const) {
    const [first] = judge(text, names).suspicions;
    assert.deepEqual([first?.kind, first?.meant], ['homoglyph', meant], text);
  }
  assert.throws(() => judge('\u0436\u0436\u0436', names), /cannot read the reference/);
});

test('the official images are those of the list that their maintainers publish, and the retired ones', () => {
  const published = readFileSync(new URL('official-images.txt', import.meta.url), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const [current = '', retired = ''] = IMAGE_NAMES.split('alias:')[0]?.split('# retired') ?? [];
  assert.deepEqual([...Names.parse(current).official.names()].sort(), [...published].sort());
  assert.deepEqual([...Names.parse(retired).official.names()].filter((name) => published.includes(name)), []);
  assert.match(readFileSync(new URL('../../src/squat/data-images.ts', import.meta.url), 'utf8'), /docker-library\/official-images/);
});
