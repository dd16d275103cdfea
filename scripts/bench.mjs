/**
 * Every figure in one run, side by side: native, Caisson, qemu-x86_64. Measurements go in rounds (one of each, then again),
 * so that a noisy moment hits all of them; medians are compared. Translations are kept between runs: each command runs first with
 * none, which is its first run, and then as often as it takes to make them.
 *
 *   npm run bench                     all figures; writes bench/results.json, docs/performance.md and docs/performance.svg
 *   npm run bench -- --quick          one round
 *   npm run bench -- --only startup   one group: cpu, startup, nodes, python, micro, shell, files, memory, api, images, build, containers, services, registry, squat, scan, events
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { benchBuild } from './bench-build.mjs';
import { benchContainers } from './bench-containers.mjs';
import { benchEvents } from './bench-events.mjs';
import { benchImages } from './bench-images.mjs';
import { writePage } from './bench-page.mjs';
import { benchRegistry } from './bench-registry.mjs';
import { benchScan } from './bench-scan.mjs';
import { benchServices } from './bench-services.mjs';
import { benchSquat } from './bench-squat.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const caisson = join(root, 'dist', 'caisson.js');
const programs = join(root, '.cache', 'bench');
const results = join(root, 'bench', 'results.json');
const quick = process.argv.includes('--quick');
const only = process.argv.includes('--only') ? process.argv[process.argv.indexOf('--only') + 1] : undefined;
const rounds = quick ? 1 : 5;
const PYTHON = '/usr/bin/python3';
const cacheHome = join(programs, 'cache');
/** Nothing goes on beside what is measured: `CAISSON_BACKGROUND`. */
const env = { ...process.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', XDG_CACHE_HOME: cacheHome, CAISSON_BACKGROUND: 'off' };
/** Runs of Caisson between the first one and those that count; of programs that are one hot loop. */
const TRAINING_RUNS = 6;
const TRAINING_RUNS_OF_LOOPS = 2;

export const CPU_PROGRAMS = ['sieve', 'sha256', 'bytecode', 'quicksort', 'nbody', 'hashtable', 'virtual', 'memory', 'fannkuch', 'text'];
const PYTHON_SCRIPTS = ['nqueens', 'json_regex', 'nbody', 'classes'];

const HOW = {
  native: (argv) => argv,
  caisson: (argv) => [process.execPath, caisson, 'do', '--', ...argv],
  qemu: (argv) => ['qemu-x86_64', ...argv],
};

function compilePrograms() {
  mkdirSync(programs, { recursive: true });
  for (const name of [...CPU_PROGRAMS, 'micro']) {
    const source = [`bench/${name}.c`, `bench/${name}.cpp`].map((file) => join(root, file)).find(existsSync);
    const target = join(programs, name);
    if (existsSync(target) && statSync(target).mtimeMs > statSync(source).mtimeMs) continue;
    const { status, stderr } = spawnSync(source.endsWith('.cpp') ? 'g++' : 'gcc', ['-O2', '-o', target, source, '-lm'], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cannot compile ${source}: ${stderr}`);
  }
  writeFileSync(join(programs, 'input.c'), spawnSync(process.execPath, [join(root, 'bench', 'compile-input.mjs')]).stdout);
}

const median = (values) => [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)];
const geometricMean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);

function once(argv, input) {
  const started = performance.now();
  // Node's pipes are sockets, and bash reads ~/.bashrc where its standard input is one: it takes itself for a remote shell.
  const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), { stdio, env, encoding: 'utf8', input, timeout: 300_000, maxBuffer: 1 << 26, cwd: root });
  return { ms: performance.now() - started, ok: status === 0 && error === undefined, stdout, stderr };
}

/** Milliseconds by way of running, medians of rounds. Undefined where a run failed or printed something else than natively. */
function compare(argv, training = TRAINING_RUNS) {
  const ways = ['native', 'caisson', 'qemu'];
  const times = Object.fromEntries(ways.map((way) => [way, []]));
  rmSync(cacheHome, { recursive: true, force: true });
  const firstRun = once(HOW.caisson(argv));
  const first = firstRun.ok ? firstRun.ms : undefined;
  for (let run = 0; run < training; run++) once(HOW.caisson(argv));
  let expected;
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      if (times[way] === undefined) continue;
      const run = once(HOW[way](argv));
      expected ??= run.stdout;
      if (run.ok && run.stdout === expected) times[way].push(run.ms);
      else {
        console.error(`${way}: ${argv.join(' ')} failed: ${(run.stderr || 'other output').slice(0, 200)}`);
        times[way] = undefined;
      }
    }
  }
  return { ...Object.fromEntries(Object.entries(times).map(([way, values]) => [way, values === undefined ? undefined : median(values)])), first };
}

function show(name, { native, caisson: ours, qemu, first }) {
  const ms = (value) => (value === undefined ? '-' : value.toFixed(0)).padStart(8);
  const ratio = (left, right) => (left === undefined || right === undefined ? '-' : (left / right).toFixed(2)).padStart(7);
  console.log(`${name.padEnd(22)}${ms(native)}${ms(ours)}${ms(qemu)}   of native ${ratio(native, ours)}   against qemu ${ratio(qemu, ours)}   first run ${ms(first)}`);
}

function group(commands, training) {
  const table = {};
  for (const [label, argv] of Object.entries(commands)) {
    table[label] = compare(argv, training);
    show(label, table[label]);
  }
  return table;
}

function cpu() {
  const table = group(Object.fromEntries(CPU_PROGRAMS.map((name) => [name, [join(programs, name)]])), TRAINING_RUNS_OF_LOOPS);
  const rows = Object.values(table).filter((row) => row.native && row.caisson && row.qemu);
  if (rows.length > 0) {
    console.log(`geometric mean of native ${geometricMean(rows.map((row) => row.native / row.caisson)).toFixed(2)}, against qemu ${geometricMean(rows.map((row) => row.qemu / row.caisson)).toFixed(2)}`);
  }
  return table;
}

function startup() {
  const table = group({ true: ['/bin/true'], bash: ['/bin/bash', '-c', ':'], python3: [PYTHON, '-c', 'pass'], ls: ['/bin/ls', '-l', '/usr/share'] });
  const empty = [];
  for (let round = 0; round < rounds * 2; round++) empty.push(once([process.execPath, '-e', '0']).ms);
  table.node = { caisson: median(empty) };
  console.log(`node -e 0: ${table.node.caisson.toFixed(0)} ms; do -- true above it: ${(table.true.caisson - table.node.caisson).toFixed(0)} ms`);
  return table;
}

/** As after a first run under another Node version: what that leaves to a process has been done. */
function prepareFor(node) {
  spawnSync(node, [caisson, 'do', '--', '/bin/true'], { env: { ...env, CAISSON_BACKGROUND: '' }, stdio: 'ignore' });
  for (let attempt = 0; attempt < 600 && spawnSync('pgrep', ['-f', '--', '--optimizing-process']).status === 0; attempt++) spawnSync('sleep', ['0.1']);
}

/** The start under other Node versions, whose programs `test-node-lts.mjs` fetches. Milliseconds by version and command. */
function nodes() {
  const fetched = spawnSync(process.execPath, [join(root, 'scripts', 'test-node-lts.mjs'), '--fetch'], { encoding: 'utf8' });
  const table = {};
  for (const node of [process.execPath, ...fetched.stdout.split('\n').filter((path) => path !== '')]) {
    prepareFor(node);
    const row = {};
    const commands = { 'node -e 0': ['-e', '0'], true: [caisson, 'do', '--', '/bin/true'], bash: [caisson, 'do', '--', '/bin/bash', '-c', ':'], python3: [caisson, 'do', '--', PYTHON, '-c', 'pass'] };
    for (const [name, words] of Object.entries(commands)) {
      for (let run = 0; run < TRAINING_RUNS; run++) once([node, ...words]);
      row[name] = median(Array.from({ length: 2 * rounds + 1 }, () => once([node, ...words]).ms));
    }
    const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
    table[version] = row;
    console.log(`${version.padEnd(22)}${Object.entries(row).map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`).join('   ')}`);
  }
  return table;
}

const python = () => group(Object.fromEntries(PYTHON_SCRIPTS.map((name) => [name, [PYTHON, join(root, 'bench', 'python', `${name}.py`)]])));

/** Nanoseconds per operation, as micro.c prints them. */
function micro() {
  const table = {};
  for (let run = 0; run < TRAINING_RUNS_OF_LOOPS; run++) once(HOW.caisson([join(programs, 'micro')]));
  for (let round = 0; round < Math.min(rounds, 3); round++) {
    for (const way of Object.keys(HOW)) {
      const run = once(HOW[way]([join(programs, 'micro')]));
      for (const line of (run.stdout ?? '').split('\n').filter((text) => text !== '')) {
        const [name, value] = line.split(' ');
        ((table[name] ??= {})[way] ??= []).push(Number(value));
      }
    }
  }
  for (const row of Object.values(table)) for (const way of Object.keys(row)) row[way] = median(row[way]);
  for (const [name, row] of Object.entries(table)) console.log(`${name.padEnd(22)}${Object.entries(row).map(([way, value]) => `${way} ${(value / 1000).toFixed(2)} µs`).join('   ')}`);
  return table;
}

const shell = () =>
  group({
    'bash loop': ['/bin/bash', '-c', 'i=0; while ((i < 20000)); do ((i++)); x=${i%5}; done; echo $i'],
    'gcc -O2': ['/usr/bin/gcc', '-O2', '-c', '-o', '/dev/null', join(programs, 'input.c')],
    'git log': ['/usr/bin/git', '-c', 'safe.directory=*', 'log', '--stat', '--format=%s', '-n', '20'],
    'sort': ['/bin/bash', '-c', 'seq 1 60000 | sort -r | md5sum'],
  });

/** Gigabytes per second, as dd reports them. */
function files() {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-'));
  const input = join(scratch, 'input');
  writeFileSync(input, Buffer.alloc(200 << 20, 7));
  const table = {};
  const commands = { 'read host file': ['dd', `if=${input}`, 'of=/dev/null', 'bs=1M'], 'write overlay': ['dd', 'if=/dev/zero', `of=${join(scratch, 'output')}`, 'bs=1M', 'count=200'] };
  for (const [name, argv] of Object.entries(commands)) {
    table[name] = {};
    for (const way of ['native', 'caisson']) {
      const speeds = Array.from({ length: rounds }, () => /, ([\d.e-]+) s,/.exec(once(HOW[way](argv)).stderr)?.[1]).filter((text) => text !== undefined);
      if (speeds.length > 0) table[name][way] = (200 * 2 ** 20) / median(speeds.map(Number)) / 1e9;
    }
    console.log(`${name.padEnd(22)}${Object.entries(table[name]).map(([way, value]) => `${way} ${value.toFixed(2)} GB/s`).join('   ')}`);
  }
  rmSync(scratch, { recursive: true });
  return table;
}

function residentAfter(argv, ms) {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), { env, stdio: 'ignore' });
    setTimeout(() => {
      const text = existsSync(`/proc/${child.pid}/status`) ? readFileSync(`/proc/${child.pid}/status`, 'utf8') : '';
      child.kill('SIGKILL');
      resolve(Number(/VmRSS:\s+(\d+)/.exec(text)?.[1] ?? NaN) / 1024);
    }, ms);
  });
}

