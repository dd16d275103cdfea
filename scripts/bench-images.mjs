/** The figures of images: Debian's smallest root directory as one layer, beside umoci and skopeo. For `bench.mjs`. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianTar } from './bench-debian.mjs';

function must(argv, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 26, ...options });
  if (status !== 0) throw new Error(`${argv.join(' ')} failed: ${error?.message ?? stderr}`);
  return stdout;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function startRegistry(scratch) {
  const port = await freePort();
  writeFileSync(join(scratch, 'config.yml'), `version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: ${scratch}/registry\nhttp:\n  addr: 127.0.0.1:${port}\n`);
  const server = spawn('docker-registry', ['serve', join(scratch, 'config.yml')], { stdio: 'ignore' });
  for (let attempt = 0; attempt < 100; attempt++) {
    if (await fetch(`http://127.0.0.1:${port}/v2/`).then(() => true, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { host: `127.0.0.1:${port}`, stop: () => server.kill() };
}

/** Milliseconds by row: ours and the peer's, medians of rounds that alternate. */
export async function benchImages({ caisson, programs, env: base, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-images-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store'), CAISSON_BACKGROUND: '', DOCKER_CONFIG: scratch };
  const ours = (...words) => [process.execPath, caisson, ...words];
  const time = (argv, more = {}) => {
    const started = performance.now();
    must(argv, { env: { ...env, ...more } });
    return performance.now() - started;
  };
  const { host, stop } = await startRegistry(scratch);
  try {
    const tar = debianTar(join(programs, 'images'));
    const compressed = join(scratch, 'debian.tar.gz');
    must(['sh', '-c', `gzip -1 < ${tar} > ${compressed}`]);
    must(ours('import', compressed, `${host}/debian:12`), { env });
    must(ours('push', '-q', `${host}/debian:12`), { env });
    must(['skopeo', 'copy', '--quiet', '--src-tls-verify=false', `docker://${host}/debian:12`, `oci:${join(scratch, 'layout')}:12`]);
    const run = ours('run', '--pull', 'never', `${host}/debian:12`, '/bin/true');
    const plain = ours('do', '--', '/bin/true');
    const unpack = () => time(['umoci', 'unpack', ...(process.getuid() === 0 ? [] : ['--rootless']), '--image', `${join(scratch, 'layout')}:12`, join(scratch, `bundle-${Math.random()}`)]);
    const pull = (round) => time(ours('pull', '-q', `${host}/debian:12`), { CAISSON_HOME: join(scratch, `pulled-${round}`) });
    const copy = (round) => time(['skopeo', 'copy', '--quiet', '--src-tls-verify=false', `docker://${host}/debian:12`, `oci:${join(scratch, `copied-${round}`)}:12`]);
    for (let training = 0; training < 6; training++) for (const argv of [run, plain]) time(argv);
    const rows = { run: [], first: [], plain: [], unpack: [], pull: [], copy: [] };
    for (let round = 0; round < rounds; round++) {
      for (let again = 0; again < 3; again++) {
        rows.run.push(time(run));
        rows.plain.push(time(plain));
      }
      rows.unpack.push(unpack());
      rows.pull.push(pull(round));
      rows.first.push(time(run, { CAISSON_HOME: join(scratch, `pulled-${round}`) }));
      rows.copy.push(copy(round));
      for (const name of [`pulled-${round}`, `copied-${round}`]) rmSync(join(scratch, name), { recursive: true });
    }
    const [runMs, firstMs, plainMs, unpackMs, pullMs, copyMs] = ['run', 'first', 'plain', 'unpack', 'pull', 'copy'].map((name) => median(rows[name]));
    const mebibytes = Math.round(statSync(tar).size / 2 ** 20);
    console.log(`layer of ${mebibytes} MiB, from an archive: first program after ${runMs.toFixed(0)} ms, umoci unpack ${unpackMs.toFixed(0)} ms: ${(unpackMs / runMs).toFixed(1)} times`);
    console.log(`the same, at once after a pull that did not wait for unpacking: ${firstMs.toFixed(0)} ms: ${(unpackMs / firstMs).toFixed(1)} times`);
    console.log(`another container ${runMs.toFixed(0)} ms, do -- true ${plainMs.toFixed(0)} ms: ${(runMs - plainMs).toFixed(0)} ms above`);
    console.log(`pull ${pullMs.toFixed(0)} ms, skopeo copy ${copyMs.toFixed(0)} ms: ${(pullMs / copyMs).toFixed(2)} times`);
    return { mebibytes, start: { caisson: runMs, umoci: unpackMs }, pulled: { caisson: firstMs, umoci: unpackMs }, second: { caisson: runMs, do: plainMs }, pull: { caisson: pullMs, skopeo: copyMs } };
  } finally {
    stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}
