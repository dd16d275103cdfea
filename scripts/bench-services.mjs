/** Servers of this machine, natively and inside (`do -p`), asked by its own clients: requests a second, and how long a server takes until it answers. For `bench.mjs`. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const POSTGRES = '/usr/lib/postgresql/15/bin';
/** Of the host's account `nobody`. */
const NOBODY = '65534:65534';

function freePort() {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Whether an answer to `ask` comes: a published port takes connections before anybody listens inside, and ends them. */
const answering = (ask) => (port) => new Promise((resolve) => {
  const socket = connect(port, '127.0.0.1', () => socket.write(ask));
  socket.once('data', () => resolve(true) || socket.destroy()).once('error', () => resolve(false)).once('close', () => resolve(false));
});

async function untilReady(port, isReady) {
  for (const since = Date.now(); Date.now() - since < 120_000;) {
    if (await isReady(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error(`nobody answers at port ${port}`);
}

const client = (command, ...words) => execFileSync(command, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 1 << 26 });
function found(text, pattern) {
  const [, figure] = pattern.exec(text) ?? [];
  if (figure === undefined) throw new Error(`no figure in: ${text}`);
  return Number(figure);
}
const ab = (port, ...words) => found(client('ab', '-q', '-c', '8', ...words, `http://127.0.0.1:${port}/`), /Requests per second: +([\d.]+)/);
/** Of HTTP/1.1, which connections stay open in. */
const keptAlive = (port, requests) => Number(client(process.execPath, fileURLToPath(new URL('bench-http-client.mjs', import.meta.url)), String(port), String(requests), '8'));
const HTTP = answering('GET / HTTP/1.0\r\n\r\n');

/** A server's words, for a port; what shows that it answers; and figures, by name. */
function servers(scratch) {
  const list = [];
  const nginx = join(scratch, 'nginx');
  mkdirSync(nginx);
  writeFileSync(join(nginx, 'index.html'), 'Hello\n');
  list.push({
    name: 'nginx', user: '0:0', isReady: HTTP,
    words: (port) => {
      writeFileSync(join(nginx, `${port}.conf`), `daemon off; pid ${nginx}/${port}.pid; error_log /dev/null; events {} http { access_log off; server { listen 0.0.0.0:${port}; root ${nginx}; } }`);
      return ['/usr/sbin/nginx', '-p', nginx, '-c', join(nginx, `${port}.conf`)];
    },
    figures: { 'nginx, kept alive': (port) => ab(port, '-k', '-n', '20000'), 'nginx, a connection each': (port) => ab(port, '-n', '5000') },
  });
  const redis = (port, test) => found(client('redis-benchmark', '-h', '127.0.0.1', '-p', String(port), '-t', test, '-n', '30000', '--csv'), /^"[A-Z]+","([\d.]+)"/m);
  list.push({
    name: 'redis', user: '0:0', isReady: answering('PING\r\n'), words: (port) => ['/usr/bin/redis-server', '--port', String(port), '--bind', '0.0.0.0', '--protected-mode', 'no', '--save', ''],
    figures: { 'redis SET': (port) => redis(port, 'set'), 'redis GET': (port) => redis(port, 'get') },
  });
  list.push({
    name: 'node', user: '0:0', isReady: HTTP,
    words: (port) => [process.execPath, '-e', `require('http').createServer((q, r) => r.end('Hello\\n')).listen(${port}, '0.0.0.0')`],
    figures: { 'Node.js http, kept alive': (port) => keptAlive(port, 20000), 'Node.js http, a connection each': (port) => ab(port, '-n', '8000') },
  });
  if (existsSync(join(POSTGRES, 'postgres')) && process.getuid?.() === 0) {
    const data = join(scratch, 'postgres');
    mkdirSync(data);
    const [uid, gid] = NOBODY.split(':').map(Number);
    spawnSync('chown', [NOBODY, data, scratch]);
    execFileSync(join(POSTGRES, 'initdb'), ['-D', data, '-A', 'trust', '-U', 'bench', '--no-sync'], { uid, gid, stdio: 'ignore', cwd: data });
    appendFileSync(join(data, 'pg_hba.conf'), 'host all all all trust\n');
    const bench = (port, ...words) => client(join(POSTGRES, 'pgbench'), '-h', '127.0.0.1', '-p', String(port), '-U', 'bench', ...words, 'postgres');
    list.push({
      name: 'postgres', user: NOBODY, isReady: (port) => spawnSync(join(POSTGRES, 'pg_isready'), ['-q', '-h', '127.0.0.1', '-p', String(port)]).status === 0, fill: (port) => bench(port, '-i', '-q', '-s', '2'),
      words: (port) => [join(POSTGRES, 'postgres'), '-D', data, '-p', String(port), '-c', 'listen_addresses=*', '-c', 'unix_socket_directories='],
      figures: {
        'pgbench, select only': (port) => found(bench(port, '-S', '-T', '6'), /tps = ([\d.]+)/),
        'pgbench, select only, 4 clients': (port) => found(bench(port, '-S', '-c', '4', '-T', '6'), /tps = ([\d.]+)/),
      },
    });
  }
  return list;
}

/** Starts one, natively or inside, calls `use` with its port and how long it took until it answered, and ends it. */
async function withServer(server, caisson, env, inside, use) {
  const port = await freePort();
  const words = server.words(port);
  const [uid, gid] = server.user.split(':').map(Number);
  const own = { cwd: '/', stdio: 'ignore', detached: true };
  const started = performance.now();
  const child = inside
    ? spawn(process.execPath, [caisson, 'do', '--user', server.user, '-p', `${port}:${port}`, '--', ...words], { ...own, env })
    : spawn(words[0], words.slice(1), process.getuid?.() === 0 ? { ...own, uid, gid } : own);
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await untilReady(port, server.isReady);
    use(port, performance.now() - started);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

/** Requests a second by figure, natively and inside, medians of rounds that alternate; ms until each answers. */
export async function benchServices({ caisson, env, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-services-'));
  const rows = {};
  const starts = {};
  try {
    for (const server of servers(scratch)) {
      const times = { native: [], inside: [] };
      // What is translated is kept from the first ones on.
      for (let training = 0; training < 3; training++) {
        await withServer(server, caisson, env, true, (port) => {
          server.fill?.(port);
          for (const measure of Object.values(server.figures)) measure(port);
        });
      }
      for (const [name, measure] of Object.entries(server.figures)) rows[name] = { native: [], inside: [], measure };
      for (let round = 0; round < rounds; round++) {
        for (const side of ['native', 'inside']) {
          await withServer(server, caisson, env, side === 'inside', (port, ms) => {
            times[side].push(ms);
            if (side === 'inside' || round === 0) server.fill?.(port);
            for (const name of Object.keys(server.figures)) rows[name][side].push(rows[name].measure(port));
          });
        }
      }
      starts[server.name] = { native: median(times.native), inside: median(times.inside) };
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const results = Object.fromEntries(Object.entries(rows).map(([name, { native, inside }]) => [name, { native: median(native), inside: median(inside) }]));
  for (const [name, { native, inside }] of Object.entries(results)) console.log(`${name}: ${Math.round(inside)} a second, natively ${Math.round(native)}: ${(inside / native).toFixed(2)}`);
  for (const [name, { native, inside }] of Object.entries(starts)) console.log(`${name} answers after ${Math.round(inside)} ms, natively ${Math.round(native)}`);
  return { results, starts };
}
