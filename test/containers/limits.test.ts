/**
 * What a container may use, and what happens to one that wants more: always a defined result, and nothing else suffers. By the built
 * command. Numbers and words are those of Linux's Documentation/admin-guide/cgroup-v2.rst (quoted where a rule is checked), because the
 * hosts of these tests do not give their own controllers of version 2 away; test/conformance/cgroups.c compares the tree itself with the host.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testStore, until } from './testing.ts';

const { run, mustRun, load, remove } = testStore();
const sh = async (flags: readonly string[], script: string): Promise<string> => mustRun(['run', '--rm', ...flags, 'busybox:1', 'sh', '-c', script]);
/** A group of its own for what is in the container, so that the root of the tree can hand controllers down. */
const EMPTY_ROOT = 'cd /sys/fs/cgroup; mkdir main; for p in $(cat cgroup.procs); do echo $p > main/cgroup.procs; done 2>/dev/null;';

before(load);
after(remove);

test('the flags are what the files of the root group say, and inspect', async () => {
  const flags = [
    '--memory', '64m', '--memory-swap', '96m', '--memory-reservation', '32m', '--cpus', '0.5', '--cpu-shares', '512', '--pids-limit', '30', '--cpuset-cpus', '0',
    '--oom-score-adj', '500', '--storage-opt', 'size=8m', '--cgroupns', 'private',
  ];
  const files = 'memory.max memory.swap.max memory.low cpu.max cpu.weight pids.max cpuset.cpus cpuset.cpus.effective cgroup.controllers cgroup.type';
  assert.equal(
    await sh(flags, `cd /sys/fs/cgroup; cat ${files} /proc/self/oom_score_adj /proc/self/cgroup; grep MemTotal /proc/meminfo; df -k / | tail -1 | awk '{print $2}'`),
    '67108864\n33554432\n33554432\n50000 100000\n20\n30\n0\n0\ncpuset cpu io memory pids\ndomain\n500\n0::/\nMemTotal:          65536 kB\n8192\n',
  );
  await mustRun(['create', '--name', 'limited', ...flags, 'busybox:1', 'true']);
  const fields = ['Memory', 'MemorySwap', 'MemoryReservation', 'NanoCpus', 'CpuShares', 'PidsLimit', 'CpusetCpus', 'OomScoreAdj', 'CgroupnsMode'];
  const format = `${fields.map((field) => `{{.HostConfig.${field}}}`).join(' ')} {{json .HostConfig.StorageOpt}}`;
  assert.equal(await mustRun(['inspect', '-f', format, 'limited']), '67108864 100663296 33554432 500000000 512 30 0 500 private {"size":"8388608"}\n');
});

test('limits that make no sense are refused in one line', async () => {
  for (const [flags, message] of [
    [['--memory', '1m'], /Minimum memory limit allowed is 6MB/], [['--memory', 'much'], /it is not a size such as 512m/],
    [['--memory-swap', '64m'], /always set the Memory limit/], [['--memory', '64m', '--memory-swap', '32m'], /should be larger than memory limit/],
    [['--memory', '64m', '--memory-reservation', '65m'], /can not be less than memory reservation/],
    [['--cpus', '0'], /the least is 0\.01/], [['--cpus', 'all'], /not a number/], [['--cpus', '1', '--cpu-quota', '5000'], /cannot both be set/],
    [['--cpu-quota', '5'], /less than 1ms/], [['--cpu-period', '5'], /less than 1ms/], [['--cpu-shares', '1'], /2 to 262144/],
    [['--cpuset-cpus', '0-3'], /Requested CPUs are not available - requested 0-3, available: 0/], [['--cpuset-cpus', 'x'], /Invalid value/],
    [['--oom-score-adj', '1001'], /range for oom score adj is \[-1000, 1000\]/], [['--storage-opt', 'inodes=5'], /it is size=SIZE/],
    [['--cgroupns', 'host'], /never shown/], [['--blkio-weight', '300'], /nothing to divide/], [['--device-write-bps', 'fast'], /not PATH:RATE such as \/dev\/sda:1m/], [['--oom-kill-disable'], /version 2 do not have it/],
  ] as const) {
    const { status, stderr } = await run(['create', ...flags, 'busybox:1', 'true']);
    assert.equal(status, 125, flags.join(' '));
    assert.match(stderr, message, flags.join(' '));
    assert.match(stderr, /^caisson: cannot use [^\n]+\n$/, flags.join(' '));
  }
});

