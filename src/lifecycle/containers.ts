/**
 * Containers that are kept, in the store of images:
 *
 *   containers/ID/config.json       what it was made with (`record.ts`)
 *   containers/ID/state.json        how it is (`state.ts`)
 *   containers/ID/log, log.1, ...   what it printed (`log.ts`)
 *   containers/ID/layer-N.*         what its starts changed (`own-layers.ts`)
 *   containers/ID/lock              who starts, ends or removes it at the moment
 *   containers/names/NAME           a link to its id: symlink(2) fails where there is one, so a name has one owner
 *
 * A container is there as long as its directory has this name and a `config.json`, which comes last when it is made; one that is removed gets
 * another name first. Nothing here waits for the disk: after a power cut
 * a file may be empty, and then the container can only be removed.
 */
import { EEXIST, ENOENT, ENOSPC, ENOTEMPTY } from '../abi/errno.ts';
import { StoreError, StoreLock, checkErrno } from '../image/index.ts';
import type { Disk, ImageStore } from '../image/index.ts';
import { nearestName } from '../image/nearest.ts';
import { EventLog } from './events.ts';
import { LifecycleError, NameConflictError, NoSuchContainerError } from './errors.ts';
import { MOST_RECORD_BYTES, MOST_REMOVALS, REMNANT_AFTER_MS } from './limits.ts';
import { ID, checkName, randomName } from './names.ts';
import { decodeRecord, encodeRecord } from './record.ts';
import { Networks } from './networks.ts';
import type { ContainerRecord } from './record.ts';
import { EXIT_KILLED, EXIT_UNKNOWN, decodeState, encodeState } from './state.ts';
import type { ContainerState } from './state.ts';

/** What the directory of a removed one is called until its files are gone, with who removes it and its id behind. */
const GONE = '.gone-';

export interface KeptContainer {
  readonly id: string;
  /** The one that it was found by first; none for a moment while it is made or removed. */
  readonly name: string;
  /** Undefined: it cannot be read. */
  readonly record: ContainerRecord | undefined;
  readonly state: ContainerState;
}

export type WholeContainer = KeptContainer & { readonly record: ContainerRecord };

export class Containers {
  readonly store: ImageStore;
  readonly events: EventLog;
  readonly #disk: Disk;
  readonly #locks = new Map<string, StoreLock>();

  constructor(store: ImageStore) {
    this.store = store;
    this.#disk = store.disk;
    this.events = new EventLog(store.disk);
  }

  /** Of a container, or of a file of it. */
  pathOf(id: string, ...parts: readonly string[]): string {
    return this.#disk.path('containers', id, ...parts);
  }

