/** The figures of `caisson scan`: an image of 240 MB of this machine's own files, cold and kept. For `bench.mjs`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const IMAGE_BYTES = 240e6;
/** Programs, libraries and scripts in the mixture that images have. */
const PLACES = ['/var/lib/dpkg/info', '/usr/bin', '/usr/lib/python3', '/usr/share/perl5', '/usr/lib/x86_64-linux-gnu', '/usr/lib', '/usr/share'];

/** Files until there are so many bytes, with the lists of packages. */
function chooseFiles() {
  const files = ['/var/lib/dpkg/status', '/etc/os-release', '/etc/passwd'].filter((file) => existsSync(file));
  let bytes = 0;
  for (const place of PLACES.filter((path) => existsSync(path))) {
    for (const name of readdirSync(place, { recursive: true })) {
      const file = join(place, name);
      const stat = lstatSync(file, { throwIfNoEntry: false });
      if (stat === undefined || !stat.isFile() || stat.size > IMAGE_BYTES / 10) continue;
      if (bytes + stat.size > IMAGE_BYTES) return { files, bytes };
      files.push(file);
      bytes += stat.size;
    }
  }
  return { files, bytes };
}

/** Milliseconds, medians of rounds that alternate. */
export async function benchScan({ caisson, env: base, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-scan-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store'), XDG_CACHE_HOME: join(scratch, 'cache') };
  const ours = (...words) => {
    const { status, stderr } = spawnSync(process.execPath, [caisson, ...words], { env, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`caisson ${words.join(' ')}: ${stderr}`);
  };
  try {
    const { files, bytes } = chooseFiles();
    writeFileSync(join(scratch, 'list'), files.map((file) => file.slice(1)).join('\n'));
    execFileSync('tar', ['-C', '/', '-cf', join(scratch, 'root.tar'), '-T', join(scratch, 'list')], { stdio: ['ignore', 'ignore', 'ignore'] });
    ours('import', join(scratch, 'root.tar'), 'bench:1');
    rmSync(join(scratch, 'root.tar'));
    const commands = { node: () => execFileSync(process.execPath, ['-e', '0'], { env }), cold: () => ours('scan', '--fail-on', 'never', '--no-cache', 'bench:1'), kept: () => ours('scan', '--fail-on', 'never', 'bench:1') };
    const rows = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
    for (const run of Object.values(commands)) run();
    for (let round = 0; round < rounds; round++) {
      for (const [name, run] of Object.entries(commands)) {
        const started = performance.now();
        run();
        rows[name].push(performance.now() - started);
      }
    }
    const medians = Object.fromEntries(Object.entries(rows).map(([name, times]) => [name, median(times)]));
    console.log(`scan of ${(bytes / 1e6).toFixed(0)} MB in ${files.length} files: ${(medians.cold - medians.node).toFixed(0)} ms above node -e 0, kept ${(medians.kept - medians.node).toFixed(0)} ms`);
    return { ...medians, bytes, files: files.length };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
