/** sysfs: the few directories that programs look at (sysfs(5), Linux Documentation/ABI). */
import { SYSFS_MAGIC } from '../abi/statfs.ts';
import { PseudoDirectory, PseudoFs } from './pseudo.ts';
import type { SystemView } from './process-view.ts';

/** Attributes of a sysfs appear as one page long. */
function attribute(directory: PseudoDirectory, name: string, text: () => string): void {
  directory.file(name, () => `${text()}\n`);
}

function addProcessors(devices: PseudoDirectory, system: SystemView): void {
  const cpu = devices.directory('cpu');
  const all = system.processors === 1 ? '0' : `0-${system.processors - 1}`;
  for (const name of ['online', 'possible', 'present']) attribute(cpu, name, () => all);
  attribute(cpu, 'offline', () => '');
  attribute(cpu, 'isolated', () => '');
  attribute(cpu, 'kernel_max', () => String(system.processors - 1));
  for (let index = 0; index < system.processors; index++) {
    const one = cpu.directory(`cpu${index}`);
    if (index > 0) attribute(one, 'online', () => '1');
    const topology = one.directory('topology');
    attribute(topology, 'core_id', () => String(index));
    attribute(topology, 'physical_package_id', () => '0');
    attribute(topology, 'core_siblings_list', () => all);
    attribute(topology, 'package_cpus_list', () => all);
    attribute(topology, 'thread_siblings_list', () => String(index));
    attribute(topology, 'core_cpus_list', () => String(index));
    attribute(topology, 'thread_siblings', () => (2 ** index).toString(16));
    addCaches(one.directory('cache'), index);
  }
  const node = devices.directory('node');
  attribute(node, 'online', () => '0');
  attribute(node, 'possible', () => '0');
  attribute(node, 'has_cpu', () => '0');
  const node0 = node.directory('node0');
  attribute(node0, 'cpulist', () => all);
  attribute(node0, 'meminfo', () => [['MemTotal', system.memoryBytes], ['MemFree', system.freeMemoryBytes], ['MemUsed', system.memoryBytes - system.freeMemoryBytes]]
    .map(([name, bytes]) => `Node 0 ${`${name}:`.padEnd(15)}${Math.floor(Number(bytes) / 1024)} kB`).join('\n'));
  attribute(node0, 'distance', () => '10');
  attribute(node0, 'cpumap', () => (2 ** system.processors - 1).toString(16));
}

function addCaches(cache: PseudoDirectory, cpu: number): void {
  const kinds = [['1', 'Data', '32K', '64'], ['1', 'Instruction', '32K', '64'], ['2', 'Unified', '256K', '512'], ['3', 'Unified', '8192K', '8192']] as const;
  for (const [index, [level, type, size, sets]] of kinds.entries()) {
    const one = cache.directory(`index${index}`);
    attribute(one, 'level', () => level);
    attribute(one, 'type', () => type);
    attribute(one, 'size', () => size);
    attribute(one, 'number_of_sets', () => sets);
    attribute(one, 'ways_of_associativity', () => (level === '3' ? '16' : '8'));
    attribute(one, 'coherency_line_size', () => '64');
    attribute(one, 'shared_cpu_list', () => String(cpu));
    attribute(one, 'shared_cpu_map', () => (2 ** cpu).toString(16));
  }
}

export function createSysFs(dev: number, now: () => bigint, system: SystemView): PseudoFs {
  const fileSystem = new PseudoFs('sysfs', dev, SYSFS_MAGIC, now);
  const root = new PseudoDirectory(fileSystem);
  fileSystem.root = root;
  for (const name of ['block', 'bus', 'dev', 'firmware', 'module', 'power', 'hypervisor']) root.directory(name);
  const devices = root.directory('devices');
  addProcessors(devices.directory('system'), system);
  const loopback = devices.directory('virtual').directory('net').directory('lo');
  const link: Readonly<Record<string, string>> = {
    address: '00:00:00:00:00:00', addr_len: '6', broadcast: '00:00:00:00:00:00', carrier: '1', flags: '0x9', ifindex: '1', iflink: '1', mtu: '65536',
    operstate: 'unknown', tx_queue_len: '1000', type: '772', dev_id: '0x0',
  };
  for (const [name, value] of Object.entries(link)) attribute(loopback, name, () => value);
  const statistics = loopback.directory('statistics');
  for (const name of ['rx_bytes', 'rx_packets', 'rx_errors', 'rx_dropped', 'tx_bytes', 'tx_packets', 'tx_errors', 'tx_dropped']) {
    attribute(statistics, name, () => '0');
  }
  const classes = root.directory('class');
  classes.directory('net').add('lo', loopback);
  for (const name of ['block', 'tty', 'mem', 'dmi', 'thermal', 'power_supply']) classes.directory(name);
  const mm = root.directory('kernel').add('debug', new PseudoDirectory(fileSystem)).directory('mm');
  const huge = mm.directory('transparent_hugepage');
  attribute(huge, 'enabled', () => 'always madvise [never]');
  attribute(huge, 'defrag', () => 'always defer defer+madvise madvise [never]');
  attribute(huge, 'shmem_enabled', () => 'always within_size advise [never] deny force');
  attribute(huge, 'hpage_pmd_size', () => '2097152');
  mm.directory('hugepages');
  // What is mounted there is another file system.
  root.directory('fs').directory('cgroup');
  return fileSystem;
}