  #namePath(name: string): string {
    return this.#disk.path('containers', 'names', name);
  }

  /**
   * Makes a container with a name of its own; without one it gets one.
   *
   * @throws NameConflictError, StoreError; nothing is kept then.
   */
  create(record: ContainerRecord, state: ContainerState, name: string | undefined): WholeContainer {
    const directory = this.pathOf(record.id);
    this.#disk.makeDirectory(directory);
    this.#disk.makeDirectory(this.#disk.path('containers', 'names'));
    try {
      this.writeState(record.id, state);
      this.writeRecord(record);
      const made = { id: record.id, name: this.#claimName(record.id, name), record, state };
      this.say('create', made);
      return made;
    } catch (error) {
      this.#removeDirectory(directory);
      throw error;
    }
  }

  #claimName(id: string, wanted: string | undefined): string {
    if (wanted !== undefined) {
      const owner = this.#tryName(wanted, id);
      if (owner !== id) throw new NameConflictError(wanted, owner);
      return wanted;
    }
    for (let attempt = 0; ; attempt++) {
      const name = randomName((buffer) => this.#disk.host.random(buffer), attempt > 2);
      if (this.#tryName(name, id) === id) return name;
    }
  }

  /** Answers whose name it is now. */
  #tryName(name: string, id: string): string {
    const path = this.#namePath(name);
    const made = this.#disk.files.symlink(id, path);
    if (made === 0) return id;
    if (made !== -EEXIST) checkErrno(made, 'make the name', path);
    const owner = this.#disk.files.readLink(path);
    if (typeof owner === 'string' && this.#isThere(owner)) return owner;
    // Who had it was killed while it made or removed a container: under the lock, so that only one takes it over.
    return this.store.lock.hold(() => {
      const still = this.#disk.files.readLink(path);
      if (typeof still === 'string' && this.#isThere(still)) return still;
      this.#disk.remove(path);
      checkErrno(this.#disk.files.symlink(id, path), 'make the name', path);
      return id;
    });
  }

  #isThere(id: string): boolean {
    return ID.test(id) && this.#disk.exists(this.pathOf(id, 'config.json'));
  }

  /** @throws NameConflictError, NoSuchContainerError, LifecycleError */
  rename(container: KeptContainer, text: string): void {
    const name = checkName(text);
    if (name === container.name) throw new LifecycleError('Renaming a container with the same name as its current name', 'give another one');
    // Who removes it meanwhile would not know of the new one.
    this.locked(container.id, () => {
      const owner = this.#tryName(name, container.id);
      if (owner !== container.id) throw new NameConflictError(name, owner);
      for (const [other, id] of this.#names()) if (id === container.id && other !== name) this.#disk.remove(this.#namePath(other));
      this.say('rename', { ...container, name }, { oldName: `/${container.name}` });
    });
  }

  /** Writes down that something has happened to a container; to be called beside what was done, whoever did it. */
  say(action: string, { id, name, record }: Pick<KeptContainer, 'id' | 'name' | 'record'>, attributes: Readonly<Record<string, string>> = {}): void {
    this.events.append('container', action, id, { image: record?.image.name ?? '', name, ...record?.labels, ...attributes });
  }

  /** The same of its end: after what its process says of that. */
  sayAfterEnd(action: string, container: KeptContainer): void {
    try {
      this.locked(container.id, () => this.say(action, container));
    } catch (error) {
      // Removed when it ended.
      if (!(error instanceof NoSuchContainerError)) throw error;
      this.say(action, container);
    }
  }

  #nameOf(id: string): string {
    return this.#names().find(([, owner]) => owner === id)?.[0] ?? '';
  }

  /** Names and ids, also of containers that are no more. */
  #names(): readonly (readonly [name: string, id: string])[] {
    return this.#disk.list(this.#disk.path('containers', 'names')).flatMap((name) => {
      const id = this.#disk.files.readLink(this.#namePath(name));
      return typeof id === 'string' ? [[name, id] as const] : [];
    });
  }

  #ids(): readonly string[] {
    return this.#disk.list(this.#disk.path('containers')).filter((name) => ID.test(name) && this.#isThere(name));
  }

  /** All, the latest first. */
  list(): readonly KeptContainer[] {
    const names = new Map([...this.#names()].reverse().map(([name, id]) => [id, name]));
    return this.#ids().map((id) => this.#read(id, names.get(id) ?? '')).sort((left, right) => (right.record?.createdMs ?? 0) - (left.record?.createdMs ?? 0));
  }

  /** Of all that can be read; nobody's state is looked at. */
  records(): readonly ContainerRecord[] {
    return this.#ids().flatMap((id) => this.#recordOf(id) ?? []);
  }

  #read(id: string, name: string): KeptContainer {
    return { id, name, record: this.#recordOf(id), state: this.stateOf(id) };
  }

  /** Undefined: it cannot be read. */
  #recordOf(id: string): ContainerRecord | undefined {
    const bytes = this.#disk.readFile(this.pathOf(id, 'config.json'), MOST_RECORD_BYTES);
    return bytes === undefined ? undefined : decodeRecord(bytes, id);
  }

  /** Under its lock. Its process reads it at the next start only. */
  writeRecord(record: ContainerRecord): void {
    this.#disk.writeFileQuickly(this.pathOf(record.id, 'config.json'), encodeRecord(record));
  }

  /** As it is now: a container whose process has ended without saying so was killed. */
  stateOf(id: string): ContainerState {
    const bytes = this.#disk.readFile(this.pathOf(id, 'state.json'), MOST_RECORD_BYTES);
    const state = bytes === undefined ? undefined : decodeState(bytes);
    if (state === undefined) return { status: 'exited', exitCode: EXIT_UNKNOWN, error: 'its state was lost (a power cut, or a full disk)', finishedMs: this.#disk.mtimeOf(this.pathOf(id, 'state.json')) };
    if (state.status !== 'running' || !this.#hasEnded(state.owner ?? '')) return state;
    const { owner: _, pid: __, ports: ___, networks: ____, paused: _____, restarting: ______, ...rest } = state;
    const killed: ContainerState = { ...rest, status: 'exited', exitCode: EXIT_KILLED, finishedMs: this.#disk.host.now(), error: 'its process was killed: what it changed since its start is lost' };
    return this.#settle(id, state, killed);
  }

  /** Writes down that it was killed, once, so that the time stays the same. */
  #settle(id: string, before: ContainerState, killed: ContainerState): ContainerState {
    try {
      return this.locked(id, () => {
        const bytes = this.#disk.readFile(this.pathOf(id, 'state.json'), MOST_RECORD_BYTES);
        const now = bytes === undefined ? undefined : decodeState(bytes);
        if (now !== undefined && JSON.stringify(now) !== JSON.stringify(before)) return now;
        // What it had comes first: who is killed here leaves it to the next who looks.
        this.removeEndpoint(id);
        new Networks(this.store).removeEnded();
        // What it said that it was doing with the store.
        this.store.claims.removeLeftovers();
        this.writeEnd(id, killed);
        this.say('die', { id, name: this.#nameOf(id), record: this.#recordOf(id) }, { exitCode: String(killed.exitCode) });
        return killed;
      });
    } catch {
      // A store that cannot be written can be read all the same.
      return killed;
    }
  }

  /** A process of another boot has ended; one of another pid namespace of this boot may go on. */
  #hasEnded(owner: string): boolean {
    const { host } = this.#disk;
    const bootOf = (name: string): string => name.split('n')[0]?.split('.')[0] ?? '';
    return host.hasEnded(owner) ?? bootOf(owner) !== bootOf(host.owner);
  }

  /** Throws where it runs, or where another process writes into its tree. Under its lock. */
  checkFree(id: string): void {
    const { status, writer } = this.stateOf(id);
    if (status === 'running') throw new LifecycleError('the container runs already', 'wait for its end, or stop it');
    if (writer !== undefined && !this.#hasEnded(writer)) throw new LifecycleError('another command writes into the container', 'try again when that has ended');
  }

  /** Nobody starts or removes it until what is answered is called. @throws LifecycleError where it runs, or somebody else has reserved it. */
  reserve(id: string): () => void {
    const before = this.stateOf(id);
    this.locked(id, () => {
      this.checkFree(id);
      this.writeState(id, { ...before, writer: this.#disk.host.owner });
    });
    return () => this.locked(id, () => this.writeState(id, before));
  }

  writeState(id: string, state: ContainerState): void {
    this.#disk.writeFileQuickly(this.pathOf(id, 'state.json'), encodeState(state));
  }

  /** The same for how it has ended: a full disk has room for that. */
  writeEnd(id: string, state: ContainerState): void {
    try {
      this.writeState(id, state);
    } catch (error) {
      if (!(error instanceof StoreError) || error.errno !== ENOSPC || !this.#disk.overwriteFile(this.pathOf(id, 'state.json'), encodeState(state))) throw error;
    }
  }

  /** The socket that its process listens on, which a killed one leaves. */
  removeEndpoint(id: string): void {
    this.#disk.remove(this.pathOf(id, 'control'));
  }

  /** Runs `body` while no other process starts, ends or removes this container. */
  locked<Result>(id: string, body: () => Result): Result {
    const lock = this.#locks.get(id) ?? new StoreLock(this.#disk, `containers/${id}/lock`, () => {});
    this.#locks.set(id, lock);
    let isHeld = false;
    try {
      return lock.hold(() => {
        isHeld = true;
        return body();
      });
    } catch (error) {
      // Its directory is gone.
      throw !isHeld && error instanceof StoreError && error.errno === ENOENT ? new NoSuchContainerError(id) : error;
    }
  }

  /** By name, by id or by the beginning of one. @throws NoSuchContainerError, LifecycleError where a beginning fits several. */
  find(text: string): KeptContainer {
    const name = text.replace(/^\//, '');
    const link = this.#disk.files.readLink(this.#namePath(name.includes('/') || name === '' ? '.' : name));
    if (typeof link === 'string' && this.#isThere(link)) return this.#read(link, name);
    const fitting = /^[0-9a-f]+$/.test(name) ? this.#ids().filter((id) => id.startsWith(name)) : [];
    if (fitting.length > 1) throw new LifecycleError(`multiple IDs found with provided prefix: ${name}`, 'give more of its digits');
    const [id] = fitting;
    if (id === undefined) throw new NoSuchContainerError(text, nearestName(name, this.#names().map(([other]) => other)));
    return this.#read(id, this.#nameOf(id));
  }

  /** The same, with its configuration. */
  findWhole(text: string): WholeContainer {
    const container = this.find(text);
    const { record } = container;
    if (record === undefined) throw new LifecycleError(`the configuration of the container ${container.name === '' ? container.id : container.name} cannot be read: it is cut short, or of another version`, `all that can be done is "caisson rm ${container.name === '' ? container.id : container.name}"`);
    return { ...container, record };
  }

  /**
   * Under its lock; it does not run. What others have left who were killed in here goes, too, unless `known` says what it is: then the names of
   * other containers are not looked through, which takes as long as there are containers.
   */
  remove(id: string, known?: Pick<WholeContainer, 'name' | 'record'>): void {
    const isNamed = known !== undefined && this.#disk.files.readLink(this.#namePath(known.name)) === id;
    const all = isNamed ? [[known.name, id] as const] : this.#names();
    const gone = { id, name: all.find(([, owner]) => owner === id)?.[0] ?? '', record: known?.record ?? this.#recordOf(id) };
    // It is there, or not: its lock goes with it, and who waits for that finds no container.
    const last = this.#disk.path('containers', `${GONE}${this.#disk.host.owner}-${id}`);
    checkErrno(this.#disk.files.rename(this.pathOf(id), last), 'remove', this.pathOf(id));
    this.#removeDirectory(last);
    this.#removeNames(all.flatMap(([name, owner]) => (owner === id || !this.#isThere(owner) ? [name] : [])));
    for (const name of this.#abandoned()) this.#removeDirectory(this.#disk.path('containers', name));
    // Of a process that was killed when it had said that its container has ended.
    this.store.claims.removeLeftovers();
    this.say('destroy', gone);
  }

  /** Of containers that are not there, unless somebody has taken one meanwhile. */
  #removeNames(names: readonly string[]): void {
    if (names.length === 0) return;
    this.store.lock.hold(() => {
      for (const name of names) {
        const owner = this.#disk.files.readLink(this.#namePath(name));
        if (typeof owner === 'string' && !this.#isThere(owner)) this.#disk.remove(this.#namePath(name));
      }
    });
  }

  /** Directories of containers whose removal was not ended. */
  #abandoned(): readonly string[] {
    const { host } = this.#disk;
    const isLeft = (name: string): boolean => host.hasEnded(name.slice(GONE.length, name.lastIndexOf('-'))) !== false;
    return this.#disk.list(this.#disk.path('containers')).filter((name) => name.startsWith(GONE) && isLeft(name));
  }

  #removeDirectory(directory: string): void {
    this.#disk.remove(`${directory}/config.json`);
    let gone = -ENOTEMPTY;
    // Who was on the way to the lock that is in there when the directory got its last name may still make it.
    for (let tries = 0; gone === -ENOTEMPTY && tries < MOST_REMOVALS; tries++) {
      for (const name of this.#disk.list(directory)) this.#disk.remove(`${directory}/${name}`);
      gone = this.#disk.files.rmdir(directory);
    }
    // Somebody else removes it as well; or what is left is a remnant.
    if (gone !== -ENOENT && gone !== -ENOTEMPTY) checkErrno(gone, 'remove', directory);
  }

  /** What killed commands have left: directories without a configuration, names without a container. */
  remnants(): { readonly directories: readonly string[]; readonly names: readonly string[] } {
    const limitMs = this.#disk.host.now() - REMNANT_AFTER_MS;
    const isOld = (path: string): boolean => (this.#disk.mtimeOf(path) ?? limitMs) < limitMs;
    const made = this.#disk.list(this.#disk.path('containers')).filter((name) => ID.test(name) && !this.#isThere(name) && isOld(this.pathOf(name)));
    return { directories: [...made, ...this.#abandoned()], names: this.#names().filter(([, id]) => !this.#isThere(id)).map(([name]) => name) };
  }

  removeRemnants(): void {
    const { directories, names } = this.remnants();
    this.#removeNames(names);
    for (const name of directories) this.#removeDirectory(this.#disk.path('containers', name));
  }

  /** Bytes on the disk of all that is in its directory. */
  bytesOf(id: string): number {
    return this.#disk.list(this.pathOf(id)).reduce((sum, name) => sum + (this.#disk.sizeOf(this.pathOf(id, name)) ?? 0), 0);
  }
}
