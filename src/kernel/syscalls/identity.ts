/** Who a task is: user and group ids (kernel/sys.c, kernel/groups.c), capabilities (kernel/capability.c). */
import { EFAULT, EINVAL, EPERM, ESRCH } from '../../abi/errno.ts';
import { CAP_SETGID, CAP_SETPCAP, CAP_SETUID } from '../../abi/capability.ts';
import { effectiveOf, fixCapabilities, fixFileSystemCapabilities, withEffective, type TaskCredentials } from '../task/credentials.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row, type CoreHandler } from './define.ts';

const NGROUPS_MAX = 65_536;
/** (uid_t)-1: leave as it is. */
const UNCHANGED = 0xffff_ffff;
const CAPABILITY_VERSION_1 = 0x1998_0330;
const CAPABILITY_VERSION_2 = 0x2007_1026;
const CAPABILITY_VERSION_3 = 0x2008_0522;

/** The kernel's ids of those that a call gave, `UNCHANGED` ones left so; undefined where the caller's user namespace has no such id. */
function kernelIds(task: KernelTask, kind: 'uid' | 'gid', ids: readonly number[]): readonly number[] | undefined {
  const { user } = task.credentials;
  if (user.isFirst) return ids;
  const known = ids.map((id) => (id === UNCHANGED ? id : kind === 'uid' ? user.kernelUid(id) : user.kernelGid(id)));
  return known.some((id, index) => id === UNCHANGED && ids[index] !== UNCHANGED) ? undefined : known;
}

/** A call with `count` ids as one with the kernel's; the registers that it does not take need not hold an id. */
function withKernelIds(kind: 'uid' | 'gid', count: number, call: (task: KernelTask, ...ids: readonly [number, number, number]) => number): CoreHandler {
  return (task, a, b, c) => {
    const ids = kernelIds(task, kind, [a, b, c].slice(0, count));
    return ids === undefined ? -EINVAL : call(task, ids[0]!, ids[1] ?? UNCHANGED, ids[2] ?? UNCHANGED);
  };
}

// ---- users ----

function commitUsers(task: KernelTask, next: TaskCredentials): number {
  const old = task.credentials;
  const fixed = fixCapabilities(old, { ...next, fsuid: next.euid });
  if (old.euid !== fixed.euid || old.fsuid !== fixed.fsuid) task.process.dumpable = 0;
  task.credentials = fixFileSystemCapabilities(old, fixed);
  return 0;
}

function setuid(task: KernelTask, uid: number): number {
  const old = task.credentials;
  if (uid === UNCHANGED) return -EINVAL;
  if (task.capableIn(task.credentials.user, CAP_SETUID)) return commitUsers(task, { ...old, uid, euid: uid, suid: uid });
  if (uid !== old.uid && uid !== old.suid) return -EPERM;
  return commitUsers(task, { ...old, euid: uid });
}

function setreuid(task: KernelTask, uid: number, euid: number): number {
  const old = task.credentials;
  const capable = task.capableIn(task.credentials.user, CAP_SETUID);
  if (uid !== UNCHANGED && uid !== old.uid && uid !== old.euid && !capable) return -EPERM;
  if (euid !== UNCHANGED && euid !== old.uid && euid !== old.euid && euid !== old.suid && !capable) return -EPERM;
  const next = { ...old, uid: uid === UNCHANGED ? old.uid : uid, euid: euid === UNCHANGED ? old.euid : euid };
  if (uid !== UNCHANGED || (euid !== UNCHANGED && euid !== old.uid)) next.suid = next.euid;
  return commitUsers(task, next);
}

function setresuid(task: KernelTask, uid: number, euid: number, suid: number): number {
  const old = task.credentials;
  const allowed = (id: number): boolean => id === UNCHANGED || id === old.uid || id === old.euid || id === old.suid;
  if (!task.capableIn(task.credentials.user, CAP_SETUID) && !(allowed(uid) && allowed(euid) && allowed(suid))) return -EPERM;
  return commitUsers(task, {
    ...old,
    uid: uid === UNCHANGED ? old.uid : uid,
    euid: euid === UNCHANGED ? old.euid : euid,
    suid: suid === UNCHANGED ? old.suid : suid,
  });
}

function setfsuid(task: KernelTask, number: number): number {
  const old = task.credentials;
  const uid = old.user.kernelUid(number);
  if (uid !== UNCHANGED && (task.capableIn(task.credentials.user, CAP_SETUID) || uid === old.uid || uid === old.euid || uid === old.suid || uid === old.fsuid)) {
    task.credentials = fixFileSystemCapabilities(old, { ...old, fsuid: uid });
  }
  return old.user.shownUid(old.fsuid);
}

