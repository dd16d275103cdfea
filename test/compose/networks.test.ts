/** A project whose services are on several networks, by the built command. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { buildServices } from '../containers/services.ts';
import { testStore } from '../containers/testing.ts';

const store = testStore();
const { scratch, run, mustRun } = store;

before(() => buildServices(store));
after(() => store.remove());

test('a service on two networks is reached on both; those on one reach only their own', async () => {
  writeFileSync(join(scratch, 'compose.yaml'), `name: apart
services:
  proxy:
    image: services
    command: redis-server --protected-mode no --save ""
    networks: {front: {aliases: [outer]}, back: {aliases: [inner], ipv4_address: 10.79.0.9}}
    healthcheck: {test: ["CMD", "redis-cli", "ping"], interval: 200ms, retries: 50}
    stop_grace_period: 0s
  web: {image: services, command: sleep 1000, networks: [front], stop_grace_period: 0s}
  db: {image: services, command: redis-server --protected-mode no --save "", networks: [back], stop_grace_period: 0s}
networks:
  front: {}
  back: {internal: true, ipam: {config: [{subnet: 10.79.0.0/24}]}}
`);
  const compose = (...args: readonly string[]): Promise<string> => mustRun(['compose', ...args], { cwd: scratch });
  await compose('up', '-d', '--wait');
  const ask = async (service: string, host: string): Promise<string> => {
    const { stdout, stderr } = await run(['compose', 'exec', '-T', service, 'redis-cli', '-h', host, 'ping'], { cwd: scratch });
    return stdout + stderr;
  };
  assert.deepEqual([await ask('web', 'proxy'), await ask('web', 'outer'), await ask('db', 'proxy'), await ask('db', 'inner'), await ask('db', '10.79.0.9'), await ask('proxy', 'db')], Array.from({ length: 6 }, () => 'PONG\n'));
  for (const host of ['db', 'inner', '10.79.0.9']) assert.doesNotMatch(await ask('web', host), /PONG/, host);
  assert.doesNotMatch(await ask('db', 'outer'), /PONG/);
  assert.deepEqual(JSON.parse(await mustRun(['network', 'inspect', '-f', '{{json .Labels}}', 'apart_back'])), { 'com.docker.compose.project': 'apart', 'com.docker.compose.network': 'back' });
  await compose('down');
  assert.equal(await mustRun(['network', 'ls', '-q']), '');
});
