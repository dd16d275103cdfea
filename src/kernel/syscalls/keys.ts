/** add_key(2), request_key(2), keyctl(2) (Linux security/keys/keyctl.c). */
import { EACCES, EFAULT, EINVAL, ENAMETOOLONG, ENODEV, ENOENT, ENOKEY, ENOTDIR, EOPNOTSUPP, EPERM, EEXIST } from '../../abi/errno.ts';
import { CAP_SYS_ADMIN } from '../../abi/capability.ts';
import * as abi from '../../abi/keyctl.ts';
import type { Key, KeyType } from '../keys/key.ts';
import { keyringsOf, POSSESSOR_ALL, SESSION_PERMISSIONS, type Keyrings } from '../keys/keyrings.ts';
import { NO_ID } from '../namespaces/id-map.ts';
import { stringToBytes } from '../mm/user-memory.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const TYPE_LENGTH = 32;
const DESCRIPTION_LENGTH = 4096;
/** Bytes of a call's payload, and of a key of the type `user` or `logon`. */
const MOST_PAYLOAD = 1024 * 1024 - 1;
const MOST_USER_PAYLOAD = 32_767;
const UNCHANGED = 0xffff_ffff;
const TYPES = new Set<string>(['user', 'logon', 'keyring']);
/** A named session keyring that others of the user may join. */
const NAMED_PERMISSIONS = SESSION_PERMISSIONS | (abi.KEY_NEED_LINK << 16);

function isType(type: string): type is KeyType {
  return TYPES.has(type);
}

/** A type's name: EINVAL where it is too long, EPERM for the kernel's own. */
function readType(task: KernelTask, address: number): string | number {
  const type = task.memory.readString(address, TYPE_LENGTH);
  if (typeof type === 'number') return type === -ENAMETOOLONG ? -EINVAL : type;
  return type.startsWith('.') ? -EPERM : type;
}

function readDescription(task: KernelTask, address: number): string | number {
  const description = task.memory.readString(address, DESCRIPTION_LENGTH);
  return description === -ENAMETOOLONG ? -EINVAL : description;
}

/** What the type says of a description and a payload: 0 or -errno. */
function checkKey(type: KeyType, description: string, payload: Uint8Array): number {
  if (type === 'keyring') return payload.length > 0 ? -EINVAL : 0;
  if (type === 'logon' && description.indexOf(':') <= 0) return -EINVAL;
  return payload.length === 0 || payload.length > MOST_USER_PAYLOAD ? -EINVAL : 0;
}

function permissionsOf(type: KeyType): number {
  const hidden = type === 'logon' ? abi.KEY_NEED_READ << 24 : 0;
  return (POSSESSOR_ALL & ~hidden) | (abi.KEY_NEED_VIEW << 16);
}

function addKey(task: KernelTask, typeAddress: number, descriptionAddress: number, address: number, length: number, ringId: number): number {
  if (length > MOST_PAYLOAD || length < 0) return -EINVAL;
  const type = readType(task, typeAddress);
  if (typeof type === 'number') return type;
  const description = readDescription(task, descriptionAddress);
  if (typeof description === 'number') return description;
  if (description.startsWith('.') && type === 'keyring') return -EPERM;
  const payload = length === 0 ? new Uint8Array(0) : task.memory.copyIn(address, length);
  if (payload === undefined) return -EFAULT;
  const rings = keyringsOf(task.kernel);
  const keyring = rings.lookup(task, ringId, abi.KEY_NEED_WRITE, true);
  if (typeof keyring === 'number') return keyring;
  if (!isType(type)) return -ENODEV;
  if (keyring.type !== 'keyring') return -ENOTDIR;
  if (description === '') return -EINVAL;
  const refused = checkKey(type, description, payload);
  if (refused !== 0) return refused;
  const before = keyring.links.get(`${type}\0${description}`);
  if (before !== undefined && type !== 'keyring' && rings.stateOf(before) === 0) {
    const updated = rings.table.update(before, payload);
    return updated < 0 ? updated : before.serial;
  }
  return makeKey(task, rings, keyring, { type, description, payload });
}

function makeKey(task: KernelTask, rings: Keyrings, keyring: Key, wanted: { type: KeyType; description: string; payload: Uint8Array }): number {
  const { fsuid: uid, fsgid: gid } = task.credentials;
  const key = rings.table.create({ ...wanted, uid, gid, permissions: permissionsOf(wanted.type) });
  if (typeof key === 'number') return key;
  const linked = rings.table.link(keyring, key);
  if (linked < 0) rings.table.drop(key);
  return linked < 0 ? linked : key.serial;
}

