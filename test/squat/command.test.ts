/** `caisson squat`, as a user runs it: names, projects, names near names, watching a registry; formats, exit statuses, ignore files. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { busyboxLayout, commandIn } from '../images/fixtures.ts';
import { Scratch } from '../registry/servers.ts';

const scratch = new Scratch('squat');
const env = { CAISSON_HOME: scratch.path('store'), XDG_CONFIG_HOME: scratch.path('config') };
const { run, mustRun } = commandIn(env);
after(() => scratch.clean());

interface JsonReport {
  readonly findings: readonly { readonly rule: string; readonly subject: string; readonly severity: string; readonly score: number; readonly meant: string; readonly message: string; readonly place?: { readonly file: string; readonly line: number }; readonly change?: string; readonly evidence: readonly { readonly name: string; readonly value: string }[] }[];
  readonly ignored: readonly { readonly subject: string; readonly ignored: { readonly reason: string; readonly until?: string } }[];
  readonly summary: Readonly<Record<string, number>>;
}

async function json(args: readonly string[], status: number, input?: string): Promise<JsonReport> {
  const result = await run(['squat', '--format', 'json', ...args], input === undefined ? {} : { input });
  assert.equal(result.status, status, result.stderr);
  return JSON.parse(result.stdout) as JsonReport;
}

test('squat says what is likely meant; 0 for nothing found, 1 for something, 2 for what cannot be read', async () => {
  const clean = await run(['squat', 'nginx', 'ghcr.io/acme/app:1']);
  assert.deepEqual([clean.status, clean.stdout, clean.stderr], [0, 'nothing is known against them\n', '']);
  const found = await run(['squat', 'ngnix:1', 'ghrc.io/acme/app']);
  assert.equal(found.status, 1);
  assert.match(found.stdout, /^SEVERITY .*\nhigh +0\.89 +transposition +ngnix:1 +did you mean "nginx:1"\? .*\nhigh +0\.92 +host-confused +ghrc\.io\/acme\/app .*"ghcr\.io\/acme\/app"\? .*\n2 findings: 2 high\n$/);
  const wrong = await run(['squat', 'Nginx', 'ngnix']);
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /^caisson: cannot read the reference "Nginx"/);
  assert.match(wrong.stdout, /ngnix/);
  for (const args of [[], ['--scan', '/nowhere'], ['--scan', '.', 'nginx'], ['--format', 'xml', 'nginx'], ['--fail-on', 'all', 'nginx'], ['--generate', '--scan', '.'], ['--names', '/nowhere', 'nginx'], ['--kind', 'omision', '--generate', 'nginx'], ['--rate', '0', 'nginx', '--lookup'], ['--watch', '/nowhere'], ['--nope'], ['--state', 'x', 'nginx']]) {
    const result = await run(['squat', ...args]);
    assert.equal(result.status, 2, args.join(' '));
    assert.match(result.stderr, /^caisson: cannot [^\n]*\n$/, args.join(' '));
  }
});

test('names come from standard input as well; hints alone do not fail, and --fail-on says what does', async () => {
  const { findings, summary } = await json(['-'], 1, '# ours\nngnix\n\nacme/pyhton  # twice\nmongodb\nnginx\n');
  assert.deepEqual(findings.map(({ subject, severity, meant }) => [subject, severity, meant]), [['ngnix', 'high', 'nginx'], ['acme/pyhton', 'medium', 'acme/python'], ['mongodb', 'info', 'mongo']]);
  assert.deepEqual(summary, { info: 1, low: 0, medium: 1, high: 1, critical: 0 });
  await json(['mongodb'], 0);
  await json(['--fail-on', 'info', 'mongodb'], 1);
  await json(['--fail-on', 'critical', 'ngnix'], 0);
  await json(['--fail-on', 'never', 'ngnix'], 0);
  assert.deepEqual((await json(['--kind', 'omission,host-confused', 'ngnix', 'ngix'], 1)).findings.map(({ subject }) => subject), ['ngix']);
});

test('what is allowed is no finding; what an ignore file names is told, until its day is over', async () => {
  assert.deepEqual((await json(['--allow', 'acme/*', 'acme/pyhton'], 0)).findings, []);
  assert.deepEqual((await json(['--allow', 'docker.io/library/ngnix:*', 'ngnix'], 0)).findings, []);
  const ignore = scratch.file('ignore', 'transposition ngnix until 2999-12-31 -- our own\n* acme/* until 2020-01-01 -- old\nomission nothing -- unused\n');
  const result = await run(['squat', '--format', 'json', '--ignore-file', ignore, 'ngnix', 'acme/pyhton']);
  assert.equal(result.status, 1);
  assert.match(result.stderr, /ignore:2: expired on 2020-01-01.*\n.*ignore:3: "omission nothing" is for nothing/);
  const { findings, ignored } = JSON.parse(result.stdout) as JsonReport;
  assert.deepEqual([findings.map(({ subject }) => subject), ignored.map(({ subject, ignored: { reason, until } }) => [subject, reason, until])], [['acme/pyhton'], [['ngnix', 'our own', '2999-12-31']]]);
  const wrong = await run(['squat', '--ignore-file', scratch.file('wrong', 'omission ngix\n'), 'ngix']);
  assert.deepEqual([wrong.status, /line 1: it gives no reason/.test(wrong.stderr)], [2, true]);
});

test('the list of names can be printed, changed and put in the place of the one that is built in', async () => {
  const printed = await mustRun(['squat', '--print-names']);
  assert.match(printed, /^official 3:\n {2}alpine /m);
  const own = scratch.file('names', `${printed}\nofficial 3: caissonette\n`);
  await json(['--names', own, 'caissonete'], 1);
  await json(['--names', own, 'ngnix'], 1);
  await json(['caissonete'], 0);
  await json(['--names', scratch.file('few', 'official: alpha\n'), 'ngnix'], 0);
});

test('SARIF, Markdown and HTML have the finding with its place, and nothing that is not text', async () => {
  const file = scratch.path('report.html');
  const sarif = JSON.parse((await run(['squat', '--format', 'sarif', '--report', file, '--scan', project])).stdout) as { version: string; runs: [{ tool: { driver: { rules: { id: string }[] } }; results: { ruleId: string; ruleIndex: number; level: string; locations: [{ physicalLocation: { artifactLocation: { uri: string }; region: { startLine: number; snippet: { text: string } } } }] }[] }] };
  const { tool: { driver: { rules } }, results } = sarif.runs[0];
  assert.ok(results.every(({ ruleId, ruleIndex }) => rules[ruleIndex]?.id === ruleId));
  const first = results.find(({ locations: [{ physicalLocation: { artifactLocation: { uri } } }] }) => uri === 'Dockerfile');
  assert.deepEqual([first?.level, first?.locations[0].physicalLocation.region], ['error', { startLine: 3, endLine: 3, snippet: { text: 'FROM ngnix:1.27 AS web' } }]);
  const html = readFileSync(file, 'utf8');
  assert.match(html, /^<!doctype html>[^]*Content-Security-Policy[^]*<code>ngnix:1\.27<\/code>[^]*<pre>FROM ngnix:1\.27 AS web<\/pre>[^]*<\/html>\n$/);
  assert.doesNotMatch(html, /<script|https?:\/\//);
  assert.match((await run(['squat', '--format', 'markdown', 'ngnix'])).stdout, /^## caisson squat: ngnix\n\n1 finding: 1 high\n\n\| Severity \| Rule /);
});

const project = scratch.path('project');
cpSync(fileURLToPath(new URL('project', import.meta.url)), project, { recursive: true });

/** Every reference that is planted, with its place. */
const PLANTED = `.github/workflows/ci.yml:3 noed:20, .github/workflows/ci.yml:6 postgers:16, .github/workflows/ci.yml:8 alpien:3, .github/workflows/ci.yml:13 hashicrop/terraform:1.8,
  Dockerfile:3 ngnix:1.27, Dockerfile:4 pyhton:3.12, Dockerfile:6 ghrc.io/astral-sh/uv:0.4, Dockerfile:7 bsuybox, docker/api.Dockerfile:1 node:20-alpne, Makefile:1 ubunut:22.04, Makefile:3 hapoxy:2,
  chart/templates/deployment.yaml:4 telegarf:1.30, chart/templates/deployment.yaml:5 memcahed, chart/values.yaml:3 docker.io/grafanna/grafana:10.4, chart/values.yaml:7 elasticsaerch:8, chart/values.yaml:12 alpnie:3,
  ci/.gitlab-ci.yml:1 golagn:1.22, ci/.gitlab-ci.yml:8 mysqll:8, ci/.gitlab-ci.yml:10 debain:12, ci/Jenkinsfile:2 mavne:3, ci/Jenkinsfile:4 gradel:8, ci/Jenkinsfile:5 openjkd:21,
  compose.yaml:3 postgress:16, compose.yaml:5 bitnmai/redis, compose.yaml:10 rabitmq, k8s/list.json:2 mariabd:11, k8s/pod.yaml:5 k8s.gcr.io/pause:3.9, k8s/pod.yaml:10 quay.oi/prometheus/node-exporter,
  scripts/deploy:2 traeifk:v3, scripts/run.sh:3 tomact:10, scripts/run.sh:4 httpdd:2.4, scripts/run.sh:5 quay.io/fedora/fedroa, scripts/run.sh:7 wordpres:6, scripts/run.sh:8 couhcdb:3`.split(/,\s+/).sort();

