/** User namespaces: user_namespaces(7), Linux kernel/user_namespace.c, security/commoncap.c:cap_capable(). */
import { CAP_SETFCAP, CAP_SETGID, CAP_SETUID, CAP_SYS_ADMIN } from '../../abi/capability.ts';
import { EINVAL, EPERM } from '../../abi/errno.ts';
import { CLONE_NEWUSER } from '../../abi/sched.ts';
import { nextNamespaceInode, USER_NAMESPACE, type NamespaceIdentity } from '../../fs/namespace-identity.ts';
import type { IdMapping } from '../../fs/types.ts';
import { hasCapability, type TaskCredentials } from '../task/credentials.ts';
import { EMPTY_MAP, formatIdMap, IDENTITY_MAP, IdMap, NO_ID, OVERFLOW_ID, parseIdMap } from './id-map.ts';

/** Levels below the first one. */
export const MOST_LEVELS = 32;

export type IdKind = 'uid' | 'gid' | 'projid';

/** `struct user_namespace`. */
export class UserNamespace implements NamespaceIdentity, IdMapping {
  readonly flag = CLONE_NEWUSER;
  readonly ino: number;
  readonly parent: UserNamespace | undefined;
  readonly level: number;
  /** The kernel's ids of who made it. */
  readonly owner: number;
  readonly ownerGroup: number;
  /** Its maker could have given files capabilities for root of the parent (`parent_could_setfcap`). */
  readonly #makerCouldSetFileCapabilities: boolean;
  uids: IdMap;
  gids: IdMap;
  projids: IdMap;
  /** USERNS_SETGROUPS_ALLOWED. */
  allowsSetgroups: boolean;

  constructor(maker?: TaskCredentials) {
    this.parent = maker?.user;
    this.level = this.parent === undefined ? 0 : this.parent.level + 1;
    this.ino = this.parent === undefined ? USER_NAMESPACE : nextNamespaceInode();
    this.owner = maker?.euid ?? 0;
    this.ownerGroup = maker?.egid ?? 0;
    this.#makerCouldSetFileCapabilities = maker !== undefined && hasCapability(maker, CAP_SETFCAP);
    this.allowsSetgroups = this.parent?.allowsSetgroups ?? true;
    this.uids = this.gids = this.projids = this.parent === undefined ? IDENTITY_MAP : EMPTY_MAP;
  }

  get isFirst(): boolean {
    return this.parent === undefined;
  }

  /** make_kuid(): the kernel's id, or `NO_ID`. */
  kernelUid(uid: number): number {
    return this.parent === undefined ? uid : this.uids.toKernel(uid);
  }

  kernelGid(gid: number): number {
    return this.parent === undefined ? gid : this.gids.toKernel(gid);
  }

  /** from_kuid_munged(): the id as it is seen in here. */
  shownUid(uid: number): number {
    return this.parent === undefined ? uid : shown(this.uids.fromKernel(uid));
  }

  shownGid(gid: number): number {
    return this.parent === undefined ? gid : shown(this.gids.fromKernel(gid));
  }

  mapsUid(uid: number): boolean {
    return this.parent === undefined || this.uids.fromKernel(uid) !== NO_ID;
  }

  mapsGid(gid: number): boolean {
    return this.parent === undefined || this.gids.fromKernel(gid) !== NO_ID;
  }

  /** The kernel's id of root in here; `NO_ID` where there is none. */
  get root(): number {
    return this.kernelUid(0);
  }

  /** This one or one below it (in_userns). */
  isWithin(ancestor: UserNamespace): boolean {
    for (let at: UserNamespace | undefined = this; at !== undefined && at.level >= ancestor.level; at = at.parent) if (at === ancestor) return true;
    return false;
  }

  /** userns_may_setgroups(): not before there are groups. */
  get maySetgroups(): boolean {
    return this.allowsSetgroups && this.gids.ranges.length > 0;
  }

  mapOf(kind: IdKind): IdMap {
    return kind === 'uid' ? this.uids : kind === 'gid' ? this.gids : this.projids;
  }

  /** The text of the map for a reader in `reader`: the lower ids are the reader's, or the parent's for a reader in here. */
  mapText(kind: IdKind, reader: UserNamespace): string {
    const lower = reader === this && this.parent !== undefined ? this.parent : reader;
    return formatIdMap(this.mapOf(kind), (id) => (lower.parent === undefined ? id : lower.mapOf(kind).fromKernel(id)));
  }

  /** map_write(): once, by a file of who has the rights, which the writer must have as well. 0 or -errno. */
  writeMap(kind: IdKind, text: string, opener: TaskCredentials, writer: TaskCredentials): number {
    const { parent } = this;
    if (parent === undefined || (opener.user !== this && opener.user !== parent)) return -EPERM;
    if (this.mapOf(kind).ranges.length > 0) return -EPERM;
    if (kind !== 'projid' && !capableIn(opener, this, CAP_SYS_ADMIN)) return -EPERM;
    const wanted = parseIdMap(text);
    if (typeof wanted === 'number') return wanted;
    if (!this.#mayMap(kind, wanted, parent, opener, writer)) return -EPERM;
    const above = parent.mapOf(kind);
    const ranges = wanted.map(({ first, lower, count }) => ({ first, lower: above.toKernel(lower, count), count }));
    if (ranges.some(({ lower }) => lower === NO_ID)) return -EPERM;
    const map = new IdMap(ranges);
    if (kind === 'uid') this.uids = map;
    else if (kind === 'gid') this.gids = map;
    else this.projids = map;
    return 0;
  }

  /** new_idmap_permitted(). */
  #mayMap(kind: IdKind, wanted: IdMap['ranges'], parent: UserNamespace, opener: TaskCredentials, writer: TaskCredentials): boolean {
    if (kind === 'projid') return true;
    // Root of the parent could give itself capabilities on files that the parent trusts (verify_root_map).
    if (kind === 'uid' && wanted.some(({ lower }) => lower === 0)) {
      const may = opener.user === this ? this.#makerCouldSetFileCapabilities : capableIn(opener, parent, CAP_SETFCAP);
      if (!may) return false;
    }
    const [only] = wanted;
    if (wanted.length === 1 && only!.count === 1 && opener.euid === this.owner) {
      if (kind === 'uid' && parent.kernelUid(only!.lower) === opener.euid) return true;
      if (kind === 'gid' && !this.allowsSetgroups && parent.kernelGid(only!.lower) === opener.egid) return true;
    }
    const needed = kind === 'uid' ? CAP_SETUID : CAP_SETGID;
    return capableIn(writer, parent, needed) && capableIn(opener, parent, needed);
  }

  /** proc_setgroups_write(). */
  writeSetgroups(text: string): number {
    const word = /^(allow|deny)\s*$/.exec(text)?.[1];
    if (word === undefined || text.length >= 8) return -EINVAL;
    if (word === 'allow') return this.allowsSetgroups ? 0 : -EPERM;
    if (this.gids.ranges.length > 0) return this.allowsSetgroups ? -EPERM : 0;
    this.allowsSetgroups = false;
    return 0;
  }
}

function shown(id: number): number {
  return id === NO_ID ? OVERFLOW_ID : id;
}

/** ns_capable(): the capability counts in its own namespace, and in those below that its user made. */
export function capableIn(credentials: TaskCredentials, target: UserNamespace, capability: number): boolean {
  const own = credentials.user;
  for (let at = target; ; at = at.parent!) {
    if (at === own) return hasCapability(credentials, capability);
    if (at.level <= own.level) return false;
    if (at.parent === own && at.owner === credentials.euid) return true;
  }
}
