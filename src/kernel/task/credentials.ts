/** `struct cred` and the rules of capabilities(7) for changes of identity (kernel/sys.c, security/commoncap.c). */
import { CAP_LAST_CAP } from '../../abi/capability.ts';
import { SECBIT_KEEP_CAPS, SECBIT_NO_SETUID_FIXUP } from '../../abi/prctl.ts';
import type { Key } from '../keys/key.ts';
import type { Credentials } from '../types.ts';

/** Replaced as a whole, never changed: tasks share it. */
export interface TaskCredentials extends Credentials {
  readonly permitted: bigint;
  readonly inheritable: bigint;
  readonly bounding: bigint;
  readonly ambient: bigint;
  readonly securebits: number;
  readonly noNewPrivileges: boolean;
  /** Undefined: that of the user. */
  readonly sessionKeyring?: Key;
}

export const ALL_CAPABILITIES = (1n << BigInt(CAP_LAST_CAP + 1)) - 1n;

/** File system operations: what changes with fsuid (CAP_FS_SET). */
const FILE_SYSTEM_CAPABILITIES = 0x1_0000_021fn;

export function effectiveOf(credentials: Credentials): bigint {
  return BigInt(credentials.capabilitiesLow >>> 0) | (BigInt(credentials.capabilitiesHigh >>> 0) << 32n);
}

export function withEffective(credentials: TaskCredentials, effective: bigint): TaskCredentials {
  return {
    ...credentials,
    capabilitiesLow: Number(effective & 0xffff_ffffn) | 0,
    capabilitiesHigh: Number(effective >> 32n) | 0,
  };
}

export function hasCapability(credentials: Credentials, capability: number): boolean {
  const word = capability < 32 ? credentials.capabilitiesLow : credentials.capabilitiesHigh;
  return ((word >>> (capability & 31)) & 1) !== 0;
}

/** Identity of a fresh process: root has the capabilities of `bounding`, others none. */
export function makeCredentials(uid: number, gid: number, groups: readonly number[] = [gid], bounding = ALL_CAPABILITIES): TaskCredentials {
  const permitted = uid === 0 ? bounding : 0n;
  return withEffective({
    uid, gid, euid: uid, egid: gid, suid: uid, sgid: gid, fsuid: uid, fsgid: gid, groups,
    capabilitiesLow: 0, capabilitiesHigh: 0,
    permitted, inheritable: 0n, bounding, ambient: 0n, securebits: 0, noNewPrivileges: false,
  }, permitted);
}

/** `cap_emulate_setxuid`: what changes when the user ids leave 0 or come back. */
export function fixCapabilities(old: TaskCredentials, next: TaskCredentials): TaskCredentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  let result = next;
  const hadRoot = old.uid === 0 || old.euid === 0 || old.suid === 0;
  const hasRoot = next.uid === 0 || next.euid === 0 || next.suid === 0;
  if (hadRoot && !hasRoot) {
    if ((old.securebits & SECBIT_KEEP_CAPS) === 0) result = withEffective({ ...result, permitted: 0n }, 0n);
    result = { ...result, ambient: 0n };
  }
  if (old.euid === 0 && next.euid !== 0) result = withEffective(result, 0n);
  if (old.euid !== 0 && next.euid === 0) result = withEffective(result, result.permitted);
  return result;
}

/** setfsuid(2): the capabilities for file access follow. */
export function fixFileSystemCapabilities(old: TaskCredentials, next: TaskCredentials): TaskCredentials {
  if ((old.securebits & SECBIT_NO_SETUID_FIXUP) !== 0) return next;
  const effective = effectiveOf(next);
  if (old.fsuid === 0 && next.fsuid !== 0) return withEffective(next, effective & ~FILE_SYSTEM_CAPABILITIES);
  if (old.fsuid !== 0 && next.fsuid === 0) return withEffective(next, effective | (next.permitted & FILE_SYSTEM_CAPABILITIES));
  return next;
}
