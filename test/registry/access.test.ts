/** Who may do what: passwords, rules, tokens, certificates, tenants; with our client and with Docker's family of clients. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { after, before, test } from 'node:test';
import { SignJWT, exportSPKI, generateKeyPair } from 'jose';
import { busyboxLayout, commandIn, peer } from '../images/fixtures.ts';
import { TestClient, codesOf, json } from './client.ts';
import { Scratch, freePort, sha256 } from './servers.ts';
import type { TestRegistry } from './servers.ts';

const scratch = new Scratch('registry-access');
const { run, mustRun } = commandIn({ CAISSON_HOME: scratch.path('store'), DOCKER_CONFIG: scratch.path('docker') });
const USERS = { ann: 'ann:secret', bob: 'b\u00f6b', ci: 'ci-secret' };
type User = keyof typeof USERS;
let htpasswd = '';
let config = '';

const basic = (name: string, password: string): Readonly<Record<string, string>> => ({ authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });
const as = ({ url }: { readonly url: string }, user?: User): TestClient => new TestClient(url, user === undefined ? {} : basic(user, USERS[user]));

before(async () => {
  mkdirSync(scratch.path('docker'));
  htpasswd = scratch.file('htpasswd', Object.entries(USERS).map(([name, password]) => peer('htpasswd', ['-Bbn', '-C', '5', name, password]).stdout.trim()).join('\n'));
  config = scratch.file('rules.json', JSON.stringify({
    groups: { builders: ['ci'] },
    access: [
      { repositories: ['home/{user}/**'], users: ['*'], actions: ['pull', 'push', 'delete'] },
      { repositories: ['public/**'], anonymous: true, actions: ['pull'] },
      { repositories: ['public/**', 'team/*'], users: ['@builders'], actions: ['pull', 'push'] },
    ],
  }));
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
});

after(() => scratch.clean());

test('a file of passwords that is none is refused, with the line', async () => {
  for (const [content, message] of [['ann:plain', /line 1: its hash is not of bcrypt \(make it with "htpasswd -B"\)/], ['# users\nann', /line 2: it is not NAME:HASH/]] as const) {
    const { stderr, status } = await run(['registry', 'serve', '--listen', '127.0.0.1:0', '--dir', scratch.path('none'), '--htpasswd', scratch.file('bad', content)]);
    assert.equal(status, 125);
    assert.match(stderr, message);
  }
});

test('mistakes in the rules are named with their place', async () => {
  const cases: readonly (readonly [object: unknown, message: RegExp])[] = [
    [{ acces: [] }, /has a field "acces", which means nothing \(did you mean "access"\?\)/],
    [{ access: [{ repositories: ['a'], users: ['x'], actions: ['pul'] }] }, /access\[0\]\.actions\[0\] is "pul" \(did you mean "pull"\?\)/],
    [{ access: [{ repositories: ['a'], users: ['@x'], actions: ['pull'] }] }, /access\[0\]\.users\[0\] is "@x", and there is no such group/],
    [{ access: [{ repositories: ['a'], actions: ['pull'] }] }, /access\[0\] is for nobody/],
    [{ retention: [{ repositories: ['a'], olderThan: 'long' }] }, /retention\[0\]\.olderThan is "long", and must be such as 30d/],
    [{ quotas: [{ repositories: 'a', size: '1g' }] }, /quotas\[0\]\.repositories must be a list/],
  ];
  for (const [document, message] of cases) {
    const { stderr, status } = await run(['registry', 'serve', '--listen', '127.0.0.1:0', '--dir', scratch.path('none'), '--config', scratch.file('bad.json', JSON.stringify(document))]);
    assert.equal(status, 125, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^caisson: cannot use the configuration "[^\n]*\n$/);
  }
});

test('with passwords: login, push and pull by our client, skopeo and podman; a wrong password and none are refused', async () => {
  const closed = await scratch.serve(['--htpasswd', htpasswd]);
  const reference = `${closed.host}/private/box:1`;
  assert.match((await run(['push', '-q', 'busybox:1', reference])).stderr, /wants to know who you are \(log in with "caisson login/);
  assert.match((await run(['login', '-u', 'ann', '--password-stdin', closed.host], { input: 'wrong' })).stderr, /name or the password is wrong/);
  assert.equal(await mustRun(['login', '-u', 'ann', '--password-stdin', closed.host], { input: USERS.ann }), 'Login Succeeded\n');
  await mustRun(['push', '-q', 'busybox:1', reference]);
  await mustRun(['pull', '-q', reference]);
  peer('skopeo', ['inspect', '--tls-verify=false', '--creds', `bob:${USERS.bob}`, `docker://${reference}`]);
  peer('podman', ['login', '--tls-verify=false', '--authfile', scratch.path('podman.json'), '-u', 'ci', '-p', USERS.ci, closed.host]);
  peer('skopeo', ['copy', '-q', '--src-tls-verify=false', '--authfile', scratch.path('podman.json'), `docker://${reference}`, `oci:${scratch.path('out')}:box`]);
  assert.throws(() => peer('skopeo', ['inspect', '--tls-verify=false', `docker://${reference}`]), /authentication required|unauthorized/i);
  const nobody = await as(closed).ask('GET', '/v2/');
  assert.deepEqual([nobody.status, codesOf(nobody), nobody.headers.get('www-authenticate')], [401, ['UNAUTHORIZED'], 'Basic realm="Caisson registry", charset="UTF-8"']);
});

/** What each user gets for each action: the whole table of the rules. */
async function checkRules(client: (user?: User) => TestClient, refusals: readonly number[]): Promise<void> {
  await client('ci').pushImage('public/tools', '1', 'public');
  await client('ann').pushImage('home/ann/app', '1', 'ann only');
  const { digest } = await client('ci').pushImage('team/app', '1', 'team');
  const cases: readonly (readonly [user: User | undefined, method: string, path: string, allowed: boolean])[] = [
    [undefined, 'GET', 'public/tools/manifests/1', true], [undefined, 'GET', 'team/app/manifests/1', false], [undefined, 'POST', 'public/tools/blobs/uploads/', false],
    ['ann', 'GET', 'public/tools/manifests/1', true], ['ann', 'POST', 'public/tools/blobs/uploads/', false], ['ann', 'GET', 'team/app/manifests/1', false], ['ann', 'GET', 'home/ann/app/tags/list', true],
    ['bob', 'GET', 'home/ann/app/manifests/1', false], ['bob', 'HEAD', 'home/ann/app/manifests/none', false], ['bob', 'POST', 'home/ann/app/blobs/uploads/', false], ['bob', 'POST', 'home/bob/app/blobs/uploads/', true],
    ['bob', 'DELETE', 'home/ann/app/manifests/1', false], ['ci', 'GET', 'team/app/manifests/1', true], ['ci', 'DELETE', `team/app/manifests/${digest}`, false], ['ci', 'GET', 'team/app/deeper/manifests/1', false],
  ];
  for (const [user, method, path, allowed] of cases) {
    const { status } = await client(user).ask(method, `/v2/${path}`);
    assert.equal(status < 400, allowed, `${user ?? 'nobody'} ${method} ${path}: ${status}`);
    if (!allowed) assert.ok(refusals.includes(status), `${user ?? 'nobody'} ${method} ${path}: ${status}`);
  }
}

