/** Debian's `runsc` (gVisor) as another side of a benchmark: one command on the host's root directory, under an overlay, with the host's network. For `bench.mjs`. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CAPABILITIES = ['CAP_CHOWN', 'CAP_DAC_OVERRIDE', 'CAP_FOWNER', 'CAP_KILL', 'CAP_NET_BIND_SERVICE', 'CAP_SETGID', 'CAP_SETUID', 'CAP_SYS_CHROOT'];
const TIME_LIMIT_MS = 30_000;

/** Where it starts a command: it needs root, and a platform that the host allows. ptrace needs nothing else; KVM is not asked for, because hosts without it are what Caisson is for. */
const flags = (root) => ['--root', root, '--platform=ptrace', '--network=host', '--overlay', '--ignore-cgroups'];

function bundle(scratch, user, words) {
  const directory = mkdtempSync(join(scratch, 'bundle-'));
  const [uid, gid] = user.split(':').map(Number);
  const capabilities = Object.fromEntries(['bounding', 'effective', 'inheritable', 'permitted'].map((set) => [set, uid === 0 ? CAPABILITIES : []]));
  writeFileSync(join(directory, 'config.json'), JSON.stringify({
    ociVersion: '1.0.2', hostname: 'bench', root: { path: '/' },
    process: { user: { uid, gid }, args: words, env: [`PATH=${process.env.PATH}`], cwd: '/', capabilities, rlimits: [{ type: 'RLIMIT_NOFILE', hard: 4096, soft: 4096 }] },
    mounts: [{ destination: '/proc', type: 'proc', source: 'proc' }, { destination: '/dev', type: 'tmpfs', source: 'tmpfs' }, { destination: '/dev/shm', type: 'tmpfs', source: 'tmpfs' }],
    linux: { namespaces: ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
  }));
  return directory;
}

/** Whether it is there and runs something. */
export function hasRunsc(scratch) {
  if (process.getuid?.() !== 0) return false;
  const { child, end } = startRunsc(scratch, '0:0', ['/bin/true'], spawnSync);
  end();
  return child.status === 0;
}

let count = 0;
/** A command in a sandbox of its own. `end` removes that, whether it runs or not. */
export function startRunsc(scratch, user, words, start = spawn) {
  const root = join(scratch, 'runsc');
  mkdirSync(root, { recursive: true });
  const name = `bench-${process.pid}-${++count}`;
  const child = start('runsc', [...flags(root), 'run', '--bundle', bundle(scratch, user, words), name], { stdio: 'ignore', timeout: start === spawnSync ? TIME_LIMIT_MS : 0 });
  return { child, end: () => spawnSync('runsc', [...flags(root), 'delete', '-force', name], { stdio: 'ignore', timeout: TIME_LIMIT_MS }) };
}
