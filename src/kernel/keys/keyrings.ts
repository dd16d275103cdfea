/** The keyrings of a task, and which keys it finds and may use (Linux security/keys/process_keys.c, permission.c). */
import { EACCES, EINVAL, EKEYEXPIRED, EKEYREVOKED, ENOKEY } from '../../abi/errno.ts';
import {
  KEY_NEED_SEARCH, KEY_SPEC_PROCESS_KEYRING, KEY_SPEC_REQKEY_AUTH_KEY, KEY_SPEC_REQUESTOR_KEYRING, KEY_SPEC_SESSION_KEYRING, KEY_SPEC_THREAD_KEYRING,
  KEY_SPEC_USER_KEYRING, KEY_SPEC_USER_SESSION_KEYRING,
} from '../../abi/keyctl.ts';
import { inGroup } from '../../fs/permission.ts';
import type { Kernel } from '../kernel.ts';
import type { Mm } from '../mm/mm.ts';
import type { Process } from '../task/process.ts';
import type { KernelTask } from '../task/task.ts';
import { MOST_DEPTH, KeyTable, type Key, type KeyType } from './key.ts';

export const POSSESSOR_ALL = 0x3f00_0000;
/** Of a thread's or process's own keyring, of a session's, and of a session's that has a name. */
const OWN_PERMISSIONS = POSSESSOR_ALL | 0x01_0000;
export const SESSION_PERMISSIONS = POSSESSOR_ALL | 0x03_0000;

/** A keyring that ends with the program. */
interface Own {
  readonly mm: Mm;
  readonly key: Key;
}

