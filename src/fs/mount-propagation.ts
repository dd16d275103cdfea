/** Mounts that follow each other: shared, slave, private, unbindable (mount_namespaces(7), Linux fs/pnode.c). */
import { MS_PRIVATE, MS_SHARED, MS_SLAVE, MS_UNBINDABLE } from '../abi/mount.ts';
import { isBelow, type Dentry, type Mount, type PeerGroup } from './dentry.ts';

let lastGroup = 0;

/** Makes the mount one of a group, of its own where it has none. */
export function makeShared(mount: Mount): PeerGroup {
  if (mount.peers === undefined) joinPeers(mount, { id: ++lastGroup, members: new Set(), slaves: new Set() });
  return mount.peers!;
}

export function joinPeers(mount: Mount, group: PeerGroup): void {
  mount.peers = group;
  group.members.add(mount);
}

export function followMaster(mount: Mount, master: PeerGroup | undefined): void {
  mount.master?.slaves.delete(mount);
  mount.master = master;
  master?.slaves.add(mount);
}

/** The mount leaves its group; the slaves of a group that is empty then follow the group's own master. */
function leavePeers(mount: Mount): void {
  const group = mount.peers;
  if (group === undefined) return;
  mount.peers = undefined;
  group.members.delete(mount);
  if (group.members.size > 0) return;
  for (const slave of [...group.slaves]) followMaster(slave, mount.master);
}

/** It is unmounted: nothing propagates to it or from it. */
export function leavePropagation(mount: Mount): void {
  leavePeers(mount);
  followMaster(mount, undefined);
}

/** change_mnt_propagation(): `type` is one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE. */
export function changePropagation(mount: Mount, type: number): void {
  if (type === MS_SHARED) {
    makeShared(mount);
    return;
  }
  const group = mount.peers;
  leavePeers(mount);
  if (type === MS_SLAVE) {
    if (group !== undefined && group.members.size > 0) followMaster(mount, group);
    return;
  }
  followMaster(mount, undefined);
  mount.isUnbindable = type === MS_UNBINDABLE;
}

/** What mount(2) may be asked for: exactly one. */
export function isPropagationType(type: number): boolean {
  return type === MS_SHARED || type === MS_SLAVE || type === MS_PRIVATE || type === MS_UNBINDABLE;
}

/** A copy of a mount propagates as the mount does; `asSlave`: it follows where the mount is shared. */
export function copyPropagation(from: Mount, to: Mount, asSlave: boolean): void {
  if (asSlave && from.peers !== undefined) {
    followMaster(to, from.peers);
    return;
  }
  if (from.peers !== undefined) joinPeers(to, from.peers);
  followMaster(to, from.master);
}

/**
 * Where an event on `origin`, at `dentry`, goes (propagate_next). `visit` gets each mount, with what its copy is to be made
 * from, and whether it is a slave's copy and is itself shared; it answers the copy.
 */
export type Visitor<Value> = (receiver: Mount, source: Value, asSlave: boolean) => Value;

export function propagate<Value>(origin: Mount, dentry: Dentry, source: Value, visit: Visitor<Value>): void {
  if (origin.peers !== undefined) propagateGroup(origin.peers, origin, dentry, source, visit);
}

function propagateGroup<Value>(group: PeerGroup, origin: Mount | undefined, dentry: Dentry, source: Value, visit: Visitor<Value>): void {
  for (const member of [...group.members]) if (member !== origin && isBelow(dentry, member.root)) visit(member, source, false);
  const groups = new Set<PeerGroup>();
  for (const slave of [...group.slaves]) {
    if (slave.peers === undefined) {
      if (isBelow(dentry, slave.root)) visit(slave, source, true);
      continue;
    }
    if (groups.has(slave.peers)) continue;
    groups.add(slave.peers);
    const first = [...slave.peers.members].find((member) => isBelow(dentry, member.root));
    const copy = first === undefined ? source : visit(first, source, true);
    propagateGroup(slave.peers, first, dentry, copy, visit);
  }
}
