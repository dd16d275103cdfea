/** bpf(2), as far as container runtimes need it: programs that say which devices a control group may use (kernel/bpf/syscall.c). */
import {
  BPF_ATTR_SIZE, BPF_CGROUP_DEVICE, BPF_CGROUP_INET_EGRESS, BPF_CGROUP_INET_INGRESS, BPF_DEVCG_CONTEXT_SIZE, BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, BPF_F_ANY_ALIGNMENT, BPF_F_QUERY_EFFECTIVE, BPF_F_REPLACE, BPF_F_STRICT_ALIGNMENT, BPF_NAME_SIZE, BPF_OBJ_GET_INFO_BY_FD,
  BPF_PROG_ATTACH, BPF_PROG_DETACH, BPF_PROG_GET_FD_BY_ID, BPF_PROG_GET_NEXT_ID, BPF_PROG_INFO_SIZE, BPF_PROG_LOAD, BPF_PROG_QUERY, BPF_PROG_TYPE_CGROUP_DEVICE, BPF_PROG_TYPE_CGROUP_SKB,
} from '../../abi/bpf.ts';
import { CAP_BPF, CAP_NET_ADMIN, CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { E2BIG, EBADF, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, EPERM } from '../../abi/errno.ts';
import { cgroupOf } from '../../fs/cgroupfs.ts';
import { INSTRUCTION_SIZE, decode } from '../bpf/instructions.ts';
import { MOST_INSTRUCTIONS } from '../bpf/limits.ts';
import { BpfProgramFile, bpfProgramsOf } from '../bpf/program.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { verify } from '../bpf/verify.ts';
import { Cgroup } from '../cgroup/cgroup.ts';
import { specialFilesOf } from '../files/special-files.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const PAGE_SIZE = 4096;
const EACH_NAME = /^[\w.]*$/;

/** Programs that are taken. Those about packets can be loaded, which is how libraries find out what there is, and attached nowhere. */
const TYPES: ReadonlyMap<number, { readonly attachTypes: readonly number[]; readonly contextSize: number }> = new Map([
  [BPF_PROG_TYPE_CGROUP_SKB, { attachTypes: [BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS], contextSize: 0 }],
  [BPF_PROG_TYPE_CGROUP_DEVICE, { attachTypes: [BPF_CGROUP_DEVICE], contextSize: BPF_DEVCG_CONTEXT_SIZE }],
]);

/** The `attr` of a command, zeros behind what was given. */
class Attributes {
  readonly #view: DataView;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u32(offset: number): number {
    return this.#view.getUint32(offset, true);
  }
  /** A pointer; one that leads out of all memory stays one. */
  pointer(offset: number): number {
    return Number(this.#view.getBigUint64(offset, true));
  }
  /** CHECK_ATTR: nothing is given behind what the command knows. */
  endsAt(offset: number): boolean {
    return this.bytes.subarray(offset).every((byte) => byte === 0);
  }
}

function programOf(task: KernelTask, fd: number): BpfProgram | undefined {
  const file = task.files.get(fd | 0);
  return file instanceof BpfProgramFile ? file.program : undefined;
}

function groupOf(task: KernelTask, fd: number): Cgroup | number {
  const file = task.files.get(fd | 0);
  const group = file === undefined ? undefined : cgroupOf(file.inode);
  if (!(group instanceof Cgroup)) return -EBADF;
  return group.removed ? -ENOENT : group;
}

function install(task: KernelTask, program: BpfProgram): number {
  const file = new BpfProgramFile(specialFilesOf(task.kernel).anonymousInode, program);
  const fd = task.files.install(file, true);
  if (fd < 0) file.release();
  return fd;
}

/** Tells why, where somebody wants to know. */
function log(task: KernelTask, attributes: Attributes, text: string): number {
  const [level, size, address] = [attributes.u32(24), attributes.u32(28), attributes.pointer(32)];
  if (level === 0 || size === 0) return 0;
  const bytes = new TextEncoder().encode(`${text}\n\0`);
  const target = task.memory.writable(address, Math.min(size, bytes.length));
  if (target === undefined) return -EFAULT;
  target.set(bytes.subarray(0, target.length));
  if (target.length < bytes.length) target[target.length - 1] = 0;
  return target.length < bytes.length ? -ENOSPC : 0;
}

function load(task: KernelTask, attributes: Attributes): number {
  const [type, count, flags] = [attributes.u32(0), attributes.u32(4), attributes.u32(44)];
  if ((flags & ~(BPF_F_STRICT_ALIGNMENT | BPF_F_ANY_ALIGNMENT)) !== 0) return -EINVAL;
  if (count === 0 || count > MOST_INSTRUCTIONS) return -E2BIG;
  if (!task.capable(CAP_NET_ADMIN) && !task.capable(CAP_SYS_ADMIN)) return -EPERM;
  // What Linux has for tracing and so on is not here: as to who may not.
  const kind = TYPES.get(type);
  if (kind === undefined) return -EPERM;
  const expected = attributes.u32(68);
  if (expected !== 0 && !kind.attachTypes.includes(expected)) return -EINVAL;
  const ended = [...attributes.bytes.subarray(48, 48 + BPF_NAME_SIZE)].indexOf(0);
  const name = String.fromCharCode(...attributes.bytes.subarray(48, 48 + Math.max(ended, 0)));
  if (ended < 0 || !EACH_NAME.test(name)) return -EINVAL;
  if (task.memory.readString(attributes.pointer(16), 128) === -EFAULT) return -EFAULT;
  const bytes = task.memory.copyIn(attributes.pointer(8), count * INSTRUCTION_SIZE);
  if (bytes === undefined) return -EFAULT;
  const instructions = decode(bytes);
  const refusal = verify(instructions, kind.contextSize);
  if (refusal !== undefined) {
    const told = log(task, attributes, refusal.why);
    return told === 0 ? -refusal.errno : told;
  }
  const program = bpfProgramsOf(task.kernel).make({ type, name, uid: task.credentials.uid, instructions });
  return program === undefined ? -ENOMEM : install(task, program);
}

function attach(task: KernelTask, attributes: Attributes): number {
  if (!attributes.endsAt(20)) return -EINVAL;
  const flags = attributes.u32(12);
  const attachType = attributes.u32(8);
  const type = [...TYPES].find(([, { attachTypes }]) => attachTypes.includes(attachType))?.[0];
  if (type === undefined || (flags & ~(BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI | BPF_F_REPLACE)) !== 0) return -EINVAL;
  const program = programOf(task, attributes.u32(4));
  if (program === undefined) return -EBADF;
  if (program.type !== type) return -EINVAL;
  const group = groupOf(task, attributes.u32(0));
  if (typeof group === 'number') return group;
  if (type !== BPF_PROG_TYPE_CGROUP_DEVICE) return -EPERM;
  const kept = flags & ~BPF_F_REPLACE;
  if (kept === (BPF_F_ALLOW_OVERRIDE | BPF_F_ALLOW_MULTI)) return -EINVAL;
  if ((flags & BPF_F_REPLACE) === 0) return group.devices.attach(program, kept, undefined);
  const replaced = programOf(task, attributes.u32(16));
  return replaced === undefined ? -EBADF : group.devices.attach(program, kept, replaced);
}

function detach(task: KernelTask, attributes: Attributes): number {
  if (!attributes.endsAt(12) || attributes.u32(8) !== BPF_CGROUP_DEVICE) return -EINVAL;
  const group = groupOf(task, attributes.u32(0));
  return typeof group === 'number' ? group : group.devices.detach(programOf(task, attributes.u32(4)));
}

function query(task: KernelTask, attributes: Attributes, address: number): number {
  if (!task.capable(CAP_NET_ADMIN) && !task.capable(CAP_SYS_ADMIN)) return -EPERM;
  const flags = attributes.u32(8);
  if ((flags & ~BPF_F_QUERY_EFFECTIVE) !== 0 || attributes.u32(4) !== BPF_CGROUP_DEVICE) return -EINVAL;
  const group = groupOf(task, attributes.u32(0));
  if (typeof group === 'number') return group;
  const isEffective = (flags & BPF_F_QUERY_EFFECTIVE) !== 0;
  const programs = isEffective ? group.devices.effective() : group.devices.programs;
  const [ids, room] = [attributes.pointer(16), attributes.u32(24)];
  if (task.memory.writeU32(address + 12, isEffective ? 0 : group.devices.flags) !== 0 || task.memory.writeU32(address + 24, programs.length) !== 0) return -EFAULT;
  if (room === 0 || ids === 0 || programs.length === 0) return 0;
  for (const [index, { id }] of programs.slice(0, room).entries()) if (task.memory.writeU32(ids + 4 * index, id) !== 0) return -EFAULT;
  return room < programs.length ? -ENOSPC : 0;
}

function nextId(task: KernelTask, attributes: Attributes, address: number): number {
  if (!attributes.endsAt(12) || attributes.u32(0) >= 0x7fff_ffff) return -EINVAL;
  if (!task.capable(CAP_SYS_ADMIN)) return -EPERM;
  const next = [...bpfProgramsOf(task.kernel).all.keys()].find((id) => id > attributes.u32(0));
  return next === undefined ? -ENOENT : task.memory.writeU32(address + 4, next);
}

function openById(task: KernelTask, attributes: Attributes): number {
  if (!attributes.endsAt(4)) return -EINVAL;
  if (!task.capable(CAP_SYS_ADMIN)) return -EPERM;
  const program = bpfProgramsOf(task.kernel).all.get(attributes.u32(0));
  return program === undefined ? -ENOENT : install(task, program);
}

function information(task: KernelTask, attributes: Attributes, address: number): number {
  if (!attributes.endsAt(16)) return -EINVAL;
  const program = programOf(task, attributes.u32(0));
  if (program === undefined) return task.files.get(attributes.u32(0) | 0) === undefined ? -EBADF : -EINVAL;
  const length = Math.min(attributes.u32(4), BPF_PROG_INFO_SIZE);
  const bytes = new Uint8Array(BPF_PROG_INFO_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [offset, value] of [[0, program.type], [4, program.id], [20, program.instructions.length * INSTRUCTION_SIZE], [48, program.uid]] as const) view.setUint32(offset, value, true);
  bytes.set(new TextEncoder().encode(program.name), 64);
  const target = task.memory.writable(attributes.pointer(8), length);
  if (target === undefined) return -EFAULT;
  target.set(bytes.subarray(0, length));
  return task.memory.writeU32(address + 4, length);
}

const COMMANDS: ReadonlyMap<number, (task: KernelTask, attributes: Attributes, address: number) => number> = new Map([
  [BPF_PROG_LOAD, load], [BPF_PROG_ATTACH, attach], [BPF_PROG_DETACH, detach], [BPF_PROG_QUERY, query], [BPF_PROG_GET_NEXT_ID, nextId], [BPF_PROG_GET_FD_BY_ID, openById], [BPF_OBJ_GET_INFO_BY_FD, information],
]);

/** Commands up to BPF_PROG_BIND_MAP: there are no others. */
const LAST_COMMAND = 35;

function bpf(task: KernelTask, command: number, address: number, size: number): number {
  // kernel.unprivileged_bpf_disabled is 2.
  if (!task.capable(CAP_BPF) && !task.capable(CAP_SYS_ADMIN)) return -EPERM;
  if (size > PAGE_SIZE) return -E2BIG;
  const given = task.memory.copyIn(address, size);
  if (given === undefined) return -EFAULT;
  if (given.subarray(BPF_ATTR_SIZE).some((byte) => byte !== 0)) return -E2BIG;
  const bytes = new Uint8Array(BPF_ATTR_SIZE);
  bytes.set(given.subarray(0, BPF_ATTR_SIZE));
  const found = COMMANDS.get(command);
  if (found === undefined) return command >= 0 && command <= LAST_COMMAND ? -EPERM : -EINVAL;
  return found(task, new Attributes(bytes), address);
}

export const bpfRows: readonly SyscallRow[] = [
  row(321, 'bpf', ['int', 'pointer', 'uint'], bpf, { support: 'partial', note: 'Only programs of devices of control groups (BPF_PROG_TYPE_CGROUP_DEVICE) are attached: no maps, no calls, no other types (EPERM).' }),
];
