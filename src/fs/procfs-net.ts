/** /proc/net: what the network room tells of its sockets and interfaces. */
import { ENOENT } from '../abi/errno.ts';
import { DynamicDirectory, PseudoFile } from './pseudo.ts';
import type { PseudoDirectory, PseudoFs } from './pseudo.ts';
import type { SystemView } from './process-view.ts';
import type { Inode } from './types.ts';

/** Files that /proc/net may have; each is there when the provider knows it. */
const NAMES = [
  'arp', 'dev', 'dev_mcast', 'if_inet6', 'igmp', 'ipv6_route', 'netlink', 'netstat', 'packet', 'protocols', 'raw', 'raw6', 'route', 'snmp', 'snmp6',
  'sockstat', 'sockstat6', 'tcp', 'tcp6', 'udp', 'udp6', 'udplite', 'unix',
];

/** What is shown where no network was made yet: a loopback interface that counts nothing. */
const EMPTY: Readonly<Record<string, string>> = {
  dev: 'Inter-|   Receive                                                |  Transmit\n'
    + ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n'
    + '    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0          0\n',
  route: 'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n',
  if_inet6: '00000000000000000000000000000001 01 80 10 80       lo\n',
  tcp: '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n',
  tcp6: '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n',
  udp: '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops             \n',
  udp6: '  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n',
  unix: 'Num       RefCount Protocol Flags    Type St Inode Path\n',
  arp: 'IP address       HW type     Flags       HW address            Mask     Device\n',
};

const directories = new WeakMap<PseudoFs, DynamicDirectory>();

/** Makes the one /proc/net of a procfs; every process shows it. */
export function addNetFiles(root: PseudoDirectory, system: SystemView): void {
  const { fileSystem } = root;
  const files = new Map<string, PseudoFile>();
  const text = (name: string): string | undefined => system.network(name) ?? EMPTY[name];
  for (const name of NAMES) files.set(name, new PseudoFile(fileSystem, () => text(name) ?? -ENOENT));
  const find = (name: string): Inode | undefined => (text(name) === undefined ? undefined : files.get(name));
  const list = function* (): Iterable<readonly [string, Inode]> {
    for (const [name, file] of files) if (text(name) !== undefined) yield [name, file];
  };
  directories.set(fileSystem, new DynamicDirectory(fileSystem, find, list));
}

export function netDirectory(fileSystem: PseudoFs): Inode | undefined {
  return directories.get(fileSystem);
}