/** Mebibytes. */
async function memory() {
  const node = await residentAfter([process.execPath, '-e', 'setTimeout(() => {}, 9000)'], 2500);
  const ours = await residentAfter(HOW.caisson(['/bin/sleep', '5']), 2500);
  console.log(`memory of do -- sleep 5: ${ours.toFixed(0)} MiB, of node waiting ${node.toFixed(0)} MiB: ${(ours - node).toFixed(0)} MiB above`);
  return { 'sleep 5': { caisson: ours, node } };
}

/** Milliseconds from create to the first output of a warm `true`, in one process. */
function api() {
  const run = once([process.execPath, join(root, 'bench', 'api.mjs')]);
  const value = Number(run.stdout);
  if (!run.ok || Number.isNaN(value)) console.error(`api: failed: ${run.stderr.slice(0, 300)}`);
  else console.log(`api create to first output: ${value.toFixed(1)} ms`);
  return { create: { caisson: Number.isNaN(value) || !run.ok ? undefined : value } };
}

const services = () => benchServices({ caisson, env, rounds, median });
const containers = () => benchContainers({ caisson, env, rounds, median });

const images = () => benchImages({ caisson, programs, env, rounds, median });

/** Layers a second, and mebibytes, against docker-registry. */
const registry = () => benchRegistry(caisson, Math.min(rounds, 3), quick);

const build = () => benchBuild({ caisson, programs, env, rounds, median });

const squat = () => benchSquat({ caisson, env, rounds, median });

const scan = () => benchScan({ caisson, env, rounds, median });
const events = () => benchEvents({ caisson, env, rounds, median });

const GROUPS = { cpu, startup, nodes, python, micro, shell, files, memory, api, images, build, containers, services, registry, squat, scan, events };

compilePrograms();
const previous = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : { groups: {} };
const groups = { ...previous.groups };
console.log(`${'milliseconds'.padEnd(22)}${'native'.padStart(8)}${'caisson'.padStart(8)}${'qemu'.padStart(8)}`);
for (const [name, measure] of Object.entries(GROUPS)) {
  if (only !== undefined && only !== name) continue;
  console.log(`\n${name}`);
  groups[name] = await measure();
}
const summary = { date: new Date().toISOString().slice(0, 10), node: process.version, cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: cpus().length, rounds, groups };
writeFileSync(results, `${JSON.stringify(summary, undefined, 2)}\n`);
writePage(root, summary);
