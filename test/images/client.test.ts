/** The client's door to registries: TLS with authorities and certificates of one's own, credential helpers, and what is shown at a terminal. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { caissonPath, ownProcesses, until } from '../cli/caisson.ts';
import { busyboxLayout, commandIn, peer } from './fixtures.ts';
import { busyboxParts, honest, layoutBlob, registriesIn, registryOf } from './registry-testing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-client-'));
const env = { CAISSON_HOME: join(scratch, 'store'), DOCKER_CONFIG: join(scratch, 'docker') };
const { run, mustRun } = commandIn(env);
const { startRegistry, serve, stop } = registriesIn(scratch);
const file = (name: string): string => join(scratch, name);

/** An authority, and a certificate by it for each name. */
function makeCertificates(): void {
  const openssl = (...args: readonly string[]): void => void peer('openssl', args, { cwd: scratch });
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.pem');
  for (const [name, extension] of [['server', 'subjectAltName=IP:127.0.0.1'], ['client', 'extendedKeyUsage=clientAuth']] as const) {
    writeFileSync(file(`${name}.ext`), `${extension}\n`);
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${name}`, '-keyout', `${name}.key`, '-out', `${name}.csr`);
    openssl('x509', '-req', '-in', `${name}.csr`, '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
  }
}

before(async () => {
  mkdirSync(env.DOCKER_CONFIG);
  makeCertificates();
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('an authority of one\'s own is trusted where it is named, and only there', async () => {
  const registry = await startRegistry(`  tls:\n    certificate: ${file('server.pem')}\n    key: ${file('server.key')}\n`);
  assert.match((await run(['push', 'busybox:1', `${registry}/box:1`])).stderr, /^caisson: cannot push "busybox:1": /m);
  assert.match((await run(['push', '--cert', file('client.pem'), '--key', file('client.key'), 'busybox:1', `${registry}/box:1`])).stderr, /its certificate is not trusted: name its authority with --cacert/);
  await mustRun(['push', '--cacert', file('ca.pem'), '-q', 'busybox:1', `${registry}/box:1`]);
  assert.equal(await mustRun(['pull', '--cacert', file('ca.pem'), '-q', `${registry}/box:1`]), await mustRun(['pull', '--cacert', file('ca.pem'), '-q', `${registry}/box:1`]));
  // What run and build get from a registry, and where a build keeps its steps.
  const own = { ...env, CAISSON_HOME: file('other-store') };
  const other = commandIn(own);
  assert.equal((await other.run(['run', `${registry}/box:1`, 'true'])).status, 125);
  assert.equal(await other.mustRun(['run', '--cacert', file('ca.pem'), `${registry}/box:1`, 'echo', 'it runs']), 'it runs\n');
  writeFileSync(file('Dockerfile'), `FROM ${registry}/box:1\nRUN echo built > /built\n`);
  const build = ['build', '--progress', 'plain', '-t', 'built:1', '--cacert', file('ca.pem'), '--cache-from', `${registry}/box:cache`, '--cache-to', `${registry}/box:cache`, '-f', file('Dockerfile'), env.DOCKER_CONFIG];
  await other.mustRun(build);
  rmSync(own.CAISSON_HOME, { recursive: true });
  assert.equal((await other.run(build.filter((word) => word !== '--cacert' && word !== file('ca.pem')))).status, 1);
  assert.match(await other.run(build).then(({ stderr }) => stderr), /RUN echo built > \/built\n#\d+ CACHED\n[^]*\ncache written to /);
  assert.match((await run(['pull', '--cacert', file('nowhere'), `${registry}/box:1`])).stderr, /^caisson: cannot use --cacert .*no such file/m);
  assert.match((await run(['pull', '--cacert', '/etc/passwd', `${registry}/box:1`])).stderr, /^caisson: cannot /m);
});

test('a certificate of one\'s own says who one is', async () => {
  const registry = await startRegistry(`  tls:\n    certificate: ${file('server.pem')}\n    key: ${file('server.key')}\n    clientcas:\n      - ${file('ca.pem')}\n`);
  const refused = await run(['push', '--cacert', file('ca.pem'), 'busybox:1', `${registry}/box:1`]);
  assert.equal(refused.status, 125);
  assert.match(refused.stderr, /cannot push "busybox:1": 127\.0\.0\.1:\d+ does not answer/);
  await mustRun(['push', '--cacert', file('ca.pem'), '--cert', file('client.pem'), '--key', file('client.key'), '-q', 'busybox:1', `${registry}/box:1`]);
});

/** A credential helper as Docker's (docker-credential-helpers): it keeps one secret in a file, and notes what it was asked. */
function makeHelper(): void {
  const path = file('docker-credential-test');
  writeFileSync(path, `#!/bin/sh
echo "$1" >> ${file('asked')}
case $1 in
  store) cat > ${file('secret')} ;;
  get) test -f ${file('secret')} || { echo "credentials not found in native keychain"; exit 1; }; sed 's/"ServerURL":"[^"]*",//' ${file('secret')} ;;
  erase) rm -f ${file('secret')} ;;
