/** Containers in the container: namespaces by Debian's own tools, as on a Linux that has root. By the built command. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { caisson, type RunResult } from '../cli/caisson.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-nested-'));
const bundle = join(scratch, 'bundle');
const inside = (command: readonly string[], flags: readonly string[] = []): Promise<RunResult> => caisson(['do', ...flags, '--', ...command], { timeoutMs: 120_000 });
const asRoot = (script: string): Promise<RunResult> => inside(['sh', '-ec', script], ['--user', '0', '--cap-add', 'ALL']);
const CONFIG = {
  ociVersion: '1.0.0',
  process: { terminal: false, user: { uid: 0, gid: 0 }, args: ['sh', '-c', 'echo pid $$ uid $(id -u) on $(hostname); ps | wc -l; ls /; touch /no || echo read-only'], env: ['PATH=/bin'], cwd: '/' },
  root: { path: 'rootfs', readonly: true },
  hostname: 'inner',
  mounts: [
    { destination: '/proc', type: 'proc', source: 'proc' },
    { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: ['nosuid', 'noexec', 'nodev'] },
  ],
  linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })) },
};

before(() => {
  mkdirSync(join(bundle, 'rootfs/bin'), { recursive: true });
  for (const directory of ['proc', 'dev', 'tmp']) mkdirSync(join(bundle, 'rootfs', directory));
  cpSync('/bin/busybox', join(bundle, 'rootfs/bin/busybox'));
  for (const name of ['sh', 'id', 'hostname', 'ps', 'wc', 'ls', 'touch', 'echo']) symlinkSync('busybox', join(bundle, 'rootfs/bin', name));
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(CONFIG));
});
after(() => rmSync(scratch, { recursive: true }));

test('unshare gives anybody a root of its own, with processes and mounts of its own', async () => {
  const { stdout, stderr, status } = await inside(['unshare', '-Urpf', '--mount-proc', 'sh', '-c', 'id -u; ps -o pid=,comm=; mount -t tmpfs t /mnt && echo mounted']);
  assert.equal(status, 0, stderr);
  assert.match(stdout, /^0\n +1 sh\n +\d ps\nmounted\n$/);
});

test('nsenter and lsns find what unshare made', async () => {
  const { stdout, stderr } = await asRoot('mkfifo /tmp/go; unshare -u sh -c "hostname deep; echo > /tmp/go; exec sleep 60" & read line < /tmp/go; nsenter -t $! -u hostname; lsns -t uts -n -o NPROCS | wc -l; kill $!');
  assert.equal(stdout, 'deep\n2\n', stderr);
});

test('findmnt shows how mounts propagate', async () => {
  const { stdout, stderr } = await asRoot('unshare -m --propagation shared sh -c "mount --make-private / ; mkdir /tmp/m; mount -t tmpfs t /tmp/m; findmnt -n -o PROPAGATION /tmp/m; mount --make-shared /tmp/m; findmnt -n -o PROPAGATION /tmp/m; mount --make-slave /tmp/m; findmnt -n -o PROPAGATION /tmp/m"');
  assert.equal(stdout, 'private\nshared\nprivate\n', stderr);
});

test('bubblewrap runs a program with nothing of its own but what is named', async () => {
  const { stdout, stderr, status } = await inside([
    'bwrap', '--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev', '--tmpfs', '/tmp', '--unshare-all', '--die-with-parent', '--hostname', 'wrapped',
    'sh', '-c', 'hostname; ls /proc | grep -c "^[0-9]"; echo text > /tmp/f && cat /tmp/f; touch /etc/f 2>/dev/null || echo read-only',
  ]);
  assert.equal(status, 0, stderr);
  assert.equal(stdout, 'wrapped\n4\ntext\nread-only\n');
});

test('control groups: ids are those of the PID namespace, and root of a user namespace mounts its own tree', async () => {
  const listed = 'mount -t cgroup2 c /mnt; echo $$ > /mnt/in/cgroup.procs; cat /proc/self/cgroup; head -n 1 /mnt/in/cgroup.procs; echo 4000 > /mnt/in/cgroup.procs || echo none';
  const { stdout, stderr } = await asRoot(`mount -t cgroup2 c /mnt; mkdir /mnt/in; unshare -pf --mount-proc sh -c '${listed}'`);
  assert.equal(stdout, '0::/in\n1\nnone\n', stderr);
  const mounted = await inside(['sh', '-c', 'unshare -UrmC sh -c "mount -t cgroup2 c /mnt && ls /mnt/cgroup.procs; mkdir /mnt/x || echo refused"; unshare -Urm mount -t cgroup2 c /mnt || echo not ours'], ['--user', '1000']);
  assert.equal(mounted.stdout, '/mnt/cgroup.procs\nrefused\nnot ours\n', mounted.stderr);
});

test('crun runs a bundle', async () => {
  const { stdout, stderr } = await asRoot(`mount -t tmpfs c /sys/fs/cgroup; cp -a ${bundle} /tmp/nested; crun --cgroup-manager=disabled --root /tmp/crun run -b /tmp/nested one`);
  assert.equal(stdout, 'pid 1 uid 0 on inner\n4\nbin\ndev\nproc\ntmp\nread-only\n', stderr);
});

/** As scripts of containers in containers do it: a group hands controllers down once no process is in it. */
const GROUPS = 'mount -t cgroup2 c /sys/fs/cgroup; mkdir /sys/fs/cgroup/init; echo 0 > /sys/fs/cgroup/init/cgroup.procs; sed "s/\\b[a-z]/+&/g" /sys/fs/cgroup/cgroup.controllers > /sys/fs/cgroup/cgroup.subtree_control';

