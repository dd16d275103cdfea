/** The tables of what holds guests apart and what they can hold themselves to: each is made of the table that the kernel itself works with. */
import * as landlock from '../../src/abi/landlock.ts';
import * as ptrace from '../../src/abi/ptrace.ts';
import * as sched from '../../src/abi/sched.ts';
import type { CgroupFile } from '../../src/fs/cgroup-view.ts';
import { PATH_RIGHTS, PORT_RIGHTS, type LandlockRight } from '../../src/fs/landlock-rights.ts';
import { CONTROLLERS, THREADED } from '../../src/kernel/cgroup/controllers.ts';
import { CgroupTree } from '../../src/kernel/cgroup/tree.ts';
import type { Kernel } from '../../src/kernel/kernel.ts';
import { MOUNT_FLAG_ROWS, UMOUNT_FLAG_ROWS } from '../../src/kernel/mounts/mount-flags.ts';
import { NAMESPACE_KINDS } from '../../src/kernel/namespaces/kinds.ts';
import { SECCOMP_ACTIONS } from '../../src/kernel/seccomp/seccomp.ts';
import { PTRACE_REQUESTS } from '../../src/kernel/syscalls/ptrace.ts';
import { SYSCALL_ROWS } from '../../src/kernel/syscalls/table.ts';
import { capabilityTable } from './capabilities.ts';
import { codes, table } from './markdown.ts';

function namespaceTable(): string[] {
  const nameOf = (flag: number): string => Object.entries(sched).find(([name, value]) => name.startsWith('CLONE_NEW') && value === flag)![0];
  return [
    '### Namespaces',
    '',
    'Each kind is made by unshare(2), clone(2) and clone3(2), entered by setns(2) (by its file, or several at once by a pidfd), shown in `/proc/PID/ns`, kept by an open file or a bind mount of that (nsfs), asked by its ioctls for its kind, owner and parent, and counted against `/proc/sys/user/max_*_namespaces`.',
    '',
    ...table(['namespace', 'flag', 'what is its own', 'and'], NAMESPACE_KINDS.map(({ kind, flag, isolates, note }) => [kind, `\`${nameOf(flag)}\``, isolates, note])),
  ];
}

const EFFECTS = { bounds: 'enforced', acts: 'acts', tells: 'told', kept: 'kept, without effect' } as const;
/** Files of Documentation/admin-guide/cgroup-v2.rst, of the controllers that are there. */
const DOCUMENTED = [
  'cgroup.pressure', 'cpu.pressure', 'memory.pressure', 'io.pressure', 'irq.pressure', 'cpu.uclamp.min', 'cpu.uclamp.max', 'cpu.stat.local', 'io.weight', 'io.latency', 'io.cost.qos', 'io.cost.model', 'io.prio.class',
  'memory.numa_stat', 'memory.swap.high', 'memory.zswap.current', 'memory.zswap.max', 'memory.zswap.writeback', 'cpuset.cpus.exclusive', 'cpuset.cpus.exclusive.effective', 'cpuset.cpus.partition',
  'pids.events.local',
];

function modeText({ read, write }: CgroupFile): string {
  return [read === undefined ? '' : 'read', write === undefined ? '' : 'write'].filter((word) => word !== '').join(', ');
}

function cgroupTable(): string[] {
  // What its files are is all that is asked of the tree.
  const group = new CgroupTree({ limits: { tasks: 1 }, processors: 1 } as Kernel).root;
  const own = new Map(CONTROLLERS.map((name) => [name, new Set(group.controller(name).files().map((file) => file.name))]));
  const files = [...group.files().values()];
  const controllerOf = (name: string): string => CONTROLLERS.find((controller) => own.get(controller)!.has(name)) ?? '';
  const rows = files.map((file) => [`\`${file.name}\``, controllerOf(file.name), modeText(file), EFFECTS[file.effect], file.note ?? '']);
  const missing = DOCUMENTED.filter((name) => !group.files().has(name));
  return [
    '### Control groups',
    '',
    `The tree of cgroup v2, with the controllers ${codes(CONTROLLERS)}; of threaded groups ${codes(THREADED)}. A file without a controller is in every group. What is enforced holds tasks back or ends them; what is told is what the kernel counts.`,
    '',
    ...table(['file', 'controller', 'can be', 'effect', 'and'], rows),
    `Not there: ${codes(missing)}, and the controllers \`hugetlb\`, \`rdma\`, \`misc\`, \`dmem\`.`,
    '',
  ];
}

