/** What `pull`, `run`, `create`, `build` and `push` do about a name that may be a trap, and a registry that takes no name near another. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { caissonPath } from '../cli/caisson.ts';
import type { RunResult } from '../cli/caisson.ts';
import { makeContext } from '../build/harness.ts';
import { busyboxLayout, commandIn, peer } from '../images/fixtures.ts';
import { Scratch } from '../registry/servers.ts';
import type { TestRegistry } from '../registry/servers.ts';

const scratch = new Scratch('squat-policy');
const env = { CAISSON_HOME: scratch.path('store'), XDG_CONFIG_HOME: scratch.path('config') };
const { run, mustRun } = commandIn(env);
let registry: TestRegistry;
/** A slip, on a registry that has it all the same. */
let trap: string;
const WARNING = /^caisson: warning: did you mean "[^"]*\/team\/busybox(?::1)?"\? "bsuybox" is "busybox" with two letters swapped \(transposition\)$/m;
const REFUSAL = /cannot (?:pull|run|push|create|build on)[^\n]*"bsuybox" is "busybox" with two letters swapped \(transposition\) \(did you mean "[^\n]*--squat-allow/;

before(async () => {
  registry = await scratch.serve();
  trap = `${registry.host}/team/bsuybox:1`;
  await mustRun(['load', '-q', '-i', busyboxLayout(), '-t', 'busybox:1']);
  await mustRun(['push', '-q', '--squat', 'off', 'busybox:1', trap]);
});
after(() => scratch.clean());

async function forget(): Promise<void> {
  await run(['rmi', trap]);
}

function refused(result: RunResult, what: string): void {
  assert.notEqual(result.status, 0, what);
  assert.match(result.stderr, REFUSAL, what);
}

test('by default pull, run, create and push warn, and go on where nobody can be asked', async () => {
  for (const args of [['pull', '-q', trap], ['push', '-q', 'busybox:1', trap], ['run', '--rm', trap, 'true'], ['create', trap, 'true']]) {
    await forget();
    const result = await run(args);
    assert.equal(result.status, 0, result.stderr);
    assert.match(result.stderr, WARNING, args[0]);
    assert.equal(result.stderr.match(/did you mean/g)?.length, 1, args[0]);
  }
  const again = await run(['run', '--rm', trap, 'echo', 'here']);
  assert.deepEqual([again.stdout, again.stderr], ['here\n', '']);
  await mustRun(['container', 'prune', '-f']);
});

test('off says nothing, and what is allowed is not spoken of', async () => {
  const pattern = `${registry.host}/team/*`;
  const cases: readonly (readonly [flags: readonly string[], more: Readonly<Record<string, string>>])[] = [
    [['--squat', 'off'], {}], [['--squat', 'off'], { CAISSON_SQUAT: 'refuse' }], [[], { CAISSON_SQUAT: 'off' }], [['--squat-allow', pattern], {}], [['--squat', 'refuse', '--squat-allow', trap], {}],
    [[], { CAISSON_SQUAT_CONFIG: scratch.file('allow.json', JSON.stringify({ policy: 'refuse', allow: [pattern] })) }],
  ];
  for (const [flags, more] of cases) {
    await forget();
    const result = await run(['pull', '-q', ...flags, trap], { env: more });
    assert.deepEqual([result.status, result.stderr], [0, ''], flags.join(' '));
  }
});

test('refuse lets none of them use the name, fetched or here, by flag, environment and configuration', async () => {
  await forget();
  mkdirSync(scratch.path('config/caisson'), { recursive: true });
  const config = scratch.file('refuse.json', '{"policy": "refuse"}');
  refused(await run(['pull', '--squat', 'refuse', trap]), 'flag');
  refused(await run(['pull', trap], { env: { CAISSON_SQUAT: 'refuse' } }), 'environment');
  refused(await run(['pull', trap], { env: { CAISSON_SQUAT_CONFIG: config } }), 'configuration');
  const own = scratch.file('config/caisson/squat.json', '{"policy": "refuse"}');
  refused(await run(['pull', trap]), own);
  scratch.file('config/caisson/squat.json', '{}');
  assert.equal((await run(['images', '-q', trap])).stdout, '', 'nothing was fetched');
  refused(await run(['push', '--squat', 'refuse', 'busybox:1', trap]), 'push');
  refused(await run(['run', '--squat', 'refuse', trap, 'true']), 'run');
  await mustRun(['tag', 'busybox:1', trap]);
  refused(await run(['run', '--squat', 'refuse', trap, 'true']), 'run of one that is here');
  refused(await run(['create', '--squat', 'refuse', trap, 'true']), 'create');
});

test('build holds FROM and COPY --from against the names, and says the line', async () => {
  await mustRun(['tag', 'busybox:1', trap]);
  for (const [dockerfile, line] of [[`FROM ${trap}\n`, 1], [`FROM scratch\nCOPY --from=${trap} /bin/busybox /b\n`, 2]] as const) {
    const context = makeContext(scratch.directory, { dockerfile });
    assert.equal((await run(['build', '-q', context])).status, 0);
    const result = await run(['build', '--squat', 'refuse', context]);
    refused(result, dockerfile);
    assert.equal(result.status, 1);
    assert.match(result.stderr, new RegExp(`cannot build: Dockerfile:${line}: `));
    await forget();
    const fetched = await run(['build', '-q', '--no-cache', context]);
    assert.deepEqual([fetched.status, WARNING.test(fetched.stderr)], [0, true], fetched.stderr);
  }
});

test('at a terminal it asks, and only a yes goes on', async () => {
  const driver = fileURLToPath(new URL('../cli/terminal-driver.py', import.meta.url));
  const answer = (text: string, words: readonly string[]): { readonly shown: string; readonly status: number } => {
    const steps = [['expect', 'all the same\\? \\[y/N\\] '], ['send', text]];
    return JSON.parse(peer('/usr/bin/python3', [driver, JSON.stringify(steps), process.execPath, caissonPath, ...words], { env }).stdout) as { readonly shown: string; readonly status: number };
  };
  await forget();
  const no = answer('\r', ['pull', '-q', trap]);
  assert.match(no.shown, /warning: did you mean[^]*Pull "[^"]*" all the same\? \[y\/N\] [^]*did not pull/);
  assert.equal(no.status, 125);
  assert.equal((await run(['images', '-q', trap])).stdout, '');
  const yes = answer('y\r', ['run', '-q', '--rm', '-it', trap, 'sh', '-c', 'echo started']);
  assert.match(yes.shown, /started/);
  assert.equal(yes.status, 0);
});

test('a configuration that cannot be understood is named, and nothing is fetched', async () => {
  for (const [text, message] of [['{', /it is not JSON/], ['[]', /it is no object/], ['{"policy": "ask"}', /"policy" is one of warn, refuse, off/], ['{"alow": []}', /"alow" means nothing/], ['{"allow": [1]}', /"allow" is a list/], ['{"names": "/nowhere"}', /cannot read the names "\/nowhere": no such file/]] as const) {
    const result = await run(['pull', trap], { env: { CAISSON_SQUAT_CONFIG: scratch.file('wrong.json', text) } });
    assert.notEqual(result.status, 0);
    assert.match(result.stderr, message, text);
  }
  assert.match((await run(['pull', '--squat', 'ask', trap])).stderr, /cannot use --squat ask: it is one of warn, refuse, off/);
  assert.match((await run(['pull', trap], { env: { CAISSON_SQUAT: 'no' } })).stderr, /cannot use CAISSON_SQUAT no/);
});

test('a registry that is told so takes no new repository that is too near to one that is there, or to a well-known one', async () => {
  const config = scratch.file('registry.json', JSON.stringify({ newNames: { refuseNear: true, wellKnown: true, allow: ['lab/**'] } }));
  const strict = await scratch.serve(['--config', config]);
  const push = (name: string): Promise<RunResult> => run(['push', '-q', '--squat', 'off', 'busybox:1', `${strict.host}/${name}`]);
  assert.equal((await push('team/frontend:1')).status, 0);
  assert.equal((await push('team/frontend:2')).status, 0);
  for (const [name, near] of [['team/frontned', 'team/frontend'], ['team/front-end', 'team/frontend'], ['taem/frontend', 'team/frontend'], ['team/pyhton', 'team/python']] as const) {
    const result = await push(`${name}:1`);
    assert.notEqual(result.status, 0, name);
    assert.match(result.stderr, new RegExp(`a new repository "${name}" would be too near to "${near}"`), name);
  }
  for (const name of ['team/backend', 'lab/frontned', 'lab/pyhton', 'team/frontend2', 'mirror/python']) assert.equal((await push(`${name}:1`)).status, 0, name);
  const catalog = await (await fetch(`${strict.url}/v2/_catalog`)).json() as { readonly repositories: readonly string[] };
  assert.deepEqual(catalog.repositories, ['lab/frontned', 'lab/pyhton', 'mirror/python', 'team/backend', 'team/frontend', 'team/frontend2']);
  const manifest = await fetch(`${strict.url}/v2/team/frontned/manifests/1`, { method: 'PUT', headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: '{}' });
  assert.equal(manifest.status, 403);
  const wrong = await run(['registry', 'serve', '--config', scratch.file('wrong.json', '{"newNames": {"refuseNeer": true}}')]);
  assert.match(wrong.stderr, /has a field "refuseNeer", which means nothing \(did you mean "refuseNear"\?\)/);
});
