/** Killed at any moment, the registry loses nothing that it has confirmed; large blobs do not fill its memory. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { peer } from '../images/fixtures.ts';
import { randomFrom } from '../images/random.ts';
import { TestClient } from './client.ts';
import { killWrites } from './kill-writes.ts';
import { Scratch, sha256 } from './servers.ts';

const scratch = new Scratch('registry-crash');
const KILLS = 25;

after(() => scratch.clean());

test(`killed at ${KILLS} random moments: all that was confirmed is there, and the bytes are what their digests say`, async () => {
  assert.ok(await killWrites(scratch, KILLS, randomFrom(7)) > KILLS);
});

test('an upload goes on after the registry was killed, where its bytes ended', async () => {
  const first = await scratch.serve();
  const whole = Buffer.alloc(300_000, 'upload ');
  const begun = await new TestClient(first.url).ask('PATCH', await new TestClient(first.url).begin('a/b'), { headers: { 'content-range': '0-99999' }, body: whole.subarray(0, 100_000) });
  await first.stop('SIGKILL');
  const second = await scratch.serve([], { directory: first.directory });
  const client = new TestClient(second.url);
  const status = await client.ask('GET', begun.headers.get('location') ?? '');
  assert.deepEqual([status.status, status.headers.get('range')], [204, '0-99999']);
  const done = await client.ask('PUT', client.ending(status.headers.get('location') ?? '', sha256(whole)), { headers: { 'content-range': '100000-299999' }, body: whole.subarray(100_000) });
  assert.equal(done.status, 201, done.body.toString());
  assert.ok((await client.ask('GET', `/v2/a/b/blobs/${sha256(whole)}`)).body.equals(whole));
});

test('an upload whose connection breaks keeps what came', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const whole = Buffer.alloc(400_000, 'broken ');
  const location = await client.begin('a/b');
  await new Promise<void>((resolve) => {
    const sending = request(new URL(location, served.url), { method: 'PATCH', headers: { 'content-length': whole.length, 'content-type': 'application/octet-stream' } });
    sending.on('error', () => resolve());
    sending.write(whole.subarray(0, 200_000), () => setTimeout(() => sending.destroy(), 200));
  });
  let size = 0;
  for (let attempt = 0; attempt < 50 && size === 0; attempt++) {
    const { status, headers } = await client.ask('GET', location);
    assert.equal(status, 204);
    size = Number(/^0-(\d+)$/.exec(headers.get('range') ?? '')?.[1]) + 1;
    if (size === 1) size = 0;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(size, 200_000);
  assert.equal((await client.ask('PUT', client.ending(location, sha256(whole)), { headers: { 'content-range': '200000-399999' }, body: whole.subarray(200_000) })).status, 201);
  assert.equal(served.output(), `listening on ${served.url}\n`);
});

test('without room a push is refused, nothing of it stays, and it succeeds when there is room', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const before = await client.pushImage('a', '1', 'there before');
  const limit = (bytes: string): void => void peer('prlimit', ['--pid', String(served.child.pid), `--fsize=${bytes}`]);
  const large = Buffer.alloc(100_000, 'large');
  limit('4096:');
  for (const [method, headers] of [['PUT', {}], ['PATCH', { 'content-range': '0-99999' }]] as const) {
    const location = await client.begin('a');
    const { status, body } = await client.ask(method, method === 'PUT' ? client.ending(location, sha256(large)) : location, { headers, body: large });
    assert.deepEqual([status, body.toString()], [507, '{"errors":[{"code":"UNKNOWN","message":"the disk of the registry is full"}]}']);
  }
  const { status } = await client.pushManifest('a', '2', JSON.stringify({ ...JSON.parse(before.text) as object, annotations: { large: 'x'.repeat(5000) } }));
  assert.equal(status, 507);
  assert.match(served.output(), /cannot write ".*": EFBIG/);
  assert.deepEqual([readdirSync(join(served.directory, 'tmp')), readdirSync(join(served.directory, 'repositories/a/_uploads'))], [[], []]);
  assert.equal((await client.ask('GET', '/v2/a/manifests/1')).body.toString(), before.text);
  limit('unlimited:');
  await client.pushBlob('a', large);
  assert.equal((await client.ask('GET', `/v2/a/blobs/${sha256(large)}`)).body.length, large.length);
});

const agent = new Agent({ keepAlive: true });

/** Sends or gets so many bytes without holding them. */
function move(method: 'PUT' | 'GET', url: string, size: number): Promise<number> {
  const piece = Buffer.alloc(1 << 16, 'x');
  return new Promise((resolve, reject) => {
    const moving = request(url, { method, agent, headers: method === 'PUT' ? { 'content-length': size, 'content-type': 'application/octet-stream' } : {} }, (response) => {
      let got = 0;
      response.on('data', (chunk: Buffer) => (got += chunk.length)).on('end', () => resolve(method === 'PUT' ? (response.statusCode ?? 0) : got)).on('error', reject);
    }).on('error', reject);
    let left = method === 'PUT' ? size : 0;
    const more = (): void => {
      while (left > 0) {
        const part = piece.subarray(0, Math.min(left, piece.length));
        left -= part.length;
        if (!moving.write(part)) {
          moving.once('drain', more);
          return;
        }
      }
      moving.end();
    };
    more();
  });
}

const residentBytes = (pid: number | undefined, field: 'VmRSS' | 'VmHWM'): number => Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

test('16 clients that send and get 100 MB each: its memory does not grow with them', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const size = 100_000_000;
  const hash = createHash('sha256');
  for (let left = size; left > 0; left -= 1 << 16) hash.update(Buffer.alloc(Math.min(left, 1 << 16), 'x'));
  const digest = `sha256:${hash.digest('hex')}`;
  const names = Array.from({ length: 16 }, (_, index) => `large/${index}`);
  const sent = await Promise.all(names.map(async (name) => move('PUT', client.ending(await client.begin(name), digest), size)));
  assert.deepEqual([...new Set(sent)], [201]);
  const got = await Promise.all(names.map((name) => move('GET', `${served.url}/v2/${name}/blobs/${digest}`, size)));
  assert.deepEqual([...new Set(got)], [size]);
  const most = residentBytes(served.child.pid, 'VmHWM');
  assert.ok(most < 200 * 2 ** 20, `${Math.round(most / 2 ** 20)} MiB`);
  agent.destroy();
});