function seccompTable(): string[] {
  return [
    '### seccomp',
    '',
    ...table(['action', 'what happens'], [...SECCOMP_ACTIONS.values()].map(({ name, meaning }) => [`\`${name}\``, meaning])),
  ];
}

function landlockTable(): string[] {
  const line = (prefix: string) => ({ name, meaning, ofFiles }: LandlockRight): string[] => [`\`${prefix}${name}\``, meaning, prefix.includes('FS') && ofFiles !== true ? 'directories' : prefix.includes('FS') ? 'directories, files' : 'ports'];
  return [
    '### Landlock',
    '',
    `ABI ${landlock.LANDLOCK_ABI}, up to ${landlock.LANDLOCK_MAX_NUM_LAYERS} rulesets on each other. Whoever is restricted also mounts nothing (if a ruleset is about files) and traces nobody who is not.`,
    '',
    ...table(['right', 'what takes it', 'rules for'], [...PATH_RIGHTS.map(line('LANDLOCK_ACCESS_FS_')), ...PORT_RIGHTS.map(line('LANDLOCK_ACCESS_NET_'))]),
  ];
}

const MOUNT_CALLS = ['mount', 'umount2', 'pivot_root', 'open_tree', 'move_mount', 'fsopen', 'fsconfig', 'fsmount', 'fspick', 'mount_setattr', 'statmount', 'listmount'];

function mountTable(): string[] {
  const calls = SYSCALL_ROWS.filter(({ name, handler }) => MOUNT_CALLS.includes(name) && handler !== undefined);
  const kinds = { mount: 'of a mount', call: 'of the call', propagation: 'propagation', ignored: 'ignored', refused: 'EINVAL' } as const;
  return [
    '### Mounts',
    '',
    ...table(['call', 'support', 'and'], calls.map(({ name, support, note }) => [`\`${name}\``, support, note ?? ''])),
    ...table(['flag', 'kind', 'meaning', 'attribute'], [...MOUNT_FLAG_ROWS, ...UMOUNT_FLAG_ROWS].map(({ name, kind, meaning, attribute }) => [`\`${name}\``, kinds[kind], meaning, attribute === undefined ? '' : `\`${name.replace('MS_', 'MOUNT_ATTR_')}\``])),
  ];
}

function ptraceTable(): string[] {
  const constants = Object.entries(ptrace) as [string, number][];
  const requests = constants.filter(([name]) => /^PTRACE_(?!O_|EVENT|SYSCALL_INFO|PEEKSIGINFO_SHARED)/.test(name)).sort(([, a], [, b]) => a - b);
  const options = Object.keys(ptrace).filter((name) => name.startsWith('PTRACE_O_') && name !== 'PTRACE_O_MASK');
  const there = requests.filter(([, request]) => PTRACE_REQUESTS.has(request));
  const missing = requests.filter(([, request]) => !PTRACE_REQUESTS.has(request));
  return [
    '### ptrace',
    '',
    `Requests: ${codes(there.map(([name]) => name))}. Options: ${codes(options)}. EIO answers ${codes(missing.map(([name]) => name))}.`,
    '',
  ];
}

export function isolationTables(): string[] {
  return [
    '## Isolation', '', 'What the kernel holds guests apart with, made of the tables that it works with.', '',
    ...namespaceTable(), ...cgroupTable(), ...capabilityTable(), ...seccompTable(), ...landlockTable(), ...mountTable(), ...ptraceTable(),
  ];
}