/** Finds; there is no program that would make what is not there. */
function requestKey(task: KernelTask, typeAddress: number, descriptionAddress: number, callout: number, ringId: number): number {
  const type = readType(task, typeAddress);
  if (typeof type === 'number') return type;
  const description = readDescription(task, descriptionAddress);
  if (typeof description === 'number') return description;
  if (callout !== 0) {
    const information = readDescription(task, callout);
    if (typeof information === 'number') return information;
  }
  const rings = keyringsOf(task.kernel);
  const keyring = ringId === 0 ? undefined : rings.lookup(task, ringId, abi.KEY_NEED_WRITE, true);
  if (typeof keyring === 'number') return keyring;
  if (!isType(type)) return -ENOKEY;
  return linkFound(rings, rings.searchOwn(task, type, description), keyring);
}

function linkFound(rings: Keyrings, found: Key | number, keyring: Key | undefined): number {
  if (typeof found === 'number') return found;
  const linked = keyring === undefined ? 0 : rings.table.link(keyring, found);
  return linked < 0 ? linked : found.serial;
}

type Operation = (task: KernelTask, rings: Keyrings, a: number, b: number, c: number, d: number) => number;

/** An operation on one key for which the caller needs a right. */
function onKey(need: number, use: (task: KernelTask, rings: Keyrings, key: Key, b: number, c: number) => number): Operation {
  return (task, rings, id, b, c) => {
    const key = rings.lookup(task, id | 0, need);
    return typeof key === 'number' ? key : use(task, rings, key, b, c);
  };
}

const joinSession: Operation = (task, rings, address) => {
  const name = address === 0 ? '' : readDescription(task, address);
  if (typeof name === 'number') return name;
  if (name.startsWith('.')) return -EPERM;
  let keyring: Key | number | undefined;
  if (address !== 0) {
    for (const key of rings.table.all) {
      const fits = key.type === 'keyring' && key.description === name && key.uid === task.credentials.uid && (key.permissions & NAMED_PERMISSIONS & 0xff_0000) !== 0;
      if (fits && rings.stateOf(key) === 0) keyring = rings.lookup(task, key.serial, abi.KEY_NEED_SEARCH);
    }
  }
  if (keyring === undefined || typeof keyring === 'number') keyring = rings.makeKeyring(task, address === 0 ? '_ses' : name, address === 0 ? SESSION_PERMISSIONS : NAMED_PERMISSIONS);
  if (typeof keyring === 'number') return keyring;
  task.credentials = { ...task.credentials, sessionKeyring: keyring };
  return keyring.serial;
};

const update: Operation = (task, rings, id, address, length) => {
  if (length > MOST_PAYLOAD || length < 0) return -EINVAL;
  const payload = length === 0 ? new Uint8Array(0) : task.memory.copyIn(address, length);
  if (payload === undefined) return -EFAULT;
  const key = rings.lookup(task, id | 0, abi.KEY_NEED_WRITE);
  if (typeof key === 'number') return key;
  if (key.type === 'keyring') return -EOPNOTSUPP;
  return checkKey(key.type, key.description, payload) || rings.table.update(key, payload);
};

/** Write permission, or that to change attributes. */
const revoke: Operation = (task, rings, id) => {
  let key = rings.lookup(task, id | 0, abi.KEY_NEED_WRITE);
  if (key === -EACCES) key = rings.lookup(task, id | 0, abi.KEY_NEED_SETATTR);
  if (typeof key === 'number') return key;
  key.state = 'revoked';
  key.payload = new Uint8Array(0);
  rings.table.clear(key);
  return 0;
};

const chown = onKey(abi.KEY_NEED_SETATTR, (task, _rings, key, uid, gid) => {
  const { user } = task.credentials;
  const newUid = uid >>> 0 === UNCHANGED ? UNCHANGED : user.kernelUid(uid >>> 0);
  const newGid = gid >>> 0 === UNCHANGED ? UNCHANGED : user.kernelGid(gid >>> 0);
  if ((uid >>> 0 !== UNCHANGED && newUid === NO_ID) || (gid >>> 0 !== UNCHANGED && newGid === NO_ID)) return -EINVAL;
  if (!task.capable(CAP_SYS_ADMIN)) {
    if (newUid !== UNCHANGED && newUid !== key.uid) return -EACCES;
    if (newGid !== UNCHANGED && newGid !== key.gid && !task.credentials.groups.includes(newGid)) return -EACCES;
  }
  if (newUid !== UNCHANGED) key.uid = newUid;
  if (newGid !== UNCHANGED) key.gid = newGid;
  return 0;
});