test('runc runs a bundle, in a group whose devices are those that it allows', async () => {
  const made = join(scratch, 'runc');
  cpSync(bundle, made, { recursive: true, verbatimSymlinks: true });
  const command = 'echo pid $$ on $(hostname); cat /proc/self/cgroup; echo x > /dev/null; busybox mknod /dev/fuse c 10 229; cat /dev/fuse; busybox mknod /dev/kmsg c 1 11; echo made $?';
  const resources = { devices: [{ allow: false, access: 'rwm' }, { allow: true, type: 'c', major: 10, minor: 229, access: 'm' }], pids: { limit: 50 } };
  writeFileSync(join(made, 'config.json'), JSON.stringify({ ...CONFIG, process: { ...CONFIG.process, args: ['sh', '-c', command], capabilities: { bounding: ['CAP_MKNOD'], effective: ['CAP_MKNOD'], permitted: ['CAP_MKNOD'] } }, linux: { ...CONFIG.linux, resources } }));
  const { stdout, stderr } = await asRoot(`${GROUPS}; cp -a ${made} /tmp/nested; runc --root /tmp/runc run -b /tmp/nested one`);
  // Any node may be made by runc's own rules; what may be opened is what is allowed.
  assert.equal(stdout, 'pid 1 on inner\n0::/one\nmade 0\n', stderr);
  assert.match(stderr, /can't open '\/dev\/fuse': Operation not permitted/);
});

// podman of root keeps locks in /var/cache and /etc, which an ordinary user of the host cannot have made.
for (const runtime of process.getuid?.() === 0 ? ['crun', 'runc'] : []) {
  test(`podman runs a container with ${runtime}`, async () => {
    const { stdout, stderr } = await inside(['sh', '-ec', `${GROUPS}; cd /tmp; tar -C ${join(bundle, 'rootfs')} -c . | podman --storage-driver=vfs --network-config-dir=/tmp/networks import -q - tiny > /dev/null
      podman --storage-driver=vfs --network-config-dir=/tmp/networks --runtime=${runtime} run --rm --network=none --hostname inner --memory 100m tiny sh -c 'echo on $(hostname) as $(id -u), pid $$; busybox cat /proc/self/cgroup | busybox wc -l'`], ['--user', '0', '--cap-add', 'ALL', '-e', 'HOME=/tmp', '--tmpfs', '/var/lib/containers', '--tmpfs', '/run', '--pids-limit', '500']);
    assert.equal(stdout, 'on inner as 0, pid 1\n1\n', stderr);
    assert.equal(stderr, '');
  });
}

test('an overlay keeps what changes in the directory that the guest names', async () => {
  const { stdout, stderr } = await asRoot('cd $(mktemp -d); mkdir l u k m; echo lower > l/f; echo gone > l/g; mount -t overlay -o lowerdir=l,upperdir=u,workdir=k o m; echo upper > m/f; rm m/g; cat m/f l/f u/f; ls m; stat -c %F u/g');
  assert.equal(stdout, 'upper\nlower\nupper\nf\ncharacter special file\n', stderr);
});

test('all tmpfs that a guest mounts have one bound together, and room again when one goes', async () => {
  const { stdout, stderr } = await inside(['unshare', '-Urm', 'sh', '-c', `cd $(mktemp -d); mkdir a b; mount -t tmpfs t a; mount -t tmpfs t b
    head -c 700m /dev/zero > a/f; head -c 700m /dev/zero > b/f || echo full; umount a; head -c 700m /dev/zero > b/f && echo room`]);
  assert.equal(stdout, 'full\nroom\n', stderr);
});
