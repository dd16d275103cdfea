/** Pull and push, by the built command, with Debian's docker-registry and skopeo, and with registries that lie. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { busyboxLayout, commandIn, kindsLayout, manifestDigest, peer } from './fixtures.ts';
import { busyboxParts, honest, layoutBlob, registriesIn, registryOf as registryFrom, sha256 } from './registry-testing.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-registry-'));
const env = { CAISSON_HOME: join(scratch, 'store'), DOCKER_CONFIG: join(scratch, 'docker') };
const { run, mustRun } = commandIn(env);
const { startRegistry, serve, stop } = registriesIn(scratch);


const registryOf = (answers: Parameters<typeof registryFrom>[1]): Promise<string> => registryFrom(serve, answers);
let registry = '';

before(async () => {
  mkdirSync(env.DOCKER_CONFIG);
  registry = await startRegistry();
});

after(() => {
  stop();
  rmSync(scratch, { recursive: true, force: true });
});

test('what skopeo pushed is pulled and runs; what is pushed is read by skopeo; digests agree', async () => {
  for (const [layout, name] of [[busyboxLayout(), 'busybox:1'], [kindsLayout(), 'kinds:30']] as const) {
    peer('skopeo', ['copy', '--quiet', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout}:${name}`, `docker://${registry}/in/${name}`]);
    const digest = manifestDigest(layout);
    assert.equal(await mustRun(['pull', `${registry}/in/${name}`]), `${registry}/in/${name.split(':')[0]}@${digest}\n`);
    assert.equal(await mustRun(['push', `${registry}/in/${name}`, `${registry}/out/${name}`]), `${registry}/out/${name.split(':')[0]}@${digest}\n`);
    assert.equal((JSON.parse(peer('skopeo', ['inspect', '--tls-verify=false', `docker://${registry}/out/${name}`]).stdout) as { Digest: string }).Digest, digest);
    peer('skopeo', ['copy', '--quiet', '--src-tls-verify=false', `docker://${registry}/out/${name}`, `oci:${join(scratch, 'back')}:${name}`]);
  }
  assert.equal(await mustRun(['run', '-q', `${registry}/in/busybox:1`, 'echo', 'pulled']), 'pulled\n');
  assert.match((await run(['pull', `${registry}/in/busybox:1`])).stderr, /is there already/);
  assert.equal(await mustRun(['inspect', '-f', '{{index .RepoDigests 0}}', `${registry}/in/busybox:1`]), `${registry}/in/busybox@${manifestDigest(busyboxLayout())}\n`);
  assert.match(await mustRun(['images', '-q', `${registry}/in/busybox`]), /^[0-9a-f]{12}\n$/);
  assert.equal(await mustRun(['pull', '-q', `${registry}/in/busybox@${manifestDigest(busyboxLayout())}`], { env: { CAISSON_HOME: join(scratch, 'by-digest') } }), `${registry}/in/busybox@${manifestDigest(busyboxLayout())}\n`);
});

test('what came from another repository of the registry is mounted, not sent', async () => {
  await mustRun(['pull', '-q', `${registry}/in/busybox:1`]);
  const { status, stderr } = await run(['push', `${registry}/in/busybox:1`, `${registry}/mounted/busybox:1`]);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /mounted from another repository/);
  assert.doesNotMatch(stderr, /: pushed/);
  assert.equal((JSON.parse(peer('skopeo', ['inspect', '--tls-verify=false', `docker://${registry}/mounted/busybox:1`]).stdout) as { Digest: string }).Digest, manifestDigest(busyboxLayout()));
});

test('run gets an image that is not here', async () => {
  assert.equal(await mustRun(['run', `${registry}/in/busybox:1`, 'echo', 'got'], { env: { CAISSON_HOME: join(scratch, 'fresh') } }), 'got\n');
  assert.match((await run(['run', '--pull', 'never', `${registry}/in/busybox:1`, 'true'], { env: { CAISSON_HOME: join(scratch, 'never') } })).stderr, /there is no image/);
});

test('a mirror is asked first, and the registry where it does not have the image', async () => {
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  await mustRun(['push', '-q', 'busybox:1', `${registry}/mirrored/box:1`]);
  const fresh = { env: { CAISSON_HOME: join(scratch, 'mirrored') } };
  // Nobody answers where the name leads: the image came from the mirror, and has the name that was asked for.
  assert.equal(await mustRun(['pull', '-q', '--mirror', '127.0.0.1:1', '--mirror', registry, 'localhost:2/mirrored/box:1'], fresh), `localhost:2/mirrored/box@${manifestDigest(busyboxLayout())}\n`);
  assert.equal(await mustRun(['images', '--format', '{{.Repository}}:{{.Tag}}'], fresh), 'localhost:2/mirrored/box:1\n');
  await mustRun(['pull', '-q', '--mirror', await startRegistry(), `${registry}/mirrored/box:1`], fresh);
  await mustRun(['pull', '-q', 'docker.io/mirrored/box:1'], { env: { ...fresh.env, CAISSON_MIRRORS: registry } });
  assert.match((await run(['pull', '--mirror', 'http://x', `${registry}/mirrored/box:1`], fresh)).stderr, /cannot use the mirror "http:\/\/x": it is no HOST\[:PORT\]/);
});

test('schema 2 and an index keep their bytes', async () => {
  peer('skopeo', ['copy', '--quiet', '--format', 'v2s2', '--dest-tls-verify=false', `oci:${busyboxLayout()}:busybox:1`, `docker://${registry}/v2/box:1`]);
  const raw = peer('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${registry}/v2/box:1`]).stdout;
  await mustRun(['pull', '-q', `${registry}/v2/box:1`]);
  await mustRun(['push', '-q', `${registry}/v2/box:1`, `${registry}/v2/again:1`]);
  assert.equal(peer('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${registry}/v2/again:1`]).stdout, raw);
  const manifest = Buffer.from(raw);
  const index = JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [
    { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: manifestDigest(busyboxLayout()), size: readFileSync(join(busyboxLayout(), 'blobs/sha256', manifestDigest(busyboxLayout()).slice(7))).length, platform: { os: 'linux', architecture: 'arm64' } },
    { mediaType: 'application/vnd.docker.distribution.manifest.v2+json', digest: sha256(manifest), size: manifest.length, platform: { os: 'linux', architecture: 'amd64' } },
  ] });
  peer('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', `oci:${busyboxLayout()}:busybox:1`, `docker://${registry}/v2/box:arm`]);
  const put = await fetch(`http://${registry}/v2/v2/box/manifests/both`, { method: 'PUT', headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' }, body: index });
  assert.equal(put.status, 201);
  assert.equal(await mustRun(['pull', '-q', `${registry}/v2/box:both`]), `${registry}/v2/box@${sha256(Buffer.from(index))}\n`);
  assert.equal(await mustRun(['inspect', '-f', '{{.Manifest.Digest}}', `${registry}/v2/box:both`]), `${sha256(manifest)}\n`);
  assert.match((await run(['pull', '--platform', 'linux/s390x', `${registry}/v2/box:both`])).stderr, /nothing for linux\/s390x \(it has linux\/arm64, linux\/amd64\)/);
});

test('login: with the right password, the wrong one, and none', async () => {
  const password = peer('htpasswd', ['-Bbn', 'me', 'pass:word']).stdout.trim();
  const file = join(scratch, 'htpasswd');
  writeFileSync(file, `${password}\n`);
  const closed = await startRegistry(`auth:\n  htpasswd:\n    realm: test\n    path: ${file}\n`);
  const reference = `${closed}/private/box:1`;
  assert.match((await run(['pull', reference])).stderr, /cannot pull ".*": 127\.0\.0\.1:\d+ wants to know who you are \(log in with "caisson login 127\.0\.0\.1:\d+"\)/);
  assert.match((await run(['login', '-u', 'me', '--password-stdin', closed], { input: 'wrong' })).stderr, /name or the password is wrong/);
  assert.equal(await mustRun(['login', '-u', 'me', '--password-stdin', closed], { input: 'pass:word\n' }), 'Login Succeeded\n');
  await mustRun(['load', '-q', '-i', busyboxLayout()]);
  await mustRun(['push', '-q', 'busybox:1', reference]);
  peer('skopeo', ['inspect', '--tls-verify=false', '--authfile', join(env.DOCKER_CONFIG, 'config.json'), `docker://${reference}`]);
  await mustRun(['pull', '-q', reference]);
  assert.match(await mustRun(['logout', closed]), /Removed/);
  assert.notEqual((await run(['pull', reference])).status, 0);
});

test('a registry that lies is found out, and nothing stays behind', async () => {
  const parts = busyboxParts();
  const layerBytes = layoutBlob(parts.layer);
  const spoiled = Buffer.from(layerBytes);
  spoiled[spoiled.length - 5]! ^= 0xff;
  const other = Buffer.from(parts.manifest.toString().replace('"schemaVersion":2', '"schemaVersion":2 '));
  type Answer = (request: IncomingMessage, response: ServerResponse) => void;
  const cases: readonly (readonly [what: string, path: string, answer: Answer, message: RegExp, reference?: string])[] = [
    ['a spoiled layer', `GET /v2/x/blobs/${parts.layer}`, (_, response) => void response.end(spoiled), /is not what it should be|spoiled/],
    ['a layer that goes on', `GET /v2/x/blobs/${parts.layer}`, (_, response) => void response.end(Buffer.concat([layerBytes, Buffer.alloc(100_000)])), /longer than the \d+ bytes/],
    ['a layer without an end', `GET /v2/x/blobs/${parts.layer}`, (_, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        response.once('drain', more);
      };
      more();
    }, /longer than the \d+ bytes|spoiled|checksum|tar archive/],
    ['a web page for a layer', `GET /v2/x/blobs/${parts.layer}`, (_, response) => void response.end('<html>'.padEnd(layerBytes.length, ' ')), /checksum|tar archive|not what it should be/],
    ['another configuration', `GET /v2/x/blobs/${parts.config}`, (_, response) => void response.end('{}'), /ends after 2 of \d+ bytes/],
    ['a web page for a manifest', 'GET /v2/x/manifests/1', (_, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'), /answers with a web page/],
    ['no JSON', 'GET /v2/x/manifests/1', (_, response) => void response.end('hello'), /it is not JSON/],
    ['a manifest without an end', 'GET /v2/x/manifests/1', (_, response) => void response.end(Buffer.alloc(5_000_000, ' ')), /manifest is longer than/],
    ['a manifest and index at once', 'GET /v2/x/manifests/1', (_, response) => void response.end('{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}'), /manifest and an index at once/],
    ['schema 1', 'GET /v2/x/manifests/1', (_, response) => void response.end('{"schemaVersion":1,"fsLayers":[]}'), /schema 1/],
    ['a digest that does not fit', 'GET /v2/x/manifests/1', (_, response) => void response.writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end(parts.manifest), /is not what it should be/],
    ['another manifest than was asked for', `GET /v2/x/manifests/${sha256(parts.manifest)}`, (_, response) => void response.end(other), /is not what it should be/, `x@${sha256(parts.manifest)}`],
    ['redirects in a circle', 'GET /v2/x/manifests/1', (_, response) => void response.writeHead(307, { location: '/v2/x/manifests/1' }).end(), /redirects more than 5 times/],
    ['a refusal', 'GET /v2/x/manifests/1', (_, response) => void response.writeHead(403).end('{"errors":[{"code":"DENIED"}]}'), /does not let you read x/],
    ['nothing of the name', 'GET /v2/x/manifests/2', () => {}, /x:none is not in 127/, 'x:none'],
    ['a token from a place that is not encrypted', 'GET /v2/x/manifests/1', (_, response) => void response.writeHead(401, { 'www-authenticate': 'Bearer realm="http://203.0.113.1/token",service="s"' }).end(), /not encrypted/],
  ];
  for (const [what, path, answer, message, reference = 'x:1'] of cases) {
    const host = await registryOf(new Map([...honest(parts), [path, answer]]));
    const home = mkdtempSync(join(scratch, 'lies-'));
    const { stderr, status } = await run(['pull', '-q', `${host}/${reference}`], { env: { CAISSON_HOME: home } });
    assert.equal(status, 125, `${what}: ${stderr}`);
    assert.match(stderr, message, what);
    assert.match(stderr, /^caisson: cannot [^\n]*\n$/, what);
    assert.deepEqual(readdirSync(join(home, 'tmp')), [], what);
    assert.deepEqual(readdirSync(join(home, 'images')), [], what);
    assert.equal(existsSync(join(home, 'layers', `${parts.layer.slice(7)}.tar`)), false);
  }
});

test('a broken connection is resumed, a busy registry asked again, a redirect followed without credentials, a token fetched', async () => {
  const parts = busyboxParts();
  const layerBytes = layoutBlob(parts.layer);
  let busy = 0;
  const ranges: (string | undefined)[] = [];
  const elsewhere: (string | undefined)[] = [];
  const storage = await serve((request, response) => {
    elsewhere.push(request.headers.authorization);
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
    ranges.push(request.headers.range);
    response.writeHead(start === 0 ? 200 : 206);
    if (ranges.length < 3) response.write(layerBytes.subarray(start, start + 100_000), () => response.destroy());
    else response.end(layerBytes.subarray(start));
  });
  const asked: string[] = [];
  const tokens = await serve((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    response.end('{"token":"good"}');
  });
  const answers = honest(parts);
  answers.set(`GET /v2/x/blobs/${parts.layer}`, (_, response) => void response.writeHead(307, { location: `http://${storage}/layer` }).end());
  const inner = answers;
  const host = await serve((request, response) => {
    if (request.headers.authorization !== 'Bearer good') response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${tokens}/token",service="reg",scope="repository:x:pull"` }).end();
    else if (busy++ < 2) response.writeHead(busy === 1 ? 429 : 503, { 'retry-after': '0' }).end();
    else inner.get(`${request.method} ${request.url}`)?.(request, response);
  });
  mkdirSync(join(scratch, 'token-config'));
  writeFileSync(join(scratch, 'token-config/config.json'), JSON.stringify({ auths: { [host]: { auth: Buffer.from('me:secret').toString('base64') } } }));
  const settings = { env: { CAISSON_HOME: join(scratch, 'resumed'), DOCKER_CONFIG: join(scratch, 'token-config') } };
  const { stderr, status } = await run(['pull', `${host}/x:1`], settings);
  assert.equal(status, 0, stderr);
  assert.match(stderr, /answers 429; trying again/);
  const starts = ranges.map((range) => (range === undefined ? 0 : Number(/^bytes=(\d+)-$/.exec(range)?.[1])));
  assert.equal(starts.length, 3);
  assert.ok(starts[0] === 0 && starts[1]! > 0 && starts[2]! > starts[1]!, starts.join());
  assert.deepEqual(elsewhere, [undefined, undefined, undefined]);
  assert.deepEqual(asked, [`/token?service=reg&scope=repository%3Ax%3Apull Basic ${Buffer.from('me:secret').toString('base64')}`]);
  assert.equal(await mustRun(['run', `${host}/x:1`, 'echo', 'whole'], settings), 'whole\n');
});
