/**
 * The registry beside docker-registry: 16 clients that push layers and pull them again, and resident memory while they move large
 * ones. Both have a directory of their own on the same disk, and answer the same client.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CLIENTS = 16;
const KINDS = { '1 KB': { size: 1000, layers: 40 }, '50 MB': { size: 50_000_000, layers: 1 } };
const PORTS = { caisson: 5961, docker: 5962 };
const PIECE = Buffer.alloc(1 << 16, 'layer');

async function untilOpen(port) {
  for (let attempt = 0; attempt < 200; attempt++) {
    const isOpen = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.unref();
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}

async function start(way, caisson, scratch) {
  const directory = join(scratch, way);
  const config = join(scratch, 'config.yml');
  writeFileSync(config, `version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\nstorage: {filesystem: {rootdirectory: ${directory}}}\nhttp: {addr: "127.0.0.1:${PORTS.docker}"}\n`);
  const argv = way === 'docker' ? ['docker-registry', 'serve', config] : [process.execPath, caisson, 'registry', 'serve', '--listen', `127.0.0.1:${PORTS.caisson}`, '--dir', directory];
  const child = spawn(argv[0], argv.slice(1), { stdio: 'ignore' });
  await untilOpen(PORTS[way]);
  return child;
}

/** A layer of `size` bytes that no other client and round has; it is never held as a whole. */
function layerOf(size, name, base) {
  const tail = Buffer.from(name.padEnd(64));
  return { size, tail, digest: `sha256:${base.copy().update(tail).digest('hex')}` };
}

function baseHash(size) {
  const hash = createHash('sha256');
  for (let left = size - 64; left > 0; left -= PIECE.length) hash.update(PIECE.subarray(0, Math.min(left, PIECE.length)));
  return hash;
}

function ask(agent, method, url, layer) {
  return new Promise((resolve, reject) => {
    const headers = layer === undefined ? (method === 'POST' ? { 'content-length': 0 } : {}) : { 'content-length': layer.size, 'content-type': 'application/octet-stream' };
    const asked = request(url, { method, agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (chunk) => (bytes += chunk.length)).on('end', () => resolve({ status: response.statusCode, location: response.headers.location, bytes })).on('error', reject);
    }).on('error', reject);
    let left = layer === undefined ? 0 : layer.size - 64;
    const more = () => {
      while (left > 0) {
        const piece = PIECE.subarray(0, Math.min(left, PIECE.length));
        left -= piece.length;
        if (!asked.write(piece)) {
          asked.once('drain', more);
          return;
        }
      }
      asked.end(layer?.tail);
    };
    more();
  });
}

async function push(agent, base, name, layer) {
  const { location } = await ask(agent, 'POST', `${base}/v2/${name}/blobs/uploads/`);
  const url = new URL(location, base);
  url.searchParams.set('digest', layer.digest);
  const { status } = await ask(agent, 'PUT', url, layer);
  if (status !== 201) throw new Error(`push: ${status}`);
}

async function pull(agent, base, name, layer) {
  const { bytes } = await ask(agent, 'GET', `${base}/v2/${name}/blobs/${layer.digest}`);
  if (bytes !== layer.size) throw new Error(`pull: ${bytes} of ${layer.size} bytes`);
}

/** Megabytes a second, or layers a second, of pushes and of pulls. */
async function measure(way, { size, layers }, round) {
  const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });
  const base = `http://127.0.0.1:${PORTS[way]}`;
  const hash = baseHash(size);
  const work = Array.from({ length: CLIENTS }, (_, client) => ({ name: `bench/${client}`, layers: Array.from({ length: layers }, (_item, index) => layerOf(size, `${round} ${client} ${index}`, hash)) }));
  const timed = async (move) => {
    const started = performance.now();
    await Promise.all(work.map(async ({ name, layers: own }) => {
      for (const layer of own) await move(agent, base, name, layer);
    }));
    return (CLIENTS * layers) / ((performance.now() - started) / 1000);
  };
  const result = { push: await timed(push), pull: await timed(pull) };
  agent.destroy();
  return result;
}

const residentMiB = (child) => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? NaN) / 1024;
const median = (values) => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];

export async function benchRegistry(caisson, rounds, isQuick) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-registry-'));
  const children = { caisson: await start('caisson', caisson, scratch), docker: await start('docker', caisson, scratch) };
  const table = {};
  try {
    for (const [kind, settings] of Object.entries(KINDS)) {
      const samples = { push: { caisson: [], docker: [] }, pull: { caisson: [], docker: [] } };
      for (let round = 0; round < rounds; round++) {
        for (const way of Object.keys(children)) {
          const { push: pushed, pull: pulled } = await measure(way, settings, round);
          samples.push[way].push(pushed);
          samples.pull[way].push(pulled);
        }
      }
      for (const [direction, ways] of Object.entries(samples)) {
        const row = (table[`${direction} ${kind}`] = { caisson: median(ways.caisson), docker: median(ways.docker) });
        console.log(`${`${direction} ${kind}`.padEnd(22)}caisson ${row.caisson.toFixed(1)}/s   docker-registry ${row.docker.toFixed(1)}/s   ratio ${(row.caisson / row.docker).toFixed(2)}`);
      }
    }
    const large = { size: isQuick ? 200_000_000 : 1_000_000_000, layers: 1 };
    for (const way of Object.keys(children)) await measure(way, large, 'large');
    table.memory = { caisson: residentMiB(children.caisson), docker: residentMiB(children.docker) };
    console.log(`memory at most, 16 clients with ${large.size / 1e6} MB each: caisson ${table.memory.caisson.toFixed(0)} MiB, docker-registry ${table.memory.docker.toFixed(0)} MiB`);
  } finally {
    for (const child of Object.values(children)) child.kill('SIGKILL');
    rmSync(scratch, { recursive: true, force: true });
  }
  return table;
}