test('--scan finds each reference of a project, with its file and line, and nothing else', async () => {
  mkdirSync(join(project, 'node_modules/x'), { recursive: true });
  writeFileSync(join(project, 'node_modules/x/a.yaml'), 'image: ngnix\n');
  symlinkSync('/', join(project, 'root'));
  const { findings } = await json(['--scan', project], 1);
  assert.deepEqual(findings.map(({ subject, place }) => `${place?.file}:${place?.line} ${subject}`).sort(), PLANTED);
  assert.deepEqual((await json(['--scan', join(project, 'compose.yaml')], 1)).findings.length, 3);
  const clean = await run(['squat', '--scan', join(project, 'chart/templates/deployment.yaml'), '--allow', 'telegarf*', '--allow', 'memcahed']);
  assert.deepEqual([clean.status, clean.stdout], [0, '2 references in 1 file, and nothing is known against them\n']);
});

test('nothing in a name, a file or its name steers the terminal', async () => {
  const directory = scratch.path('hostile');
  mkdirSync(directory);
  const name = Buffer.concat([Buffer.from(`${directory}/\x1b[31mDocker\u202e\n`), Buffer.from([0xff, 0x9b]), Buffer.from('.yaml')]);
  writeFileSync(name, 'image: ngnix # \x1b]0;x\x07\u009b31m\n');
  for (const format of ['table', 'markdown', 'json', 'sarif']) {
    const { stdout, stderr, status } = await run(['squat', '--format', format, '--scan', directory]);
    assert.equal(status, 1, stderr);
    assert.match(stdout, /ngnix/);
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, format);
  }
  for (const text of ['ng\x1b[31minx', 'a\u202eb', '\x9b31m', `${'a'.repeat(5000)}\x07`]) {
    const { stdout, stderr, status } = await run(['squat', text]);
    assert.equal(status, 2);
    assert.doesNotMatch(stdout + stderr, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/, JSON.stringify(text));
  }
});

