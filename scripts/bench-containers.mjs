/** The figures of containers that are kept: busybox on scratch. For `bench.mjs`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bulk, together } from './bench-container-work.mjs';

/** Resident memory of a process, in MiB. */
function residentMiB(pid) {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) / 1024;
}

/** Milliseconds by row, medians of rounds that alternate, and MiB. */
export async function benchContainers({ caisson, env: base, rounds, median }) {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-bench-containers-'));
  const env = { ...base, CAISSON_HOME: join(scratch, 'store') };
  const ours = (...words) => execFileSync(process.execPath, [caisson, ...words], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const time = (run) => {
    const started = performance.now();
    run();
    return performance.now() - started;
  };
  const commands = {
    node: () => execFileSync(process.execPath, ['-e', '0'], { env }),
    plain: () => ours('do', '--', '/bin/true'),
    removed: () => ours('run', '--rm', 'busybox', 'true'),
    kept: () => ours('run', 'busybox', 'true'),
    changed: () => ours('run', 'busybox', 'touch', '/x'),
    exec: () => ours('exec', 'idle', '/bin/busybox', 'true'),
    detached: () => ours('run', '-d', '--rm', 'busybox', 'true'),
  };
  try {
    execFileSync('sh', ['-c', `tar -C / -c bin/busybox | "${process.execPath}" "${caisson}" import -c 'ENTRYPOINT ["/bin/busybox"]' - busybox`], { env, stdio: 'ignore' });
    ours('run', '-d', '--name', 'idle', 'busybox', 'sleep', '100000');
    for (let training = 0; training < 6; training++) for (const run of Object.values(commands)) run();
    const rows = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
    for (let round = 0; round < rounds * 3; round++) for (const [name, run] of Object.entries(commands)) rows[name].push(time(run));
    const medians = Object.fromEntries(Object.entries(rows).map(([name, times]) => [name, median(times)]));
    const idleMiB = residentMiB(ours('inspect', '-f', '{{.State.Pid}}', 'idle'));
    const { node, plain, removed, kept, changed, exec, detached } = medians;
    const above = (value, from) => `${(value - from).toFixed(0)} ms above`;
    console.log(`run --rm, run, run that changes a file: ${above(removed, plain)}, ${above(kept, plain)}, ${above(changed, plain)} do -- true`);
    console.log(`exec true: ${above(exec, node)} node -e 0; run -d returns after ${detached.toFixed(0)} ms; an idle one holds ${idleMiB.toFixed(0)} MiB`);
    const bytes = await bulk(ours, median, rounds);
    const times = await together(caisson, env, median, rounds);
    console.log(`through a published port: ${(bytes.out / 1e6).toFixed(0)} MB/s out, ${(bytes.into / 1e6).toFixed(0)} in; two containers that compute do ${times.toFixed(2)} times what one does`);
    return { ...medians, idleMiB, bytes, together: times };
  } finally {
    const ids = ours('ps', '-aq').split('\n').filter((id) => id !== '');
    if (ids.length > 0) ours('rm', '-f', ...ids);
    rmSync(scratch, { recursive: true, force: true });
  }
}