test('rules per repository and action, and what nobody in particular may do', async () => {
  const ruled = await scratch.serve(['--htpasswd', htpasswd, '--config', config]);
  await checkRules((user) => as(ruled, user), [401, 403]);
  const seen = await Promise.all(([undefined, 'ann', 'bob', 'ci'] as const).map(async (user) => json<{ repositories: string[] }>(await as(ruled, user).ask('GET', '/v2/_catalog')).repositories));
  assert.deepEqual(seen, [['public/tools'], ['home/ann/app', 'public/tools'], ['public/tools'], ['public/tools', 'team/app']]);
});

test('tenants do not see each other: not by guessing digests, not by mounts, and the answers do not tell what is there', async () => {
  const ruled = await scratch.serve(['--htpasswd', htpasswd, '--config', config]);
  const [ann, bob] = [as(ruled, 'ann'), as(ruled, 'bob')];
  const { layer, digest } = await ann.pushImage('home/ann/app', '1', 'the secret of ann');
  await bob.pushImage('home/bob/app', '1', 'bob has something, too');
  for (const path of [`blobs/${layer.digest}`, `manifests/${digest}`, `referrers/${digest}`]) {
    const own = await bob.ask('GET', `/v2/home/bob/app/${path}`);
    assert.ok(own.status === 404 || json<{ manifests?: unknown[] }>(own).manifests?.length === 0, path);
  }
  const mounted = await bob.ask('POST', `/v2/home/bob/app/blobs/uploads/?mount=${layer.digest}&from=home/ann/app`);
  assert.equal(mounted.status, 202);
  const manifest = await bob.pushManifest('home/bob/app', 'stolen', JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: layer, layers: [layer] }));
  assert.deepEqual([manifest.status, codesOf(manifest)], [404, ['MANIFEST_BLOB_UNKNOWN']]);
  const answers = await Promise.all([`home/ann/app/blobs/${layer.digest}`, `home/ann/app/blobs/${sha256('nothing')}`, 'home/ann/none/tags/list', 'home/nobody/x/manifests/1'].map((path) => bob.ask('GET', `/v2/${path}`)));
  assert.deepEqual([...new Set(answers.map(({ status, body }) => `${status} ${body.toString()}`))], ['403 {"errors":[{"code":"DENIED","message":"bob may not pull here"}]}']);
  assert.equal((await ann.ask('POST', `/v2/home/ann/other/blobs/uploads/?mount=${layer.digest}&from=home/ann/app`)).status, 201);
});

