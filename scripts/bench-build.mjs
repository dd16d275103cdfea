/** The figures of builds: a compiler by apt-get in Debian's smallest root directory, beside buildah, and builds again. For `bench.mjs`. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { debianTar } from './bench-debian.mjs';

const COMPILER = 'FROM localhost/debian:12\nENV DEBIAN_FRONTEND=noninteractive\nRUN apt-get update -q && apt-get install -y -q --no-install-recommends gcc libc6-dev\n';
/** What is built again: a change of `two` leaves the first COPY and the RUN as they are. */
const AGAIN = 'FROM localhost/debian:12\nCOPY one /app/\nRUN cp /app/one /app/three\nCOPY two /app/\nCMD ["cat", "/app/two"]\n';
const AGAIN_RUNS = 5;

/** `buildah` with a store of its own; it takes root, as its isolation by chroot does. */
function buildahIn(scratch, must) {
  chmodSync(scratch, 0o755); // what it runs has no right to pass by
  const store = ['--root', join(scratch, 'buildah'), '--runroot', join(scratch, 'buildah-run')];
  const words = (command, ...rest) => ['buildah', ...store, command, ...rest];
  return {
    load: (tar) => {
      const container = must(words('from', 'scratch')).trim();
      must(words('add', '--quiet', container, tar, '/'));
      must(words('commit', '--quiet', container, 'localhost/debian:12'));
      must(words('rm', container));
    },
    build: (context, flags = []) => words('bud', '--isolation', 'chroot', '--pull-never', ...flags, '-t', 'localhost/built', context),
    // Its layers are mounted where they lie.
    clean: () => must(words('rmi', '--all', '--force')),
  };
}

/**
 * Milliseconds: ours and the peer's, medians of rounds that alternate. Undefined where this is not root. `first` is the first build, when
 * no translations are kept.
 */
export async function benchBuild({ caisson, programs, env: base, rounds, median }) {
  if (process.getuid() !== 0) {
    console.log('build: buildah needs root for its isolation by chroot; left out');
    return undefined;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-build-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store'), DOCKER_CONFIG: scratch, XDG_CACHE_HOME: join(scratch, 'cache') };
  writeFileSync(join(scratch, 'config.json'), '{}'); // buildah wants it to be there
  const must = (argv) => {
    const { status, stdout, stderr, error } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28, env });
    if (status !== 0) throw new Error(`${argv.join(' ')} failed: ${error?.message ?? (stdout + stderr).slice(-2000)}`);
    return stdout;
  };
  const time = (argv) => {
    const started = performance.now();
    must(argv);
    return performance.now() - started;
  };
  const ours = (...words) => [process.execPath, caisson, ...words];
  const build = (context, ...flags) => ours('build', '-q', ...flags, '-t', 'localhost/built', context);
  const context = (name, files) => {
    const directory = join(scratch, name);
    mkdirSync(directory);
    for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text);
    return directory;
  };
  const buildah = buildahIn(scratch, must);
  try {
    const tar = debianTar(join(programs, 'images'));
    must(ours('import', tar, 'localhost/debian:12'));
    buildah.load(tar);
    const compiler = context('compiler', { Dockerfile: COMPILER });
    const rows = { caisson: [], buildah: [], node: [], same: [], changed: [], peerSame: [], peerChanged: [] };
    const first = time(build(compiler, '--no-cache'));
    for (let round = 0; round < Math.min(rounds, 3); round++) {
      rows.buildah.push(time(buildah.build(compiler, ['--no-cache'])));
      rows.caisson.push(time(build(compiler, '--no-cache')));
    }
    const again = context('again', { Dockerfile: AGAIN, one: 'one\n', two: 'two\n' });
    must(build(again));
    must(buildah.build(again, ['--layers']));
    for (let run = 0; run < AGAIN_RUNS * Math.min(rounds, 3); run++) {
      rows.node.push(time([process.execPath, '-e', '0']));
      rows.same.push(time(build(again)));
      rows.peerSame.push(time(buildah.build(again, ['--layers'])));
      writeFileSync(join(again, 'two'), `two, changed for the time ${run}\n`);
      rows.changed.push(time(build(again)));
      rows.peerChanged.push(time(buildah.build(again, ['--layers'])));
    }
    const ms = Object.fromEntries(Object.entries(rows).map(([name, values]) => [name, median(values)]));
    console.log(`apt-get update and install of gcc: ${(ms.caisson / 1000).toFixed(1)} s (the first time ${(first / 1000).toFixed(1)}), buildah ${(ms.buildah / 1000).toFixed(1)} s: ${(ms.caisson / ms.buildah).toFixed(2)} times its time`);
    console.log(`again, nothing changed: ${ms.same.toFixed(0)} ms, ${(ms.same - ms.node).toFixed(0)} above node -e 0; buildah ${ms.peerSame.toFixed(0)} ms`);
    console.log(`again, one COPY changed: ${ms.changed.toFixed(0)} ms, ${(ms.changed - ms.node).toFixed(0)} above node -e 0; buildah ${ms.peerChanged.toFixed(0)} ms`);
    return {
      compiler: { caisson: ms.caisson, first, buildah: ms.buildah }, node: ms.node,
      same: { caisson: ms.same, buildah: ms.peerSame }, changed: { caisson: ms.changed, buildah: ms.peerChanged },
    };
  } finally {
    buildah.clean();
    rmSync(scratch, { recursive: true, force: true });
  }
}
