/** `struct cred` and the rules of capabilities(7) for changes of identity (kernel/sys.c, security/commoncap.c). */
import { CAP_LAST_CAP } from '../../abi/capability.ts';
import { hasCapability } from '../../fs/permission.ts';
import { SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP } from '../../abi/prctl.ts';
import type { Key } from '../keys/key.ts';
import type { UserNamespace } from '../namespaces/user-namespace.ts';
import type { Credentials } from '../types.ts';

/** All of them but the user namespace. */
export interface Identity extends Credentials {
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly securebits: number;
  readonly noNewPrivileges: boolean;
  /** Undefined: that of the user. */
  readonly sessionKeyring?: Key;
}

/** Replaced as a whole, never changed: tasks share it. The ids are the kernel's, which are those of the first user namespace. */
export interface TaskCredentials extends Identity {
  readonly user: UserNamespace;
}

/** Whose memory a process leaves: who may do the same as it. */
export function memoryUser({ uid, euid, suid, gid, egid, sgid, permitted, user }: TaskCredentials): string {
  return [uid, euid, suid, gid, egid, sgid, permitted, user.ino].join('.');
}

export const ALL_CAPABILITIES = (1n << BigInt(CAP_LAST_CAP + 1)) - 1n;

/** File system operations: what changes with fsuid (CAP_FS_SET). */
const FILE_SYSTEM_CAPABILITIES = 0x1_0000_021fn;

export function effectiveOf(credentials: Credentials): bigint {
  return BigInt(credentials.capabilitiesLow >>> 0) | (BigInt(credentials.capabilitiesHigh >>> 0) << 32n);
}

export function withEffective<Kind extends Identity>(credentials: Kind, effective: bigint): Kind {
  return {
    ...credentials,
    capabilitiesLow: Number(effective & 0xffff_ffffn) | 0,
    capabilitiesHigh: Number(effective >> 32n) | 0,
  };
}

export { hasCapability };

/** Identity of a fresh process: root has the capabilities of `bounding`, others none. */
export function makeCredentials(uid: number, gid: number, groups: readonly number[] = [gid], bounding = ALL_CAPABILITIES): Identity {
  const permitted = uid === 0 ? bounding : 0n;
  return withEffective({
    uid, gid, euid: uid, egid: gid, suid: uid, sgid: gid, fsuid: uid, fsgid: gid, groups,
    capabilitiesLow: 0, capabilitiesHigh: 0,
    permitted, inheritable: 0n, bounding, ambient: 0n, securebits: 0, noNewPrivileges: false,
  }, permitted);
}

/** The credentials of a process of a user namespace. */
export function withinUserNamespace(identity: Identity, user: UserNamespace): TaskCredentials {
  return { ...identity, user, idMapping: user.isFirst ? undefined : user };
}

/** set_cred_user_ns(): all capabilities, which count in the namespace only. */
export function enterUserNamespace(credentials: TaskCredentials, user: UserNamespace): TaskCredentials {
  const entered = { ...withinUserNamespace(credentials, user), permitted: ALL_CAPABILITIES, inheritable: 0n, bounding: ALL_CAPABILITIES, ambient: 0n, securebits: 0 };
  return withEffective(entered, ALL_CAPABILITIES);
}

/** `cap_emulate_setxuid`: what changes when the user ids leave 0 or come back. */
export function fixCapabilities(old: TaskCredentials, next: TaskCredentials): TaskCredentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  let result = next;
  const { root } = old.user;
  const hadRoot = old.uid === root || old.euid === root || old.suid === root;
  const hasRoot = next.uid === root || next.euid === root || next.suid === root;
  if (hadRoot && !hasRoot) {
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) result = withEffective({ ...result, permitted: 0n }, 0n);
    result = { ...result, ambient: 0n };
  }
  if (old.euid === root && next.euid !== root) result = withEffective(result, 0n);
  if (old.euid !== root && next.euid === root) result = withEffective(result, result.permitted);
  return result;
}

/** setfsuid(2): the capabilities for file access follow. */
export function fixFileSystemCapabilities(old: TaskCredentials, next: TaskCredentials): TaskCredentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const effective = effectiveOf(next);
  const { root } = old.user;
  if (old.fsuid === root && next.fsuid !== root) return withEffective(next, effective & ~FILE_SYSTEM_CAPABILITIES);
  if (old.fsuid !== root && next.fsuid === root) return withEffective(next, effective | (next.permitted & FILE_SYSTEM_CAPABILITIES));
  return next;
}