test('--generate lists names near one, by kind', async () => {
  const text = await mustRun(['squat', '--generate', 'redis']);
  assert.match(text, /^transposition +erdis$/m);
  assert.match(text, /^namespace-stolen +official\/redis$/m);
  const lines = (await mustRun(['squat', '--generate', '--kind', 'omission', 'ghcr.io/acme/app'])).trimEnd().split('\n');
  assert.ok(lines.length > 5 && lines.every((line) => line.startsWith('omission ')));
  const { findings } = await json(['--generate', '--kind', 'plural', '--allow', 'rediss', 'redis'], 0);
  assert.deepEqual(findings.map(({ rule, subject }) => [rule, subject]), [['plural', 'redi']]);
});

test('--watch tells what is there near our names, and what has changed since the last time', async () => {
  const registry = await scratch.serve(['--audit-log', scratch.path('audit')]);
  await mustRun(['load', '-q', '-i', busyboxLayout(), '-t', 'busybox:1']);
  await mustRun(['import', scratch.file('empty.tar', new Uint8Array(1024)), 'other:1']);
  const push = (image: string, name: string): Promise<string> => mustRun(['push', '-q', '--squat', 'off', image, `${registry.host}/${name}`]);
  await push('busybox:1', 'team/app:1');
  await push('busybox:1', 'team/apps:latest');
  const watched = scratch.file('ours.txt', `# ours\n${registry.host}/team/app\n`);
  const watch = (status: number): Promise<JsonReport> => json(['--watch', watched, '--rate', '9999', '--kind', 'plural,omission,transposition'], status);
  const first = await watch(1);
  assert.deepEqual(first.findings.map(({ rule, subject, severity, change }) => [rule, subject, severity, change]), [['plural', `${registry.host}/team/apps`, 'high', 'new']]);
  assert.ok(existsSync(`${watched}.seen.json`));
  assert.deepEqual((await watch(0)).findings.map(({ severity, change }) => [severity, change]), [['info', 'same']]);
  await push('other:1', 'team/apps:latest');
  await push('busybox:1', 'taem/app:2');
  assert.deepEqual((await watch(1)).findings.map(({ subject, change }) => [subject, change]), [[`${registry.host}/taem/app`, 'new'], [`${registry.host}/team/apps`, 'changed']]);
  await registry.stop();
  const down = await run(['squat', '--watch', watched, '--kind', 'plural', '--rate', '9999']);
  assert.deepEqual([down.status, down.stdout], [2, '']);
  const spoiled = await run(['squat', '--watch', watched, '--state', scratch.file('state', '{}')]);
  assert.deepEqual([spoiled.status, /cannot use the state .*remove it to begin anew/.test(spoiled.stderr)], [2, true]);
});

test('--lookup adds what the registry says: whether it is there, its age, its signature', async () => {
  const registry = await scratch.serve();
  await mustRun(['load', '-q', '-i', busyboxLayout(), '-t', 'busybox:1']);
  await mustRun(['push', '-q', '--squat', 'off', 'busybox:1', `${registry.host}/team/pyhton:1`]);
  const { findings } = await json(['--lookup', '--rate', '9999', `${registry.host}/team/pyhton:1`], 1);
  const evidence = new Map(findings[0]?.evidence.map(({ name, value }) => [name, value]));
  assert.match(evidence.get(`${registry.host}/team/pyhton:1`) ?? '', /^it is there \(sha256:[0-9a-f]{12}\), made \d{4}-\d\d-\d\d, \d+ days ago, not signed$/);
  assert.equal(evidence.get(`${registry.host}/team/python:1`), 'nothing is there');
  assert.deepEqual([evidence.get('part'), evidence.get('distance'), evidence.get('popularity')], ['repository', '1 edit', 'very well known']);
});