test('memory: the one that wants too much is killed, and its shell goes on', async () => {
  assert.equal(
    await sh(['-m', '32m'], 'tail /dev/zero; echo $?; grep -E "^(max|oom|oom_kill) " /sys/fs/cgroup/memory.events; test $(cat /sys/fs/cgroup/memory.peak) -le 33554432 && echo within'),
    '137\nmax 1\noom 1\noom_kill 1\nwithin\n',
  );
  // A file in memory is memory, too.
  assert.equal(await sh(['-m', '32m', '--tmpfs', '/t'], 'dd if=/dev/zero of=/t/f bs=1M count=64 2>&-; echo $?; rm /t/f; cat /sys/fs/cgroup/memory.events | grep oom_kill; grep shmem /sys/fs/cgroup/memory.stat'), '137\noom_kill 1\nshmem 0\n');
  // What is mapped and not used costs nothing: 1 GB of address space within 32 MB.
  const sparse = 'import mmap; m = mmap.mmap(-1, 1 << 30, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS); m[5] = 1; m[1 << 29] = 1; print(m[5] + m[6] + m[1 << 29])';
  assert.equal(await mustRun(['do', '-m', '32m', '--', 'python3', '-c', sparse]), '2\n');
});

test('memory: a container whose command was killed for it says so', async () => {
  assert.equal((await run(['run', '--name', 'hog', '-m', '32m', 'busybox:1', 'sh', '-c', 'exec tail /dev/zero'])).status, 137);
  assert.equal(await mustRun(['inspect', '-f', '{{.State.OOMKilled}} {{.State.ExitCode}}', 'hog']), 'true 137\n');
  assert.equal(await mustRun(['inspect', '-f', '{{.State.OOMKilled}}', 'limited']), 'false\n');
});

test('memory: oom_score_adj says who goes first, memory.oom.group that all go', async () => {
  const holder = 'tr "\\0" x < /dev/zero | dd bs=8M count=1 iflag=fullblock 2>&- | sleep 1000';
  const holds = 'until [ $(cat /sys/fs/cgroup/memory.current) -gt 8000000 ]; do :; done;';
  assert.equal(await sh(['-m', '24m'], `(echo 1000 > /proc/self/oom_score_adj; ${holder}) & ${holds} dd if=/dev/zero of=/dev/null bs=20M count=1 2>&-; echo $?; grep oom_kill /sys/fs/cgroup/memory.events`), '0\noom_kill 1\n');
  // "Determines whether the cgroup should be treated as an indivisible workload by the OOM killer."
  assert.equal(
    await sh(['--cap-add', 'SYS_ADMIN'], `${EMPTY_ROOT} echo +memory > cgroup.subtree_control; mkdir a; echo 1 > a/memory.oom.group; echo 30M > a/memory.max; cat a/memory.max
      (echo 0 > a/cgroup.procs; sleep 1000 & tail /dev/zero); grep -E "oom_kill|oom_group" a/memory.events; cat a/cgroup.events memory.events.local | grep -E "populated|oom_kill"`),
    '31457280\noom_kill 2\noom_group_kill 1\npopulated 0\noom_kill 0\n',
  );
});

test('tasks: a fork bomb stays within pids.max, its neighbour works, and it can be stopped', async () => {
  await mustRun(['run', '-d', '--name', 'bomb', '--pids-limit', '20', 'busybox:1', 'sh', '-c', 'bomb() { bomb & bomb; }; while :; do (bomb) 2>&-; done']);
  await until(async () => (await run(['exec', 'bomb', 'true'])).status !== 0, 'the bomb has filled its container');
  assert.equal(await sh([], 'echo alive | cat'), 'alive\n');
  await mustRun(['rm', '-f', 'bomb']);
  assert.equal(
    await sh(['--pids-limit', '8'], '(i=0; while [ $i -lt 20 ]; do sleep 1000 & i=$((i+1)); done) 2>&-; read now < /sys/fs/cgroup/pids.current; read peak < /sys/fs/cgroup/pids.peak; read events < /sys/fs/cgroup/pids.events; echo $now $peak $events'),
    '7 8 max 1\n',
  );
});

test('processor: a quota holds back, weights divide, and a frozen group stands still', async () => {
  assert.match(await sh(['--cpus', '0.2'], 'while ! grep -q "nr_throttled [1-9]" /sys/fs/cgroup/cpu.stat; do :; done; cat /sys/fs/cgroup/cpu.max'), /^20000 100000\n$/);
  const [a = 0, b = 0, still = 0] = (await sh(['--cap-add', 'SYS_ADMIN'], `${EMPTY_ROOT} echo "+cpu" > cgroup.subtree_control; mkdir a b; echo 300 > a/cpu.weight
    used() { sed -n 's/usage_usec //p' $1/cpu.stat; }
    for g in a b b; do (echo 0 > $g/cgroup.procs; while :; do :; done) & done
    until [ $(used b) -gt 300000 ]; do sleep 0.1; done
    used a; used b; echo 1 > b/cgroup.freeze; b=$(used b); a=$(used a)
    until [ $(used a) -gt $((a+200000)) ]; do sleep 0.1; done
    echo $(($(used b)-b)); echo 1 > a/cgroup.kill; echo 1 > b/cgroup.kill`)).split('\n').map(Number);
  assert.ok(a / b > 2.4 && a / b < 3.6, `weights 300 and 100 gave ${a} and ${b}`);
  assert.equal(still, 0);
});