/** Asks for a token as Docker's clients do: with the challenge of the first answer. */
async function tokenFor(url: string, user: User | undefined, scope: string): Promise<string> {
  const answer = await as({ url }, user).ask('GET', `/token?service=caisson-registry&scope=${encodeURIComponent(scope)}`);
  assert.equal(answer.status, 200, answer.body.toString());
  return json<{ token: string }>(answer).token;
}

const claimsOf = (token: string): { sub: string; exp: number; iat: number; access: { name: string; actions: string[] }[] } => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as ReturnType<typeof claimsOf>;

test('with tokens: the challenge, what a token allows, and no more', async () => {
  const issuing = await scratch.serve(['--htpasswd', htpasswd, '--config', config, '--token-auth']);
  const challenge = await as(issuing).ask('PUT', '/v2/team/app/manifests/1');
  assert.equal(challenge.headers.get('www-authenticate'), `Bearer realm="${issuing.url}/token",service="caisson-registry",scope="repository:team/app:pull,push"`);
  const token = await tokenFor(issuing.url, 'ci', 'repository:team/app:pull,push,delete repository:home/ann/app:pull');
  const { sub, exp, iat, access } = claimsOf(token);
  assert.deepEqual([sub, exp - iat, access], ['ci', 300, [{ type: 'repository', name: 'team/app', actions: ['pull', 'push'] }]]);
  const bearer = (text: string): TestClient => new TestClient(issuing.url, { authorization: `Bearer ${text}` });
  await bearer(token).pushImage('team/app', '1', 'by token');
  assert.equal((await bearer(token).ask('GET', '/v2/public/tools/tags/list')).status, 401);
  assert.equal((await bearer(await tokenFor(issuing.url, undefined, 'repository:team/app:pull')).ask('GET', '/v2/team/app/manifests/1')).status, 401);
  assert.equal((await bearer(await tokenFor(issuing.url, undefined, '')).ask('GET', '/v2/')).status, 200);
  assert.equal((await as(issuing, 'ann').ask('GET', '/token', { headers: basic('ann', 'wrong') })).status, 401);
  const [head, body, signature = ''] = token.split('.');
  const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
  const richer = Buffer.from(JSON.stringify({ ...claimsOf(token), sub: 'ann' })).toString('base64url');
  for (const forged of [`${none}.${body}.`, `${head}.${richer}.${signature}`, `${head}.${body}.${signature.slice(0, -2)}AA`, 'x', 'a.b.c']) assert.equal((await bearer(forged).ask('GET', '/v2/team/app/manifests/1')).status, 401, forged);
  await checkRules((user) => as(issuing, user), [401, 403]);
});

