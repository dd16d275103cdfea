/** Servers of this machine, natively, inside (`do -p`) and, where it starts, under Debian's runsc, asked by its own clients: requests a second, and how long a server takes until it answers. For `bench.mjs`. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasRunsc, startRunsc } from './bench-runsc.mjs';

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
    // What comes later is of a server that is warm: V8 compiles what is frequent, and so do we what V8 made.
    figures: {
      'Node.js http, its first 20,000 requests, kept alive': (port) => keptAlive(port, 20_000),
      'Node.js http, kept alive, after 80,000 more': (port) => [80_000, 20_000].map((requests) => keptAlive(port, requests)).pop(),
      'Node.js http, a connection each, after 10,000': (port) => ['10000', '8000'].map((requests) => ab(port, '-n', requests)).pop(),
    },
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

/** Starts one on a side, calls `use` with its port and how long it took until it answered, and ends it. */
async function withServer(server, { caisson, env, scratch }, side, use) {
  const port = await freePort();
  const words = server.words(port);
  const [uid, gid] = server.user.split(':').map(Number);
  const own = { cwd: '/', stdio: 'ignore', detached: true };
  const start = {
    native: () => spawn(words[0], words.slice(1), process.getuid?.() === 0 ? { ...own, uid, gid } : own),
    inside: () => spawn(process.execPath, [caisson, 'do', '--user', server.user, '-p', `${port}:${port}`, '--', ...words], { ...own, env }),
    runsc: () => {
      const { child, end } = startRunsc(scratch, server.user, words);
      child.kill = end;
      return child;
    },
  };
  const started = performance.now();
  const child = start[side]();
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    await untilReady(port, server.isReady);
    use(port, performance.now() - started);
  } finally {
    child.kill('SIGTERM');
    await ended;
  }
}

function say(name, { native, inside, runsc }) {
  const beside = runsc === undefined ? '' : `; runsc ${Math.round(runsc)}: ${(inside / runsc).toFixed(2)} times its`;
  console.log(`${name}: ${Math.round(inside)} a second, natively ${Math.round(native)}: ${(inside / native).toFixed(2)}${beside}`);
}

/** Requests a second by figure and side, medians of rounds that alternate; ms until each answers. */
export async function benchServices({ caisson, env, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-services-'));
  const context = { caisson, env, scratch };
  const results = {};
  const starts = {};
  try {
    const sides = ['native', 'inside', ...(hasRunsc(scratch) ? ['runsc'] : [])];
    const medians = (values) => Object.fromEntries(sides.map((side) => [side, median(values[side])]));
    const perSide = () => Object.fromEntries(sides.map((side) => [side, []]));
    for (const server of servers(scratch)) {
      const times = perSide();
      const rows = Object.fromEntries(Object.keys(server.figures).map((name) => [name, perSide()]));
      // What is translated is kept from the first ones on.
      for (let training = 0; training < 3; training++) {
        await withServer(server, context, 'inside', (port) => {
          server.fill?.(port);
          for (const measure of Object.values(server.figures)) measure(port);
        });
      }
      for (let round = 0; round < rounds; round++) {
        for (const side of sides) {
          await withServer(server, context, side, (port, ms) => {
            times[side].push(ms);
            if (side !== 'native' || round === 0) server.fill?.(port);
            for (const [name, measure] of Object.entries(server.figures)) rows[name][side].push(measure(port));
          });
        }
      }
      for (const [name, values] of Object.entries(rows)) say(name, (results[name] = medians(values)));
      const { native, inside, runsc } = (starts[server.name] = medians(times));
      console.log(`${server.name} answers after ${Math.round(inside)} ms, natively ${Math.round(native)}${runsc === undefined ? '' : `, under runsc ${Math.round(runsc)}`}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { results, starts };
}