// ---- groups ----

function setgid(task: KernelTask, gid: number): number {
  const old = task.credentials;
  if (gid === UNCHANGED) return -EINVAL;
  if (task.capableIn(task.credentials.user, CAP_SETGID)) task.credentials = { ...old, gid, egid: gid, sgid: gid, fsgid: gid };
  else if (gid === old.gid || gid === old.sgid) task.credentials = { ...old, egid: gid, fsgid: gid };
  else return -EPERM;
  return 0;
}

function setregid(task: KernelTask, gid: number, egid: number): number {
  const old = task.credentials;
  const capable = task.capableIn(task.credentials.user, CAP_SETGID);
  if (gid !== UNCHANGED && gid !== old.gid && gid !== old.egid && !capable) return -EPERM;
  if (egid !== UNCHANGED && egid !== old.gid && egid !== old.egid && egid !== old.sgid && !capable) return -EPERM;
  const next = { ...old, gid: gid === UNCHANGED ? old.gid : gid, egid: egid === UNCHANGED ? old.egid : egid };
  if (gid !== UNCHANGED || (egid !== UNCHANGED && egid !== old.gid)) next.sgid = next.egid;
  task.credentials = { ...next, fsgid: next.egid };
  return 0;
}

function setresgid(task: KernelTask, gid: number, egid: number, sgid: number): number {
  const old = task.credentials;
  const allowed = (id: number): boolean => id === UNCHANGED || id === old.gid || id === old.egid || id === old.sgid;
  if (!task.capableIn(task.credentials.user, CAP_SETGID) && !(allowed(gid) && allowed(egid) && allowed(sgid))) return -EPERM;
  const effective = egid === UNCHANGED ? old.egid : egid;
  task.credentials = { ...old, gid: gid === UNCHANGED ? old.gid : gid, egid: effective, sgid: sgid === UNCHANGED ? old.sgid : sgid, fsgid: effective };
  return 0;
}

function setfsgid(task: KernelTask, number: number): number {
  const old = task.credentials;
  const gid = old.user.kernelGid(number);
  if (gid !== UNCHANGED && (task.capableIn(task.credentials.user, CAP_SETGID) || gid === old.gid || gid === old.egid || gid === old.sgid || gid === old.fsgid)) {
    task.credentials = { ...old, fsgid: gid };
  }
  return old.user.shownGid(old.fsgid);
}

function getgroups(task: KernelTask, size: number, address: number): number {
  const { groups, user } = task.credentials;
  if (size < 0) return -EINVAL;
  if (size === 0) return groups.length;
  if (groups.length > size) return -EINVAL;
  for (let i = 0; i < groups.length; i++) if (task.memory.writeU32(address + 4 * i, user.shownGid(groups[i]!)) < 0) return -EFAULT;
  return groups.length;
}

function setgroups(task: KernelTask, size: number, address: number): number {
  const { user } = task.credentials;
  if (!task.capableIn(user, CAP_SETGID) || !user.maySetgroups) return -EPERM;
  if (size < 0 || size > NGROUPS_MAX) return -EINVAL;
  const groups: number[] = [];
  for (let i = 0; i < size; i++) {
    const gid = task.memory.readU32(address + 4 * i);
    if (gid === undefined) return -EFAULT;
    const known = user.kernelGid(gid);
    if (known === UNCHANGED) return -EINVAL;
    groups.push(known);
  }
  task.credentials = { ...task.credentials, groups: groups.sort((a, b) => a - b) };
  return 0;
}

function writeThree(task: KernelTask, addresses: readonly number[], values: readonly number[]): number {
  return addresses.some((address, index) => task.memory.writeU32(address, values[index]!) < 0) ? -EFAULT : 0;
}

// ---- capabilities ----

/** Number of data elements of a version, after writing back the preferred one for an unknown version. */
function capabilityWords(task: KernelTask, header: number): number {
  const version = task.memory.readU32(header);
  if (version === undefined) return -EFAULT;
  if (version === CAPABILITY_VERSION_1) return 1;
  if (version === CAPABILITY_VERSION_2 || version === CAPABILITY_VERSION_3) return 2;
  return task.memory.writeU32(header, CAPABILITY_VERSION_3) < 0 ? -EFAULT : -EINVAL;
}