test('with tokens: our client, skopeo and podman, also as nobody in particular; tokens outlive a restart', async () => {
  const issuing = await scratch.serve(['--htpasswd', htpasswd, '--config', config, '--token-auth']);
  await mustRun(['login', '-u', 'ci', '--password-stdin', issuing.host], { input: USERS.ci });
  await mustRun(['push', '-q', 'busybox:1', `${issuing.host}/public/box:1`]);
  await mustRun(['pull', '-q', `${issuing.host}/public/box:1`]);
  await mustRun(['push', '-q', `${issuing.host}/public/box:1`, `${issuing.host}/team/box:1`]);
  peer('skopeo', ['copy', '-q', '--src-tls-verify=false', `docker://${issuing.host}/public/box:1`, `oci:${scratch.path('nobody')}:box`]);
  peer('skopeo', ['copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false', '--dest-creds', `ann:${USERS.ann}`, `docker://${issuing.host}/public/box:1`, `docker://${issuing.host}/home/ann/box:1`]);
  peer('skopeo', ['delete', '--tls-verify=false', '--creds', `ann:${USERS.ann}`, `docker://${issuing.host}/home/ann/box:1`]);
  assert.throws(() => peer('skopeo', ['inspect', '--tls-verify=false', `docker://${issuing.host}/team/box:1`]), /denied|unauthorized|authentication required/i);
  const token = await tokenFor(issuing.url, 'ci', 'repository:team/box:pull');
  await issuing.stop();
  const again = await scratch.serve(['--htpasswd', htpasswd, '--config', config, '--token-auth'], { directory: issuing.directory });
  assert.equal((await new TestClient(again.url, { authorization: `Bearer ${token}` }).ask('GET', '/v2/team/box/manifests/1')).status, 200);
});