const setPermissions: Operation = (task, rings, id, permissions) => {
  if ((permissions & ~abi.KEY_ALL) !== 0) return -EINVAL;
  const key = rings.lookup(task, id | 0, abi.KEY_NEED_SETATTR);
  if (typeof key === 'number') return key;
  if (!task.capable(CAP_SYS_ADMIN) && key.uid !== task.credentials.fsuid) return -EACCES;
  key.permissions = permissions;
  return 0;
};

/** All bytes where there is room for them; their number in any case. */
function answer(task: KernelTask, address: number, room: number, bytes: Uint8Array): number {
  if (address === 0 || room < bytes.length) return bytes.length;
  return task.memory.copyOut(address, bytes) < 0 ? -EFAULT : bytes.length;
}

const describe = onKey(abi.KEY_NEED_VIEW, (task, _rings, key, address, room) => {
  const { user } = task.credentials;
  const permissions = key.permissions.toString(16).padStart(8, '0');
  return answer(task, address, room, stringToBytes(`${key.type};${user.shownUid(key.uid)};${user.shownGid(key.gid)};${permissions};${key.description}\0`));
});

/** Readable, or found by searching from what the caller has. */
const read: Operation = (task, rings, id, address, room) => {
  const key = rings.lookup(task, id | 0, 0);
  if (typeof key === 'number') return key;
  const mayRead = typeof rings.lookup(task, id | 0, abi.KEY_NEED_READ) !== 'number' || rings.searchOwn(task, key.type, key.description) === key;
  if (!mayRead) return -EACCES;
  if (key.type === 'logon') return -EOPNOTSUPP;
  if (key.type === 'user') return answer(task, address, room, key.payload);
  const serials = new Uint8Array(4 * key.links.size);
  const view = new DataView(serials.buffer);
  [...key.links.values()].forEach(({ serial }, index) => view.setInt32(4 * index, serial, true));
  return answer(task, address, room, serials);
};

const clear = onKey(abi.KEY_NEED_WRITE, (_task, rings, key) => {
  if (key.type !== 'keyring') return -ENOTDIR;
  rings.table.clear(key);
  return 0;
});

const link: Operation = (task, rings, id, ringId) => {
  const keyring = rings.lookup(task, ringId | 0, abi.KEY_NEED_WRITE, true);
  if (typeof keyring === 'number') return keyring;
  const key = rings.lookup(task, id | 0, abi.KEY_NEED_LINK, true);
  if (typeof key === 'number') return key;
  return keyring.type === 'keyring' ? rings.table.link(keyring, key) : -ENOTDIR;
};

const unlink: Operation = (task, rings, id, ringId) => {
  const keyring = rings.lookup(task, ringId | 0, abi.KEY_NEED_WRITE);
  if (typeof keyring === 'number') return keyring;
  const key = id < 0 || (id | 0) < 0 ? rings.lookup(task, id | 0, 0) : rings.table.find(id) ?? -ENOKEY;
  if (typeof key === 'number') return key;
  if (keyring.type !== 'keyring') return -ENOTDIR;
  return rings.table.unlink(keyring, key) ? 0 : -ENOENT;
};

const search: Operation = (task, rings, id, typeAddress, descriptionAddress, ringId) => {
  const type = readType(task, typeAddress);
  if (typeof type === 'number') return type;
  const description = readDescription(task, descriptionAddress);
  if (typeof description === 'number') return description;
  const start = rings.lookup(task, id | 0, abi.KEY_NEED_SEARCH);
  if (typeof start === 'number') return start;
  const keyring = (ringId | 0) === 0 ? undefined : rings.lookup(task, ringId | 0, abi.KEY_NEED_WRITE, true);
  if (typeof keyring === 'number') return keyring;
  if (!isType(type)) return -ENOKEY;
  return start.type === 'keyring' ? linkFound(rings, rings.search(task, start, type, description, true), keyring) : -ENOTDIR;
};

const setTimeout = onKey(abi.KEY_NEED_SETATTR, (task, _rings, key, seconds) => {
  key.expiresNs = seconds === 0 ? Infinity : task.kernel.monotonicNs() + (seconds >>> 0) * 1e9;
  return 0;
});

