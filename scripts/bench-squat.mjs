/** The figures of `caisson squat`, and what its policy costs a pull and a run. For `bench.mjs`. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const NAMES = ['ngnix', 'nginx:1.27', 'bitnmai/redis', 'ghrc.io/acme/app', 'registry.example.com/team/app:1.2', 'quay.io/prometheus/prometheus', 'acme/some-service', 'elasticsaerch', 'node:20-alpne', 'dotnet/sdk:8.0'];
const MANY = 100_000;

function startRegistry(caisson, env, directory) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [caisson, 'registry', 'serve', '--listen', '127.0.0.1:0', '--dir', directory], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const host = /http:\/\/(\S+)/.exec(text)?.[1];
      if (host !== undefined) resolve({ child, host });
    });
  });
}

/** Milliseconds by row, medians of rounds that alternate, and references a second. */
export async function benchSquat({ caisson, env: base, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-squat-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store'), XDG_CONFIG_HOME: join(scratch, 'config') };
  const ours = (...words) => spawnSync(process.execPath, [caisson, ...words], { env, encoding: 'utf8' });
  const many = Array.from({ length: MANY }, (_, index) => NAMES[index % NAMES.length]).join('\n');
  const { child, host } = await startRegistry(caisson, env, join(scratch, 'registry'));
  try {
    execFileSync('sh', ['-c', `tar -C / -c bin/busybox | "${process.execPath}" "${caisson}" import -c 'ENTRYPOINT ["/bin/busybox"]' - busybox`], { env, stdio: 'ignore' });
    const image = `${host}/team/busybox:1`;
    ours('push', '-q', 'busybox', image);
    const pull = (policy) => () => ours('pull', '-q', '--squat', policy, image);
    const commands = {
      node: () => execFileSync(process.execPath, ['-e', '0'], { env }), squat: () => ours('squat', 'ngnix'), known: () => ours('squat', 'nginx'),
      pull: pull('warn'), 'pull, off': pull('off'), run: () => ours('run', '--rm', 'busybox', 'true'), 'run, off': () => ours('run', '--rm', '--squat', 'off', 'busybox', 'true'),
    };
    for (let training = 0; training < 3; training++) for (const run of Object.values(commands)) run();
    const rows = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
    for (let round = 0; round < rounds * 3; round++) {
      for (const [name, run] of Object.entries(commands)) {
        const started = performance.now();
        run();
        rows[name].push(performance.now() - started);
      }
    }
    const medians = Object.fromEntries(Object.entries(rows).map(([name, times]) => [name, median(times)]));
    const started = performance.now();
    spawnSync(process.execPath, [caisson, 'squat', '--fail-on', 'never', '--format', 'json', '-'], { env, input: many, maxBuffer: 1 << 30 });
    const perSecond = MANY / ((performance.now() - started - medians.node) / 1000);
    console.log(`squat of one name: ${(medians.squat - medians.node).toFixed(0)} ms above node -e 0, of a known one ${(medians.known - medians.node).toFixed(0)}; ${MANY} names from standard input, reports and all: ${Math.round(perSecond)} a second`);
    console.log(`pull: ${medians.pull.toFixed(0)} ms, without the policy ${medians['pull, off'].toFixed(0)}; run: ${medians.run.toFixed(0)} ms, without ${medians['run, off'].toFixed(0)}`);
    return { ...medians, perSecond };
  } finally {
    child.kill();
    rmSync(scratch, { recursive: true, force: true });
  }
}
