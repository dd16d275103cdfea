/** What containers of one machine do: bytes through a published port, and two that compute at once. For `bench-containers.mjs`. */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';

const PORT = 9000;
const MIB = 1 << 20;
const BULK_BYTES = 512 * MIB;
const WAIT_MS = 60_000;
/** Enough of it that the start does not count. */
const WORK = 'busybox dd if=/dev/zero bs=1M count=400 2>/dev/null | busybox sha256sum';

/** Until somebody takes a connection and, where there is something to read, sends it. */
async function connected(port) {
  for (const since = Date.now(); Date.now() - since < WAIT_MS;) {
    const socket = await new Promise((resolve) => {
      // nc has nothing to send where it only reads, and says so at once.
      const one = connect({ port, host: '127.0.0.1', allowHalfOpen: true }, () => setTimeout(() => resolve(one), 20));
      one.once('error', () => resolve(undefined)).once('close', () => resolve(undefined));
    });
    if (socket !== undefined && !socket.destroyed) return socket;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nobody listens at port ${port}`);
}

/** Bytes a second that come out of a container. */
function received(socket) {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    let started;
    socket.on('data', (chunk) => {
      started ??= performance.now();
      bytes += chunk.length;
      if (bytes < BULK_BYTES) return;
      socket.removeAllListeners('close').destroy();
      resolve((bytes * 1000) / (performance.now() - started));
    });
    socket.once('error', reject).once('close', () => reject(new Error('the connection ended early')));
  });
}

/** Bytes a second that go into one: until the reader inside has had them all and ends the connection. */
function sent(socket) {
  return new Promise((resolve, reject) => {
    const chunk = Buffer.alloc(MIB);
    const started = performance.now();
    let bytes = 0;
    const more = () => {
      while (bytes < BULK_BYTES) {
        bytes += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', more);
          return;
        }
      }
      socket.end();
    };
    socket.once('error', reject).once('close', () => resolve((bytes * 1000) / (performance.now() - started))).resume();
    more();
  });
}

/** Through a published port of a busybox on scratch, in bytes a second. */
export async function bulk(ours, median, rounds) {
  const figures = { out: [], into: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const [way, redirection, measure] of [['out', '< /dev/zero', received], ['into', '> /dev/null', sent]]) {
      const id = ours('run', '-d', '--rm', '-p', `${PORT}`, 'busybox', 'sh', '-c', `exec busybox nc -l -p ${PORT} ${redirection}`);
      try {
        const port = Number(ours('port', id, String(PORT)).split('\n')[0].split(':').pop());
        const figure = await measure(await connected(port));
        // The first of each has nothing kept.
        if (round > 0) figures[way].push(figure);
      } finally {
        try {
          ours('rm', '-f', id);
        } catch {
          // It has ended by itself, and is gone.
        }
      }
    }
  }
  return { out: median(figures.out), into: median(figures.into) };
}

function working(caisson, env) {
  return new Promise((resolve, reject) => {
    spawn(process.execPath, [caisson, 'run', '--rm', 'busybox', 'sh', '-c', WORK], { env, stdio: 'ignore' }).once('error', reject)
      .once('close', (status) => (status === 0 ? resolve() : reject(new Error(`ended with ${status}`))));
  });
}

/** How many times the work of one, two that compute at once do. */
export async function together(caisson, env, median, rounds) {
  const ratios = [];
  for (let round = 0; round <= rounds; round++) {
    const times = [];
    for (const count of [1, 2]) {
      const started = performance.now();
      await Promise.all(Array.from({ length: count }, () => working(caisson, env)));
      times.push(performance.now() - started);
    }
    if (round > 0) ratios.push((2 * times[0]) / times[1]);
  }
  return median(ratios);
}
