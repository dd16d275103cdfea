/** Webhooks: what receivers get, when they are away, when they refuse, and when the registry is killed in between. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { TestClient } from './client.ts';
import { Scratch, freePort } from './servers.ts';
import type { TestRegistry } from './servers.ts';

interface Event {
  readonly id: string;
  readonly timestamp: string;
  readonly action: string;
  readonly target: { readonly repository: string; readonly digest?: string; readonly tag?: string; readonly mediaType?: string; readonly size?: number; readonly url?: string };
  readonly request: { readonly method: string; readonly addr: string };
  readonly actor: { readonly name?: string };
}

interface Got {
  readonly event: Event;
  readonly type: string | undefined;
  readonly signature: string | undefined;
  readonly body: string;
}

const scratch = new Scratch('webhooks');
const servers: Server[] = [];
after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  scratch.clean();
});

/** `status`: of the answer to each event; what was answered with 200 is in `got`. */
async function receiver(port = 0, status: () => number = () => 200): Promise<{ readonly url: string; readonly got: Got[] }> {
  const got: Got[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text)).on('end', () => {
      const answer = status();
      if (answer === 200) got.push({ event: (JSON.parse(body) as { events: [Event] }).events[0], type: request.headers['content-type'], signature: request.headers['x-hub-signature-256'] as string | undefined, body });
      response.writeHead(answer).end();
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, got };
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = Date.now() + 60_000; !condition() && Date.now() < end;) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(condition());
}

let files = 0;
const config = (...webhooks: readonly object[]): string => scratch.file(`config-${files++}.json`, JSON.stringify({ webhooks }));
const waiting = ({ directory }: TestRegistry, name: string): readonly string[] => readdirSync(join(directory, 'events', name));

test('a push and the deletion of a tag and of a manifest are told to those who want to know, signed', async () => {
  const [all, team] = [await receiver(), await receiver()];
  const secret = scratch.file('secret', 'hush\n');
  const served = await scratch.serve(['--config', config({ name: 'all', url: all.url, secretFile: secret }, { name: 'team', url: team.url, repositories: ['team/**'], actions: ['delete'] })]);
  const client = new TestClient(served.url);
  const { digest, text } = await client.pushImage('team/app', '1', 'one');
  await client.pushImage('other', '1', 'two');
  for (const reference of ['1', digest]) assert.equal((await client.ask('DELETE', `/v2/team/app/manifests/${reference}`)).status, 202);
  await until(() => all.got.length === 4 && team.got.length === 2);
  const told = ({ event: { action, target } }: Got): readonly unknown[] => [action, target.repository, target.tag, target.digest];
  assert.deepEqual(all.got.filter(({ event }) => event.target.repository === 'team/app').map(told), [['push', 'team/app', '1', digest], ['delete', 'team/app', '1', undefined], ['delete', 'team/app', undefined, digest]]);
  assert.deepEqual(team.got.map(told), [['delete', 'team/app', '1', undefined], ['delete', 'team/app', undefined, digest]]);
  const [{ event, body, signature, type }] = all.got as [Got];
  assert.deepEqual([event.target.size, event.target.mediaType, event.target.url], [text.length, 'application/vnd.oci.image.manifest.v1+json', `${served.url}/v2/team/app/manifests/${digest}`]);
  assert.deepEqual([event.request.method, event.request.addr, event.actor], ['PUT', '127.0.0.1', {}]);
  assert.ok(Math.abs(Date.parse(event.timestamp) - Date.now()) < 3_600_000);
  assert.deepEqual([signature, type], [`sha256=${createHmac('sha256', 'hush').update(body).digest('hex')}`, 'application/vnd.docker.distribution.events.v1+json']);
  assert.equal(team.got[0]?.signature, undefined);
  await until(() => waiting(served, 'all').length === 0);
});

test('a receiver that fails gets its events in order when it works; one that refuses an event does not get it again', async () => {
  const answers = [503, 500, 302, 200, 422];
  const { url, got } = await receiver(0, () => answers.shift() ?? 200);
  const served = await scratch.serve(['--config', config({ name: 'late', url })]);
  const client = new TestClient(served.url);
  for (const tag of ['1', '2', '3']) await client.pushImage('a', tag, tag);
  await until(() => got.length === 2);
  assert.deepEqual(got.map(({ event }) => event.target.tag), ['1', '3']);
  assert.match(served.output(), /the webhook "late" answers 503; trying again\n/);
  assert.match(served.output(), /the webhook "late" answers 422: an event is dropped\n/);
});

test('events that nobody took outlive the registry, also one that was killed', async () => {
  const port = await freePort();
  const flags = ['--config', config({ name: 'away', url: `http://127.0.0.1:${port}/` })];
  let served = await scratch.serve(flags);
  const digests: string[] = [];
  for (const [round, signal] of (['SIGKILL', 'SIGKILL', 'SIGTERM'] as const).entries()) {
    digests.push((await new TestClient(served.url).pushImage('a', String(round), `round ${round}`)).digest);
    await served.stop(signal);
    assert.equal(waiting(served, 'away').length, round + 1);
    served = await scratch.serve(flags, { directory: served.directory });
  }
  const { got } = await receiver(port);
  await until(() => got.length === 3);
  assert.deepEqual(got.map(({ event }) => event.target.digest), digests);
  assert.equal(new Set(got.map(({ event }) => event.id)).size, 3);
  await until(() => waiting(served, 'away').length === 0);
});

test('rules that are read again count for what comes then, and for what waits', async () => {
  const { url, got } = await receiver();
  const file = config({ name: 'moved', url: `http://127.0.0.1:${await freePort()}/` });
  const served = await scratch.serve(['--config', file]);
  const client = new TestClient(served.url);
  await client.pushImage('a', '1', 'one');
  writeFileSync(file, JSON.stringify({ webhooks: [{ name: 'moved', url }, { name: 'new', url }] }));
  served.child.kill('SIGHUP');
  await until(() => served.output().includes('read its files again'));
  await client.pushImage('a', '2', 'two');
  await until(() => got.length === 3);
  assert.deepEqual(got.map(({ event }) => event.target.tag).sort(), ['1', '2', '2']);
  assert.ok(existsSync(join(served.directory, 'events/new')));
});

test('mistakes in the configuration of a webhook are named', async () => {
  const good = { name: 'a', url: 'https://hooks.example/' };
  const cases: readonly (readonly [webhooks: readonly object[], message: RegExp])[] = [
    [[{ url: good.url }], /webhooks\[0\] says no "name"/], [[{ name: '../x', url: good.url }], /webhooks\[0\]\.name is "\.\.\/x", and must be of a-z/], [[{ name: 'a' }], /says no "url"/],
    [[{ ...good, url: 'hooks' }], /url is "hooks", which is no address/], [[{ ...good, url: 'http://hooks.example/' }], /which is not encrypted/], [[{ ...good, url: 'file:///etc/passwd' }], /which is not encrypted/],
    [[{ ...good, url: 'https://me:secret@hooks.example/' }], /must not have a user in it/], [[{ ...good, actions: ['pull'] }], /is "pull"/], [[good, good], /webhooks\[1\] has the name "a" of another one/],
    [[{ ...good, secretFile: '/nowhere' }], /ENOENT/], [[{ ...good, secrets: 'x' }], /did you mean "secretFile"|means nothing/],
  ];
  for (const [webhooks, message] of cases) await assert.rejects(scratch.serve(['--config', config(...webhooks)]), message);
});