/** What a kernel keeps of keys. */
export class Keyrings {
  readonly kernel: Kernel;
  readonly table: KeyTable;
  readonly #ofThreads = new WeakMap<KernelTask, Own>();
  readonly #ofProcesses = new WeakMap<Process, Own>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.table = new KeyTable((bytes) => kernel.random(bytes), this.isHeld);
  }

  /** The thread's keyring, or undefined; it does not survive exec. */
  threadKeyring(task: KernelTask): Key | undefined {
    const own = this.#ofThreads.get(task);
    return own?.mm === task.mm ? own.key : undefined;
  }

  processKeyring(task: KernelTask): Key | undefined {
    const own = this.#ofProcesses.get(task.process);
    return own?.mm === task.mm ? own.key : undefined;
  }

  /** The session's, or the user's for sessions; or -EDQUOT. */
  sessionKeyring(task: KernelTask): Key | number {
    return task.credentials.sessionKeyring ?? this.#ofUser(task, 'session');
  }

  #ofUser(task: KernelTask, which: 'user' | 'session'): Key | number {
    const pair = this.table.userKeyrings(task.credentials.uid);
    return typeof pair === 'number' ? pair : pair[which];
  }

  /** A task that lives holds on to it. */
  readonly isHeld = (key: Key): boolean => {
    for (const process of this.kernel.processes()) {
      for (const task of process.tasks) {
        if (task.credentials.sessionKeyring === key || this.threadKeyring(task) === key || this.processKeyring(task) === key) return true;
      }
    }
    return false;
  };

  makeKeyring(task: KernelTask, description: string, permissions: number): Key | number {
    const { uid, gid } = task.credentials;
    return this.table.create({ type: 'keyring', description, uid, gid, permissions });
  }

  #makeOwn(task: KernelTask, isThread: boolean): Key | number {
    const key = this.makeKeyring(task, isThread ? '_tid' : '_pid', OWN_PERMISSIONS);
    if (typeof key === 'number') return key;
    const own = { mm: task.mm, key };
    if (isThread) this.#ofThreads.set(task, own);
    else this.#ofProcesses.set(task.process, own);
    return key;
  }

  /** A keyring by one of the special numbers, or -errno. */
  special(task: KernelTask, id: number, creates: boolean): Key | number {
    switch (id) {
      case KEY_SPEC_THREAD_KEYRING:
        return this.threadKeyring(task) ?? (creates ? this.#makeOwn(task, true) : -ENOKEY);
      case KEY_SPEC_PROCESS_KEYRING:
        return this.processKeyring(task) ?? (creates ? this.#makeOwn(task, false) : -ENOKEY);
      case KEY_SPEC_SESSION_KEYRING:
        return this.sessionKeyring(task);
      case KEY_SPEC_USER_KEYRING:
        return this.#ofUser(task, 'user');
      case KEY_SPEC_USER_SESSION_KEYRING:
        return this.#ofUser(task, 'session');
      case KEY_SPEC_REQKEY_AUTH_KEY:
      case KEY_SPEC_REQUESTOR_KEYRING:
        return -ENOKEY;
      default:
        return -EINVAL;
    }
  }

  #ownKeyrings(task: KernelTask): Key[] {
    return [this.threadKeyring(task), this.processKeyring(task), this.sessionKeyring(task)].filter((key) => typeof key === 'object');
  }

  /** Reached from one of the task's own keyrings by keyrings that may be searched, and may itself be found so. */
  #possesses(task: KernelTask, key: Key): boolean {
    return permits(task, key, KEY_NEED_SEARCH, true) && this.#ownKeyrings(task).some((keyring) => keyring === key || this.#walk(task, keyring, true, (found) => found === key));
  }

  /** Keys below a keyring, nearest first, until one is wanted. Keyrings that may not be searched hide theirs. */
  #walk(task: KernelTask, keyring: Key, possessed: boolean, wanted: (key: Key) => boolean): boolean {
    const seen = new Set<Key>();
    let level = [keyring];
    for (let depth = 0; depth <= MOST_DEPTH && level.length > 0; depth++) {
      const below: Key[] = [];
      for (const ring of level) {
        if (seen.has(ring) || this.stateOf(ring) !== 0 || !permits(task, ring, KEY_NEED_SEARCH, possessed)) continue;
        seen.add(ring);
        for (const key of ring.links.values()) {
          if (wanted(key)) return true;
          if (key.type === 'keyring') below.push(key);
        }
      }
      level = below;
    }
    return false;
  }

  /** The key of a number that a call was given, for a use that needs a right (KEY_NEED_*, 0 for none); or -errno. */
  lookup(task: KernelTask, id: number, need: number, creates = false): Key | number {
    const key = id < 0 ? this.special(task, id, creates) : this.table.find(id) ?? (id === 0 ? -EINVAL : -ENOKEY);
    if (typeof key === 'number') return key;
    const state = this.stateOf(key);
    if (state !== 0) return state;
    return need === 0 || permits(task, key, need, id < 0 || this.#possesses(task, key)) ? key : -EACCES;
  }

  /** 0, -EKEYREVOKED or -EKEYEXPIRED. */
  stateOf(key: Key): number {
    if (key.state === 'gone') return -ENOKEY;
    if (key.state === 'revoked') return -EKEYREVOKED;
    return key.expiresNs <= this.kernel.monotonicNs() ? -EKEYEXPIRED : 0;
  }

  /** A key below a keyring, nearest first; or -ENOKEY, or why the one that is there does not count. */
  search(task: KernelTask, keyring: Key, type: KeyType, description: string, possessed: boolean): Key | number {
    let answer: Key | number = -ENOKEY;
    this.#walk(task, keyring, possessed, (key) => {
      if (key.type !== type || key.description !== description) return false;
      const state = this.stateOf(key);
      answer = state !== 0 ? state : permits(task, key, KEY_NEED_SEARCH, possessed) ? key : -EACCES;
      return typeof answer !== 'number';
    });
    return answer;
  }

  /** Through all keyrings of the task (search_process_keyrings). */
  searchOwn(task: KernelTask, type: KeyType, description: string): Key | number {
    let answer = -ENOKEY;
    for (const keyring of this.#ownKeyrings(task)) {
      const found = this.search(task, keyring, type, description, true);
      if (typeof found !== 'number') return found;
      if (found !== -ENOKEY) answer = found;
    }
    return answer;
  }
}

/** key_task_permission(): the rights of its user, group or others, and those of who possesses it. */
export function permits({ credentials }: KernelTask, key: Key, need: number, possessed: boolean): boolean {
  const { permissions } = key;
  let rights = permissions;
  if (key.uid === credentials.fsuid) rights >>>= 16;
  else if ((permissions & 0x3f00) !== 0 && inGroup(credentials, key.gid)) rights >>>= 8;
  if (possessed) rights |= permissions >>> 24;
  return (rights & need) === need;
}

const keyrings = new WeakMap<Kernel, Keyrings>();

export function keyringsOf(kernel: Kernel): Keyrings {
  let own = keyrings.get(kernel);
  if (own === undefined) keyrings.set(kernel, (own = new Keyrings(kernel)));
  return own;
}
