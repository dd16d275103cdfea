/** /proc/meminfo, cpuinfo, stat and the like (Linux fs/proc/*.c, arch/x86/kernel/cpu/proc.c). */
import type { PseudoDirectory } from './pseudo.ts';
import type { SystemView } from './process-view.ts';

/** Clock ticks of a second (USER_HZ). */
const TICKS = 100;

export function ticks(nanoseconds: number): number {
  return Math.floor((nanoseconds * TICKS) / 1e9);
}

function meminfo(system: SystemView): string {
  const line = (name: string, bytes: number): string => `${`${name}:`.padEnd(16)}${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
  const { memoryBytes: total, freeMemoryBytes: free } = system;
  const used = Math.max(0, total - free);
  return [
    line('MemTotal', total), line('MemFree', free), line('MemAvailable', free), line('Buffers', 0), line('Cached', 0), line('SwapCached', 0),
    line('Active', used), line('Inactive', 0), line('Active(anon)', used), line('Inactive(anon)', 0), line('Active(file)', 0), line('Inactive(file)', 0),
    line('Unevictable', 0), line('Mlocked', 0), line('SwapTotal', 0), line('SwapFree', 0), line('Dirty', 0), line('Writeback', 0), line('AnonPages', used),
    line('Mapped', 0), line('Shmem', 0), line('KReclaimable', 0), line('Slab', 0), line('SReclaimable', 0), line('SUnreclaim', 0), line('KernelStack', 0),
    line('PageTables', 0), line('NFS_Unstable', 0), line('Bounce', 0), line('WritebackTmp', 0), line('CommitLimit', total), line('Committed_AS', used),
    line('VmallocTotal', 2 ** 45), line('VmallocUsed', 0), line('VmallocChunk', 0), line('Percpu', 0), line('HardwareCorrupted', 0),
    line('AnonHugePages', 0), line('ShmemHugePages', 0), line('ShmemPmdMapped', 0), line('FileHugePages', 0), line('FilePmdMapped', 0),
    'HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n', line('Hugetlb', 0),
  ].join('');
}

function cpuinfo(system: SystemView): string {
  let text = '';
  for (let cpu = 0; cpu < system.processors; cpu++) {
    text += `processor\t: ${cpu}
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 44
model name\t: Caisson virtual x86-64-v2 processor
stepping\t: 2
microcode\t: 0x1
cpu MHz\t\t: 1000.000
cache size\t: 32768 KB
physical id\t: 0
siblings\t: ${system.processors}
core id\t\t: ${cpu}
cpu cores\t: ${system.processors}
apicid\t\t: ${cpu}
initial apicid\t: ${cpu}
fpu\t\t: yes
fpu_exception\t: yes
cpuid level\t: 22
wp\t\t: yes
flags\t\t: ${system.cpuFlags.join(' ')}
bugs\t\t:
bogomips\t: 2000.00
clflush size\t: 64
cache_alignment\t: 64
address sizes\t: 32 bits physical, 48 bits virtual
power management:

`;
  }
  return text;
}

function stat(system: SystemView): string {
  const user = ticks(system.userNs);
  const kernel = ticks(system.systemNs);
  const idle = ticks(system.idleNs);
  let text = `cpu  ${user} 0 ${kernel} ${idle} 0 0 0 0 0 0\n`;
  for (let cpu = 0; cpu < system.processors; cpu++) {
    text += cpu === 0 ? `cpu0 ${user} 0 ${kernel} ${Math.floor(idle / system.processors)} 0 0 0 0 0 0\n`
      : `cpu${cpu} 0 0 0 ${Math.floor(idle / system.processors)} 0 0 0 0 0 0\n`;
  }
  return `${text}intr 0\nctxt ${system.contextSwitches}\nbtime ${system.bootTimeSeconds}\nprocesses ${system.tasksCreated}\n`
    + `procs_running ${Math.max(1, system.tasksRunning)}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n`;
}

function seconds(nanoseconds: number): string {
  return (Math.floor(nanoseconds / 1e7) / 100).toFixed(2);
}

const FILE_SYSTEMS = ['sysfs', 'tmpfs', 'proc', 'cgroup2', 'devpts', 'overlay', 'ramfs', 'mqueue', 'sockfs', 'pipefs', 'anon_inodefs', 'hostfs'];

const DEVICE_LIST = `Character devices:
  1 mem
  5 /dev/tty
  5 /dev/console
  5 /dev/ptmx
136 pts

Block devices:
`;

export function addSystemFiles(root: PseudoDirectory, system: SystemView): void {
  root.file('meminfo', () => meminfo(system));
  root.file('cpuinfo', () => cpuinfo(system));
  root.file('stat', () => stat(system));
  root.file('uptime', () => `${seconds(system.uptimeNs)} ${seconds(system.idleNs)}\n`);
  root.file('loadavg', () => {
    const loads = system.loadAverage.map((load) => load.toFixed(2)).join(' ');
    return `${loads} ${Math.max(1, system.tasksRunning)}/${system.tasksTotal} ${system.lastPid}\n`;
  });
  root.file('version', () => `Linux version ${system.release} (caisson) ${system.version}\n`);
  root.file('filesystems', () => FILE_SYSTEMS.map((name) => `nodev\t${name}\n`).join(''));
  root.file('cmdline', () => 'BOOT_IMAGE=/caisson quiet\n');
  root.file('devices', () => DEVICE_LIST);
  root.file('misc', () => '');
  root.file('modules', () => '');
  root.file('partitions', () => 'major minor  #blocks  name\n\n');
  root.file('swaps', () => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n');
  root.file('diskstats', () => '');
  root.file('interrupts', () => `           ${'CPU0       '.repeat(system.processors)}\n`);
  root.file('softirqs', () => `                    ${'CPU0       '.repeat(system.processors)}\n`);
  root.file('vmstat', () => `nr_free_pages ${Math.floor(system.freeMemoryBytes / 4096)}\npgfault 0\npgmajfault 0\n`);
  root.file('zoneinfo', () => '');
  root.file('cgroups', () => `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${system.controllers.map((name) => `${name}\t0\t${system.cgroupCount()}\t1\n`).join('')}`);
  root.file('locks', () => '');
  root.file('execdomains', () => '0-0\tLinux           \t[kernel]\n');
  root.file('crypto', () => '');
  const pressure = root.directory('pressure');
  for (const name of ['cpu', 'io', 'memory']) {
    pressure.file(name, () => 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n');
  }
  root.directory('tty').file('drivers', () => '/dev/tty             /dev/tty        5       0 system:/dev/tty\n');
}