const move: Operation = (task, rings, id, fromId, toId, flags) => {
  if ((flags & ~abi.KEYCTL_MOVE_EXCL) !== 0) return -EINVAL;
  const key = rings.lookup(task, id | 0, abi.KEY_NEED_LINK, true);
  if (typeof key === 'number') return key;
  const from = rings.lookup(task, fromId | 0, abi.KEY_NEED_WRITE);
  if (typeof from === 'number') return from;
  const to = rings.lookup(task, toId | 0, abi.KEY_NEED_WRITE, true);
  if (typeof to === 'number') return to;
  if (from.type !== 'keyring' || to.type !== 'keyring') return -ENOTDIR;
  if (from === to) return 0;
  if (from.links.get(key.index) !== key) return -ENOENT;
  if ((flags & abi.KEYCTL_MOVE_EXCL) !== 0 && to.links.has(key.index)) return -EEXIST;
  const linked = rings.table.link(to, key);
  if (linked === 0) rings.table.unlink(from, key);
  return linked;
};

const CAPABILITIES = new Uint8Array([abi.KEYCTL_CAPS0_CAPABILITIES | abi.KEYCTL_CAPS0_INVALIDATE | abi.KEYCTL_CAPS0_MOVE, 0]);

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [abi.KEYCTL_GET_KEYRING_ID, (task, rings, id, creates) => {
    const key = rings.lookup(task, id | 0, abi.KEY_NEED_SEARCH, creates !== 0);
    return typeof key === 'number' ? key : key.serial;
  }],
  [abi.KEYCTL_JOIN_SESSION_KEYRING, joinSession],
  [abi.KEYCTL_UPDATE, update],
  [abi.KEYCTL_REVOKE, revoke],
  [abi.KEYCTL_CHOWN, chown],
  [abi.KEYCTL_SETPERM, setPermissions],
  [abi.KEYCTL_DESCRIBE, describe],
  [abi.KEYCTL_CLEAR, clear],
  [abi.KEYCTL_LINK, link],
  [abi.KEYCTL_UNLINK, unlink],
  [abi.KEYCTL_SEARCH, search],
  [abi.KEYCTL_READ, read],
  // What is not found is not made, so that it is put nowhere: the default place is the one that there is.
  [abi.KEYCTL_SET_REQKEY_KEYRING, (_task, _rings, place) => ((place | 0) === abi.KEY_REQKEY_DEFL_NO_CHANGE || (place | 0) === 0 ? 0 : -EINVAL)],
  [abi.KEYCTL_SET_TIMEOUT, setTimeout],
  [abi.KEYCTL_ASSUME_AUTHORITY, (_task, _rings, id) => ((id | 0) === 0 ? 0 : -ENOKEY)],
  // There are no security labels.
  [abi.KEYCTL_GET_SECURITY, onKey(abi.KEY_NEED_VIEW, (task, _rings, _key, address, room) => answer(task, address, room, new Uint8Array(1)))],
  [abi.KEYCTL_INVALIDATE, onKey(abi.KEY_NEED_SEARCH, (_task, rings, key) => {
    rings.table.invalidate(key);
    return 0;
  })],
  [abi.KEYCTL_MOVE, move],
  [abi.KEYCTL_CAPABILITIES, (task, _rings, address, room) => {
    const bytes = CAPABILITIES.subarray(0, Math.max(0, room));
    return task.memory.copyOut(address, bytes) < 0 ? -EFAULT : CAPABILITIES.length;
  }],
]);

function keyctl(task: KernelTask, operation: number, a: number, b: number, c: number, d: number): number {
  return OPERATIONS.get(operation)?.(task, keyringsOf(task.kernel), a, b, c, d) ?? -EOPNOTSUPP;
}

export const keyRows: readonly SyscallRow[] = [
  row(248, 'add_key', ['pointer', 'pointer', 'pointer', 'size', 'int'], addKey, { support: 'partial', note: 'Types user, logon and keyring; else ENODEV.' }),
  row(249, 'request_key', ['pointer', 'pointer', 'pointer', 'int'], requestKey, { support: 'partial', note: 'Finds keys; no program is called to make one (ENOKEY).' }),
  row(250, 'keyctl', ['int', 'long', 'long', 'long', 'long'], keyctl, { support: 'partial', note: 'No instantiation, public keys, persistent keyrings, restrictions and watches (EOPNOTSUPP).' }),
];