function capget(task: KernelTask, header: number, data: number): number {
  const words = capabilityWords(task, header);
  if (words < 0) return data === 0 && words === -EINVAL ? 0 : words;
  const pid = task.memory.readI32(header + 4);
  if (pid === undefined) return -EFAULT;
  if (pid < 0) return -EINVAL;
  const target = pid === 0 ? task : task.kernel.findTask(task.idOf(pid));
  if (target === undefined) return -ESRCH;
  if (data === 0) return 0;
  const { permitted, inheritable } = target.credentials;
  const sets = [effectiveOf(target.credentials), permitted, inheritable];
  for (let word = 0; word < words; word++) {
    for (let i = 0; i < 3; i++) {
      if (task.memory.writeU32(data + 12 * word + 4 * i, Number((sets[i]! >> BigInt(32 * word)) & 0xffff_ffffn)) < 0) return -EFAULT;
    }
  }
  return 0;
}

function capset(task: KernelTask, header: number, data: number): number {
  const words = capabilityWords(task, header);
  if (words < 0) return words;
  const pid = task.memory.readI32(header + 4);
  if (pid === undefined) return -EFAULT;
  if (pid !== 0 && pid !== task.number) return -EPERM;
  const sets = [0n, 0n, 0n];
  for (let word = 0; word < words; word++) {
    for (let i = 0; i < 3; i++) {
      const value = task.memory.readU32(data + 12 * word + 4 * i);
      if (value === undefined) return -EFAULT;
      sets[i] = sets[i]! | (BigInt(value) << BigInt(32 * word));
    }
  }
  const old = task.credentials;
  const all = (1n << 41n) - 1n;
  const [effective, permitted, inheritable] = sets.map((set) => set & all) as [bigint, bigint, bigint];
  // cap_capset: nothing may be added to permitted, and what is inherited must be permitted or bounded.
  if ((permitted & ~old.permitted) !== 0n || (effective & ~permitted) !== 0n) return -EPERM;
  if (!task.capableIn(task.credentials.user, CAP_SETPCAP) && (inheritable & ~(old.inheritable | old.permitted)) !== 0n) return -EPERM;
  if ((inheritable & ~(old.inheritable | old.bounding)) !== 0n) return -EPERM;
  task.credentials = withEffective({ ...old, permitted, inheritable, ambient: old.ambient & permitted & inheritable }, effective);
  return 0;
}

export const identityRows: readonly SyscallRow[] = [
  row(102, 'getuid', [], ({ credentials }) => credentials.user.shownUid(credentials.uid)),
  row(104, 'getgid', [], ({ credentials }) => credentials.user.shownGid(credentials.gid)),
  row(105, 'setuid', ['id'], withKernelIds('uid', 1, setuid)),
  row(106, 'setgid', ['id'], withKernelIds('gid', 1, setgid)),
  row(107, 'geteuid', [], ({ credentials }) => credentials.user.shownUid(credentials.euid)),
  row(108, 'getegid', [], ({ credentials }) => credentials.user.shownGid(credentials.egid)),
  row(113, 'setreuid', ['id', 'id'], withKernelIds('uid', 2, setreuid)),
  row(114, 'setregid', ['id', 'id'], withKernelIds('gid', 2, setregid)),
  row(115, 'getgroups', ['int', 'pointer'], getgroups),
  row(116, 'setgroups', ['int', 'pointer'], setgroups),
  row(117, 'setresuid', ['id', 'id', 'id'], withKernelIds('uid', 3, setresuid)),
  row(118, 'getresuid', ['pointer', 'pointer', 'pointer'], (task, a, b, c) => writeThree(task, [a, b, c], [task.credentials.uid, task.credentials.euid, task.credentials.suid].map((id) => task.credentials.user.shownUid(id)))),
  row(119, 'setresgid', ['id', 'id', 'id'], withKernelIds('gid', 3, setresgid)),
  row(120, 'getresgid', ['pointer', 'pointer', 'pointer'], (task, a, b, c) => writeThree(task, [a, b, c], [task.credentials.gid, task.credentials.egid, task.credentials.sgid].map((id) => task.credentials.user.shownGid(id)))),
  row(122, 'setfsuid', ['id'], setfsuid),
  row(123, 'setfsgid', ['id'], setfsgid),
  row(125, 'capget', ['pointer', 'pointer'], capget),
  row(126, 'capset', ['pointer', 'pointer'], capset),
];