test('a key of RSA signs by RS256; tokens of an outer issuer are taken, those of others are not', async () => {
  const rsa = scratch.file('rsa.pem', execFileSync('openssl', ['genpkey', '-quiet', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']));
  const signing = await scratch.serve(['--htpasswd', htpasswd, '--token-key', rsa]);
  const token = await tokenFor(signing.url, 'ann', 'repository:a:pull,push');
  assert.equal((JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { alg: string }).alg, 'RS256');
  await new TestClient(signing.url, { authorization: `Bearer ${token}` }).pushBlob('a', 'signed');
  const [ours, others] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')];
  const outer = await scratch.serve(['--token-realm', 'https://auth.example/token', '--token-issuer', 'auth.example', '--token-service', 'reg', '--token-keys', scratch.file('keys.pem', await exportSPKI(ours.publicKey))]);
  const sign = (key: typeof ours.privateKey, issuer: string, audience: string, seconds: number): Promise<string> => new SignJWT({ access: [{ type: 'repository', name: 'a', actions: ['pull', 'push'] }] }).setProtectedHeader({ alg: 'ES256', kid: 'x' }).setIssuer(issuer).setAudience(audience).setSubject('zoe').setExpirationTime(Math.floor(Date.now() / 1000) + seconds).sign(key);
  assert.equal((await as(outer).ask('GET', '/v2/')).headers.get('www-authenticate'), 'Bearer realm="https://auth.example/token",service="reg"');
  await new TestClient(outer.url, { authorization: `Bearer ${await sign(ours.privateKey, 'auth.example', 'reg', 60)}` }).pushBlob('a', 'from outside');
  for (const wrong of [await sign(others.privateKey, 'auth.example', 'reg', 60), await sign(ours.privateKey, 'other', 'reg', 60), await sign(ours.privateKey, 'auth.example', 'other', 60), await sign(ours.privateKey, 'auth.example', 'reg', -60)]) {
    assert.equal((await new TestClient(outer.url, { authorization: `Bearer ${wrong}` }).ask('GET', '/v2/a/tags/list')).status, 401);
  }
});

/** An authority, and certificates that it has signed. */
function certificates(): { readonly authority: string; readonly server: readonly [string, string]; readonly client: readonly [string, string] } {
  const openssl = (...args: readonly string[]): void => void execFileSync('openssl', args, { stdio: 'pipe' });
  const [authority, authorityKey] = [scratch.path('ca.pem'), scratch.path('ca.key')];
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', authorityKey, '-out', authority, '-subj', '/CN=Test authority', '-days', '2');
  const sign = (name: string, extra: string): readonly [string, string] => {
    const [key, request_, certificate] = [scratch.path(`${name}.key`), scratch.path(`${name}.csr`), scratch.path(`${name}.pem`)];
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', request_, '-subj', `/CN=${name}`);
    openssl('x509', '-req', '-in', request_, '-CA', authority, '-CAkey', authorityKey, '-CAcreateserial', '-out', certificate, '-days', '2', '-extfile', scratch.file(`${name}.ext`, extra));
    return [certificate, key];
  };
  return { authority, server: sign('localhost', 'subjectAltName=DNS:localhost,IP:127.0.0.1'), client: sign('ann', 'extendedKeyUsage=clientAuth') };
}

test('TLS, and certificates of clients: their common name is the user', async () => {
  const { authority, server, client } = certificates();
  const tls = await scratch.serve(['--tls-cert', server[0], '--tls-key', server[1], '--client-ca', authority, '--config', config], { scheme: 'https' });
  const flags = ['--cacert', authority, '--cert', client[0], '--key', client[1]];
  await mustRun(['push', '-q', ...flags, 'busybox:1', `${tls.host}/home/ann/box:1`]);
  await mustRun(['pull', '-q', ...flags, `${tls.host}/home/ann/box:1`]);
  assert.match((await run(['push', '-q', ...flags, 'busybox:1', `${tls.host}/home/bob/box:1`])).stderr, /does not let you (read|write) home\/bob\/box/);
  assert.match((await run(['pull', '-q', '--cacert', authority, `${tls.host}/home/ann/box:1`])).stderr, /does not answer/);
  mkdirSync(scratch.path('certs.d'));
  for (const [name, file] of [['ca.crt', authority], ['client.cert', client[0]], ['client.key', client[1]]] as const) writeFileSync(scratch.path(`certs.d/${name}`), readFileSync(file));
  peer('skopeo', ['inspect', '--cert-dir', scratch.path('certs.d'), `docker://${tls.host}/home/ann/box:1`]);
});

test('TLS without certificates of clients, and passwords with them', async () => {
  const { authority, server } = certificates();
  const tls = await scratch.serve(['--tls-cert', server[0], '--tls-key', server[1], '--client-ca', authority, '--htpasswd', htpasswd], { scheme: 'https' });
  const status = await new Promise<number | undefined>((resolve, reject) => {
    request(`${tls.url}/v2/`, { agent: new Agent({ ca: readFileSync(authority) }), headers: basic('ann', USERS.ann) }, (response) => resolve(response.resume().statusCode)).on('error', reject).end();
  });
  assert.equal(status, 200);
});

test('wrong passwords are counted for each address, requests for each user', async () => {
  const limited = await scratch.serve(['--htpasswd', htpasswd, '--rate-limit', '5']);
  const asks = await Promise.all(Array.from({ length: 30 }, () => as(limited, 'ann').ask('GET', '/v2/')));
  const refused = asks.filter(({ status }) => status === 429);
  assert.ok(refused.length > 0 && refused.length < 30, String(refused.length));
  assert.deepEqual([codesOf(refused[0]!), refused[0]?.headers.get('retry-after')], [['TOOMANYREQUESTS'], '1']);
  const wrong = new TestClient(limited.url, basic('bob', 'wrong'));
  const statuses: number[] = [];
  for (let attempt = 0; attempt < 12; attempt++) statuses.push((await wrong.ask('GET', '/v2/')).status);
  assert.deepEqual(statuses, [...Array.from({ length: 10 }, () => 401), 429, 429]);
});

test('its files are read again on SIGHUP; a mistake in them leaves all as it was', async () => {
  const users = scratch.file('changing', readFileSync(htpasswd));
  const served: TestRegistry = await scratch.serve(['--htpasswd', users]);
  const until = async (text: string): Promise<void> => {
    for (let attempt = 0; attempt < 100 && !served.output().includes(text); attempt++) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(served.output().includes(text), served.output());
  };
  assert.equal((await as(served, 'ann').ask('GET', '/v2/')).status, 200);
  writeFileSync(users, 'ann:broken\n');
  served.child.kill('SIGHUP');
  await until('goes on as before: cannot use --htpasswd');
  assert.equal((await as(served, 'ann').ask('GET', '/v2/')).status, 200);
  writeFileSync(users, peer('htpasswd', ['-Bbn', 'zoe', 'new']).stdout);
  served.child.kill('SIGHUP');
  await until('read its files again');
  assert.equal((await as(served, 'ann').ask('GET', '/v2/')).status, 401);
  assert.equal((await new TestClient(served.url, basic('zoe', 'new')).ask('GET', '/v2/')).status, 200);
});

test('who listens for others without users is told', async () => {
  const open = await scratch.serve(['--listen', `0.0.0.0:${await freePort()}`]);
  assert.match(open.output(), /everybody who reaches this address may push and delete/);
});