test('disk: io.max holds back who writes faster, and io.stat counts', async () => {
  // 4 MB at 4 MB a second, of which the first bytes go at once: the clock inside says that it took its time.
  const script = `up() { read up idle < /proc/uptime; echo \${up%.*}\${up#*.}; }; a=$(up); dd if=/dev/zero of=/f bs=64k count=64 2>&-; b=$(up); [ $((b-a)) -ge 80 ] && echo slow
    cat /sys/fs/cgroup/io.max; grep -o "wbytes=[0-9]* rios=" /sys/fs/cgroup/io.stat; ls -l /f | grep -o 4194304`;
  assert.equal(await sh(['--device-write-bps', '/dev/sda:4m'], script), 'slow\n0:40 rbps=max wbps=4194304 riops=max wiops=max\nwbytes=4194304 rios=\n4194304\n');
});

test('the rules of the tree: no internal processes, top-down, and what is read-only', async () => {
  assert.equal((await run(['run', '--rm', 'busybox:1', 'sh', '-c', 'mkdir /sys/fs/cgroup/a'])).stderr, "mkdir: can't create directory '/sys/fs/cgroup/a': Read-only file system\n");
  const script = `cd /sys/fs/cgroup; try() { sh -c "$1" 2>&1 | sed 's/.*: //'; }
    try 'echo +memory > cgroup.subtree_control'
    ${EMPTY_ROOT} echo "+memory +pids" > cgroup.subtree_control; mkdir a a/b; cat a/cgroup.controllers a/b/cgroup.controllers
    try 'echo +cpu > a/cgroup.subtree_control'; echo +pids > a/cgroup.subtree_control
    try 'echo -pids > cgroup.subtree_control'; cat a/b/pids.max
    for bad in "cpu.max x" "memory.max -5" "pids.max -1" "memory.oom.group 2"; do set -- $bad; [ -e a/$1 ] && try "echo $2 > a/$1"; done
    echo 1G > a/memory.high; cat a/memory.high; echo 5000 > a/memory.low; cat a/memory.low; echo 0 > a/pids.max
    (echo 0 > a/b/cgroup.procs; true | true) 2>&1 | sed 's/.*: //'; cat a/pids.events`;
  assert.equal(
    await sh(['--cap-add', 'SYS_ADMIN'], script),
    // "Non-root cgroups can distribute domain resources to their children only when they don't have any processes of their own."
    // "A controller can be enabled only if the parent has the controller enabled and a controller can't be disabled if one or more children have it enabled."
    'Device or resource busy\nmemory pids\nNo such file or directory\nDevice or resource busy\nmax\nInvalid argument\nInvalid argument\nInvalid argument\n1073741824\n4096\nResource temporarily unavailable\nmax 1\n',
  );
});

test('disk, descriptors and log space: each has its errno, and the command goes on', async () => {
  assert.equal(await sh(['--storage-opt', 'size=2m'], 'dd if=/dev/zero of=/f bs=64k count=100 2>&1 | grep -o "No space left on device"; rm /f; echo fits > /g && cat /g'), 'No space left on device\nfits\n');
  assert.equal(await sh(['--ulimit', 'nofile=12'], '(for i in 3 4 5 6 7 8 9 10 11 12 13; do eval "exec $i</dev/null"; done) 2>&1 | sed "s/.*: //"; cat /dev/null && echo alive'), 'Too many open files\nalive\n');
  await mustRun(['run', '--name', 'talker', '--log-opt', 'max-size=10k', '--log-opt', 'max-file=2', 'busybox:1', 'sh', '-c', 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done']);
  const kept = await mustRun(['logs', 'talker']);
  assert.match(kept, /line 2999\n$/);
  assert.ok(kept.length < 20_480, `${kept.length} bytes were kept`);
});

test('disk: the bound holds over all starts together; what is removed later gives its room back', async () => {
  const script = 'df -k / | tail -1 | awk \'{print $2, ($3 > 1000)}\'; if [ -e /a ]; then rm -f /a; dd if=/dev/zero of=/b bs=64k count=24 2>&1 | grep -o "No space left on device"; else dd if=/dev/urandom of=/a bs=64k count=24 2>/dev/null; fi; exit 0';
  await mustRun(['create', '--name', 'bounded', '--storage-opt', 'size=2m', 'busybox:1', 'busybox', 'sh', '-c', script.replaceAll(/\b(df|tail|awk|rm|dd|grep)\b(?= )/g, 'busybox $1')]);
  const outputs: string[] = [];
  for (let start = 0; start < 3; start++) outputs.push(await mustRun(['start', '-a', 'bounded']));
  // The first fills most of it, the second finds that room taken and makes it free, the third has it.
  assert.deepEqual(outputs, ['2048 0\n', '2048 1\nNo space left on device\n', '2048 0\n']);
});
