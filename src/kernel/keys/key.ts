/** Keys and keyrings, and what each user may have of them (Linux security/keys/key.c, keyring.c). */
import { EDEADLK, EDQUOT, ELOOP } from '../../abi/errno.ts';

/** Kinds of keys: what may be read back by whom, and which payloads there are. */
export type KeyType = 'user' | 'logon' | 'keyring';

/** proc_sys_fs(5), keys: how many keys and bytes a user may have, and root. */
const QUOTA = { keys: 200, bytes: 20_000 };
const ROOT_QUOTA = { keys: 10_000, bytes: 8 << 20 };
/** What all users have together: one that takes on the ids of others gets no further with that. */
const ALL_QUOTA = { keys: 20_000, bytes: 16 << 20 };
/** Users with keyrings of their own; those with nothing in them make room. */
const MOST_USERS = 1000;
/** Keyrings in keyrings (KEYRING_SEARCH_MAX_DEPTH). */
export const MOST_DEPTH = 6;
/** Bytes that each key of a keyring counts for (KEYQUOTA_LINK_BYTES). */
const LINK_BYTES = 4;

export class Key {
  readonly serial: number;
  readonly type: KeyType;
  readonly description: string;
  uid: number;
  gid: number;
  permissions: number;
  payload: Uint8Array = new Uint8Array(0);
  /** Of a keyring: by type and description. */
  readonly links = new Map<string, Key>();
  /** Keyrings that have it. */
  holders = 0;
  state: 'valid' | 'revoked' | 'gone' = 'valid';
  /** Monotonic nanoseconds. */
  expiresNs = Infinity;

  constructor(serial: number, type: KeyType, description: string, uid: number, gid: number, permissions: number) {
    this.serial = serial;
    this.type = type;
    this.description = description;
    this.uid = uid;
    this.gid = gid;
    this.permissions = permissions;
  }

  get index(): string {
    return `${this.type}\0${this.description}`;
  }

  get bytes(): number {
    return this.description.length + 1 + this.payload.length + LINK_BYTES * this.links.size;
  }
}

export interface NewKey {
  readonly type: KeyType;
  readonly description: string;
  readonly uid: number;
  readonly gid: number;
  readonly permissions: number;
  readonly payload?: Uint8Array;
}

/** All keys of a kernel. */
export class KeyTable {
  readonly #keys = new Map<number, Key>();
  readonly #userKeyrings = new Map<number, { readonly user: Key; readonly session: Key }>();
  readonly #random: (bytes: Uint8Array) => void;
  readonly #isHeld: (key: Key) => boolean;

  /** `isHeld` says which keyrings tasks hold on to. */
  constructor(random: (bytes: Uint8Array) => void, isHeld: (key: Key) => boolean) {
    this.#random = random;
    this.#isHeld = isHeld;
  }

  find(serial: number): Key | undefined {
    return this.#keys.get(serial);
  }

  get all(): Iterable<Key> {
    return this.#keys.values();
  }