esac
`);
  chmodSync(path, 0o755);
}

test('a credential helper keeps and gives the password; config.json holds none', async () => {
  makeHelper();
  writeFileSync(file('htpasswd'), peer('htpasswd', ['-Bbn', 'me', 'secret']).stdout);
  const registry = await startRegistry(`auth:\n  htpasswd:\n    realm: test\n    path: ${file('htpasswd')}\n`);
  const config = join(env.DOCKER_CONFIG, 'config.json');
  writeFileSync(config, JSON.stringify({ credHelpers: { [registry]: 'test' }, other: 'stays' }));
  const settings = { env: { PATH: `${scratch}:/usr/bin:/bin` } };
  assert.match((await run(['push', 'busybox:1', `${registry}/box:1`], settings)).stderr, /wants to know who you are/);
  assert.equal(await mustRun(['login', '-u', 'me', '--password-stdin', registry], { ...settings, input: 'secret\n' }), 'Login Succeeded\n');
  assert.deepEqual(JSON.parse(readFileSync(config, 'utf8')), { credHelpers: { [registry]: 'test' }, other: 'stays', auths: { [registry]: {} } });
  assert.deepEqual(JSON.parse(readFileSync(file('secret'), 'utf8')), { ServerURL: registry, Username: 'me', Secret: 'secret' });
  await mustRun(['push', '-q', 'busybox:1', `${registry}/box:1`], settings);
  assert.match(await mustRun(['logout', registry], settings), /Removed/);
  assert.match((await run(['pull', `${registry}/box:1`], settings)).stderr, /wants to know who you are/);
  assert.deepEqual(readFileSync(file('asked'), 'utf8').trim().split('\n'), ['get', 'store', 'get', 'erase', 'get']);
  const missing = await run(['pull', `${registry}/box:1`], { env: { PATH: '/usr/bin:/bin' } });
  assert.match(missing.stderr, /^caisson: cannot log in to .*: the credential helper docker-credential-test cannot be run/m);
  rmSync(config);
});

test('at a terminal each blob has a line that is drawn again, with bytes and speed', async () => {
  const parts = busyboxParts();
  const bytes = layoutBlob(parts.layer);
  const answers = honest(parts);
  answers.set(`GET /v2/x/blobs/${parts.layer}`, (_, response) => {
    response.writeHead(200, { 'content-length': bytes.length });
    const step = Math.ceil(bytes.length / 4);
    const send = (at: number): void => void (at >= bytes.length ? response.end() : response.write(bytes.subarray(at, at + step), () => setTimeout(send, 200, at + step)));
    setTimeout(send, 300, 0);
  });
  const registry = await registryOf(serve, answers);
  const driver = fileURLToPath(new URL('../cli/terminal-driver.py', import.meta.url));
  const short = parts.layer.slice(7, 19);
  const size = `${Number((bytes.length / (bytes.length >= 1e6 ? 1e6 : 1e3)).toPrecision(3))}${bytes.length >= 1e6 ? 'MB' : 'kB'}`;
  const steps = [['expect', `${short}: waiting 0 s`], ['expect', `\x1b\\[1A\x1b\\[2K${short}: [0-9.]+[kM]B of ${size}, [0-9.]+[kM]B/s`], ['expect', `${short}: pulled ${size} in [0-9.]+ s`], ['expect', `x@sha256:`]];
  const command = [driver, JSON.stringify(steps), process.execPath, caissonPath, 'pull', `${registry}/x:1`];
  const { stdout } = await promisify(execFile)('/usr/bin/python3', command, { env: { PATH: '/usr/bin:/bin', HOME: '/', TERM: 'xterm', ...env, CAISSON_HOME: file('drawn') }, maxBuffer: 1 << 24 });
  const { failure, status, shown } = JSON.parse(stdout) as { failure: string; status: number; shown: string };
  assert.equal(failure, '', shown);
  assert.equal(status, 0, shown);
});

const preparers = (home: string): readonly number[] => ownProcesses('--preparing-process', `CAISSON_HOME=${home}`);

test('what a pull leaves behind it makes the layer ready, and ends; a container does not wait longer than for that, nor is lost with it', async () => {
  const registry = await startRegistry();
  mkdirSync(file('large'));
  writeFileSync(file('large/noise'), randomBytes(24 * 2 ** 20));
  copyFileSync('/bin/busybox', file('large/busybox'));
  peer('tar', ['-czf', file('large.tar.gz'), '-C', file('large'), '.']);
  const name = `${registry}/large:1`;
  await mustRun(['import', file('large.tar.gz'), name]);
  await mustRun(['push', '-q', name]);
  for (const [what, before] of [
    ['nothing', () => undefined],
    ['off', (home: string) => assert.deepEqual([readdirSync(join(home, 'layers')).length, preparers(home)], [2, []])],
    ['waited for', (home: string) => assert.deepEqual([readdirSync(join(home, 'layers')).length, preparers(home)], [2, []])],
    ['ready', (home: string) => until(() => readdirSync(join(home, 'layers')).length === 2 && preparers(home).length === 0, 'the layer is not made ready')],
    ['killed', (home: string) => preparers(home).forEach((id) => process.kill(id, 'SIGKILL'))],
  ] as const) {
    const home = file(`pulled-${what.replace(' ', '-')}`);
    const own = commandIn({ ...env, CAISSON_HOME: home, CAISSON_BACKGROUND: what === 'off' ? 'off' : '' });
    assert.match(await own.mustRun(['pull', '-q', ...(what === 'waited for' ? ['--wait'] : []), name]), /@sha256:[0-9a-f]{64}\n$/);
    await before(home);
    assert.deepEqual(await own.run(['run', '--rm', '--pull', 'never', '-q', name, '/busybox', 'sha256sum', '/noise']), { status: 0, signal: null, stdout: peer('sha256sum', ['/noise'.replace('/', `${file('large')}/`)]).stdout.replace(file('large'), ''), stderr: '' }, what);
    await until(() => preparers(home).length === 0, 'it does not end');
    await own.mustRun(['system', 'prune', '-f']);
    assert.match(await own.mustRun(['system', 'check']), /: clean/, what);
    assert.deepEqual(readdirSync(join(home, 'tmp')), [], what);
  }
});
