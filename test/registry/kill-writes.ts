/** A registry that is killed (SIGKILL) while clients push to it, again and again. Afterwards all that it has confirmed is there, whole. */
import assert from 'node:assert/strict';
import { commandIn } from '../images/fixtures.ts';
import type { TestBucket } from './buckets.ts';
import { OCI_MANIFEST, TestClient, json } from './client.ts';
import type { Scratch} from './servers.ts';
import { sha256 } from './servers.ts';

interface Confirmed {
  readonly path: string;
  readonly digest: string;
}

/** Pushes until the connection breaks; what was confirmed goes into the list. */
async function pushUntilKilled(url: string, writer: string, confirmed: Confirmed[]): Promise<void> {
  const client = new TestClient(url);
  try {
    for (let round = 0; ; round++) {
      const name = `crash/${writer}`;
      const config = await client.pushBlob(name, '{}', 'application/vnd.oci.empty.v1+json');
      const layer = await client.pushBlob(name, Buffer.alloc(20_000 + round * 5000, `${writer}.${round}`), 'application/vnd.oci.image.layer.v1.tar');
      confirmed.push({ path: `${name}/blobs/${layer.digest}`, digest: layer.digest });
      const { status, digest } = await client.pushManifest(name, `t${round % 3}`, JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [layer], annotations: { round: String(round) } }));
      if (status === 201) confirmed.push({ path: `${name}/manifests/${digest}`, digest });
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
  }
}

/** Every name of every repository leads to what it says. */
async function checkTags(client: TestClient): Promise<void> {
  for (const name of json<{ repositories: string[] }>(await client.ask('GET', '/v2/_catalog')).repositories) {
    for (const tag of json<{ tags: string[] }>(await client.ask('GET', `/v2/${name}/tags/list`)).tags) {
      const { status, headers, body } = await client.ask('GET', `/v2/${name}/manifests/${tag}`);
      assert.deepEqual([status, headers.get('docker-content-digest')], [200, sha256(body)], `${name}:${tag}`);
    }
  }
}

/** Now and then a fetch() of Node 20 whose peer was killed never ends, and nothing of it keeps the process alive; then nothing is confirmed either. */
async function ended(writers: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([writers, new Promise((resolve) => (timer = setTimeout(resolve, 2000)))]).finally(() => clearTimeout(timer));
}

/** `random`: numbers from 0 to 1; `bucket`: where everything is kept, if not in a directory. Answers how many writes were confirmed. @throws AssertionError */
export async function killWrites(scratch: Scratch, kills: number, random: () => number, { flags, env }: TestBucket = { flags: [], env: {} }): Promise<number> {
  const confirmed: Confirmed[] = [];
  let served = await scratch.serve(flags, { env });
  const { directory } = served;
  for (let kill = 0; kill < kills; kill++) {
    const writers = ['a', 'b', 'c'].map((name) => pushUntilKilled(served.url, `${name}${kill}`, confirmed));
    // A moment that does not depend on how fast the machine is: after some confirmed pushes, and a little.
    const enough = confirmed.length + Math.floor(random() * 10);
    for (const end = Date.now() + 10_000; confirmed.length < enough && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 2));
    await new Promise((resolve) => setTimeout(resolve, random() * 30));
    await served.stop('SIGKILL');
    await ended(Promise.all(writers));
    served = await scratch.serve(flags, { directory, env });
  }
  const client = new TestClient(served.url);
  for (const { path, digest } of confirmed) {
    const { status, body } = await client.ask('GET', `/v2/${path}`);
    assert.deepEqual([status, sha256(body)], [200, digest], path);
  }
  await checkTags(client);
  await served.stop();
  const scrubbed = await commandIn({ CAISSON_HOME: scratch.path('store'), ...env }).run(['registry', 'scrub', '--dir', directory, ...flags]);
  assert.equal(scrubbed.status, 0, scrubbed.stdout);
  return confirmed.length;
}