  /** A key that is in no keyring yet, or -EDQUOT. */
  create(wanted: NewKey): Key | number {
    const bytes = wanted.description.length + 1 + (wanted.payload?.length ?? 0);
    if (!this.#fits(wanted.uid, 1, bytes)) {
      this.#collect();
      if (!this.#fits(wanted.uid, 1, bytes)) return -EDQUOT;
    }
    const key = new Key(this.#serial(), wanted.type, wanted.description, wanted.uid, wanted.gid, wanted.permissions);
    if (wanted.payload !== undefined) key.payload = wanted.payload;
    this.#keys.set(key.serial, key);
    return key;
  }

  #serial(): number {
    const bytes = new Uint8Array(4);
    for (;;) {
      this.#random(bytes);
      const serial = new DataView(bytes.buffer).getUint32(0, true) >>> 2;
      if (serial >= 3 && !this.#keys.has(serial)) return serial;
    }
  }

  #fits(uid: number, moreKeys: number, moreBytes: number): boolean {
    const quota = uid === 0 ? ROOT_QUOTA : QUOTA;
    let keys = moreKeys;
    let bytes = moreBytes;
    let inAll = moreBytes;
    for (const key of this.#keys.values()) {
      inAll += key.bytes;
      if (key.uid !== uid) continue;
      keys++;
      bytes += key.bytes;
    }
    return keys <= quota.keys && bytes <= quota.bytes && this.#keys.size + moreKeys <= ALL_QUOTA.keys && inAll <= ALL_QUOTA.bytes;
  }

  /** Another payload, or -EDQUOT. */
  update(key: Key, payload: Uint8Array): number {
    if (!this.#fits(key.uid, 0, payload.length - key.payload.length)) return -EDQUOT;
    key.payload = payload;
    return 0;
  }

  /** Puts a key into a keyring, in place of one of the same type and description: 0, -EDQUOT, -EDEADLK for a circle, -ELOOP. */
  link(keyring: Key, key: Key): number {
    const before = keyring.links.get(key.index);
    if (before === key) return 0;
    if (key.type === 'keyring') {
      const depth = depthBelow(key, keyring);
      if (depth < 0) return -EDEADLK;
      if (depth >= MOST_DEPTH) return -ELOOP;
    }
    if (before === undefined && !this.#fits(keyring.uid, 0, LINK_BYTES)) return -EDQUOT;
    // Held first: it may be in what it replaces.
    key.holders++;
    if (before !== undefined) this.unlink(keyring, before);
    keyring.links.set(key.index, key);
    return 0;
  }

  /** False: it is not in there. A key that is in no keyring any more is gone. */
  unlink(keyring: Key, key: Key): boolean {
    if (keyring.links.get(key.index) !== key) return false;
    keyring.links.delete(key.index);
    key.holders--;
    if (key.holders === 0 && !this.#stays(key)) this.drop(key);
    return true;
  }

  clear(keyring: Key): void {
    for (const key of [...keyring.links.values()]) this.unlink(keyring, key);
  }

  /** Takes the key out of all keyrings, and what only it had with it. */
  invalidate(key: Key): void {
    for (const keyring of [...this.#keys.values()]) this.unlink(keyring, key);
    this.drop(key);
  }

  /** The key, and those that nothing but it had. Keyrings can be in a chain as long as there may be keys. */
  drop(key: Key): void {
    const gone = [key];
    for (let each = gone.pop(); each !== undefined; each = gone.pop()) {
      if (each.state === 'gone') continue;
      each.state = 'gone';
      this.#keys.delete(each.serial);
      for (const below of each.links.values()) if (--below.holders === 0 && !this.#stays(below)) gone.push(below);
      each.links.clear();
    }
  }

  /** Keyrings of tasks that have ended. */
  #collect(): void {
    for (const key of [...this.#keys.values()]) if (key.holders === 0 && !this.#stays(key)) this.drop(key);
  }

  /** A user's own keyring, and one that a task holds on to, need no other keyring to be in. */
  #stays(key: Key): boolean {
    if (key.type !== 'keyring') return false;
    for (const { user, session } of this.#userKeyrings.values()) if (key === user || key === session) return true;
    return this.#isHeld(key);
  }

  /** Keyrings of users in which nothing is, and which nobody holds on to, end: they are made again when they are asked for. */
  #dropIdleUsers(): void {
    for (const [uid, { user, session }] of [...this.#userKeyrings]) {
      const isEmpty = user.links.size === 0 && [...session.links.values()].every((key) => key === user) && user.holders <= session.links.size && session.holders === 0;
      if (!isEmpty || this.#isHeld(user) || this.#isHeld(session)) continue;
      this.#userKeyrings.delete(uid);
      this.drop(session);
      this.drop(user);
    }
  }

  /** `_uid.N` and `_uid_ses.N`, made at first use; or -EDQUOT. */
  userKeyrings(uid: number): { readonly user: Key; readonly session: Key } | number {
    let pair = this.#userKeyrings.get(uid);
    if (pair === undefined || pair.user.state === 'gone' || pair.session.state === 'gone') {
      if (this.#userKeyrings.size >= MOST_USERS) this.#dropIdleUsers();
      if (this.#userKeyrings.size >= MOST_USERS) return -EDQUOT;
      const make = (description: string): Key => {
        const key = new Key(this.#serial(), 'keyring', description, uid, NO_GROUP, USER_KEYRING_PERMISSIONS);
        this.#keys.set(key.serial, key);
        return key;
      };
      pair = { user: make(`_uid.${uid}`), session: make(`_uid_ses.${uid}`) };
      this.link(pair.session, pair.user);
      this.#userKeyrings.set(uid, pair);
    }
    return pair;
  }
}

/** No group, as the overflow id shows it. */
const NO_GROUP = 65_534;
const USER_KEYRING_PERMISSIONS = 0x1f3f_0000;

/** How deep keyrings are below `key`, `MOST_DEPTH` where it is deeper; -1 if `forbidden` is one of them. Each keyring is looked at once a level. */
function depthBelow(key: Key, forbidden: Key): number {
  if (key === forbidden) return -1;
  let level = new Set([key]);
  for (let depth = 0; depth < MOST_DEPTH; depth++) {
    const below = new Set<Key>();
    for (const keyring of level) for (const child of keyring.links.values()) if (child.type === 'keyring') below.add(child);
    if (below.has(forbidden)) return -1;
    if (below.size === 0) return depth;
    level = below;
  }
  return MOST_DEPTH;
}
