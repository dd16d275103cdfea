/**
 * Volumes: directories that outlive containers, in the store:
 *
 *   volumes/NAME/volume.json   what it was made with; a volume is there as long as this is
 *   volumes/NAME/_data/        what is in it
 *
 * Who makes or removes one, or puts an image's files into an empty one, holds the store's lock.
 */
import { OwnedFiles } from '../fs/owned-files.ts';
import type { HostFiles } from '../host/types.ts';
import type { Disk, ImageStore } from '../image/index.ts';
import { checkErrno } from '../image/index.ts';
import { nearestName } from '../image/nearest.ts';
import type { Containers } from './containers.ts';
import { EventLog } from './events.ts';
import { LifecycleError } from './errors.ts';
import { MOST_RECORD_BYTES } from './limits.ts';
import { NAME, checkVolumeName, randomId } from './names.ts';
import type { ContainerRecord } from './record.ts';
import { removeTree } from './remove-tree.ts';

export interface VolumeRecord {
  readonly name: string;
  readonly createdMs: number;
  readonly labels: Readonly<Record<string, string>>;
  /** Made for one container, which nobody gave a name for it. */
  readonly isAnonymous: boolean;
}

/** Of the directory that a volume is mounted over. */
export interface TopAttributes {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

const VERSION = 1;
/** What the directory of a removed one is called until its files are gone, with who removes it behind; no volume has such a name. */
const GONE = '.gone-';

export class NoSuchVolumeError extends LifecycleError {
  override readonly name = 'NoSuchVolumeError';

  constructor(text: string, nearest?: string) {
    super(`get ${text}: no such volume`, nearest === undefined ? 'see "caisson volume ls"' : `did you mean "${nearest}"?`);
  }
}

function isVolume(value: unknown, name: string): value is VolumeRecord & { readonly version: number } {
  if (typeof value !== 'object' || value === null) return false;
  const { version, name: own, createdMs, labels } = value as Partial<Record<string, unknown>>;
  return version === VERSION && own === name && typeof createdMs === 'number' && typeof labels === 'object' && labels !== null;
}

export class Volumes {
  readonly #store: ImageStore;
  readonly #disk: Disk;
  readonly #events: EventLog;

  constructor(store: ImageStore) {
    this.#store = store;
    this.#disk = store.disk;
    this.#events = new EventLog(store.disk);
  }

  #path(...parts: readonly string[]): string {
    return this.#disk.path('volumes', ...parts);
  }

  /** A byte-string path on this machine. */
  dataPath(name: string): string {
    return this.#path(name, '_data');
  }

  #read(name: string): VolumeRecord | undefined {
    if (!NAME.test(name)) return undefined;
    const bytes = this.#disk.readFile(this.#path(name, 'volume.json'), MOST_RECORD_BYTES);
    try {
      const value: unknown = bytes === undefined ? undefined : JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
      return isVolume(value, name) ? value : undefined;
    } catch {
      return undefined;
    }
  }

  /** By name. */
  list(): readonly VolumeRecord[] {
    return this.#disk.list(this.#path()).flatMap((name) => this.#read(name) ?? []).sort((one, other) => (one.name < other.name ? -1 : 1));
  }

  isEmpty(name: string): boolean {
    return this.#disk.list(this.dataPath(name)).length === 0;
  }

  has(name: string): boolean {
    return this.#read(name) !== undefined;
  }

  /** @throws NoSuchVolumeError */
  find(name: string): VolumeRecord {
    const found = this.#read(name);
    if (found === undefined) throw new NoSuchVolumeError(name, nearestName(name, this.list().filter(({ isAnonymous }) => !isAnonymous).map((volume) => volume.name)));
    return found;
  }

  /** One that is there already stays as it is. Without a name it gets one. @throws LifecycleError, StoreError */
  create(name: string | undefined, labels: Readonly<Record<string, string>> = {}, isAnonymous = name === undefined): VolumeRecord {
    const { host } = this.#disk;
    const own = name === undefined ? randomId((buffer) => host.random(buffer)) : checkVolumeName(name);
    return this.#store.lock.hold(() => {
      const there = this.#read(own);
      if (there !== undefined) return there;
      const record: VolumeRecord = { name: own, createdMs: host.now(), labels, isAnonymous };
      this.#disk.makeDirectory(this.dataPath(own));
      checkErrno(this.#disk.files.chmod(this.dataPath(own), 0o755), 'make the directory', this.dataPath(own));
      try {
        this.#disk.writeFileQuickly(this.#path(own, 'volume.json'), new TextEncoder().encode(`${JSON.stringify({ version: VERSION, ...record })}\n`));
      } catch (error) {
        for (const directory of [this.dataPath(own), this.#path(own)]) this.#disk.files.rmdir(directory);
        throw error;
      }
      this.#events.append('volume', 'create', own, { driver: 'local' });
      return record;
    });
  }

  /** Where owners and modes are kept, where the host does not let us give them: the store is not root's. */
  ownersOf(name: string): { readonly path: string; readonly uid: number; readonly gid: number } | undefined {
    const stat = this.#disk.files.lstat(this.#path(name));
    return typeof stat === 'number' || stat.uid === 0 ? undefined : { path: this.#path(name, 'owners'), uid: stat.uid, gid: stat.gid };
  }

  /** For who writes into it beside containers: what is given an owner has it inside. */
  filesOf(name: string): HostFiles {
    const owners = this.ownersOf(name);
    return owners === undefined ? this.#disk.files : new OwnedFiles(this.#disk.files, owners.path, owners, () => this.#disk.host.now() * 1e6);
  }

  /** Runs `fill` with a new directory beside the data, whose contents become the volume's, and with its attributes: only where nothing is in it yet. */
  fill(name: string, fill: (directory: string, files: HostFiles) => TopAttributes): void {
    const data = this.dataPath(name);
    this.#store.lock.hold(() => {
      if (!this.isEmpty(name)) return;
      const fresh = this.#path(name, `new-${this.#disk.randomName()}`);
      const files = this.filesOf(name);
      this.#disk.makeDirectory(fresh);
      try {
        const { uid, gid, mode } = fill(fresh, files);
        // By rename, so that nothing that a container does in the volume at the same time can lead the copying elsewhere.
        for (const entry of this.#disk.list(fresh)) checkErrno(this.#disk.files.rename(`${fresh}/${entry}`, `${data}/${entry}`), 'fill the volume', data);
        checkErrno(files.lchown(data, uid, gid), 'fill the volume', data);
        checkErrno(files.chmod(data, mode), 'fill the volume', data);
      } finally {
        removeTree(this.#disk, fresh);
      }
    });
  }

  /** Ids of containers that are made with it. */
  users(containers: Containers, name: string): readonly string[] {
    return containers.records().flatMap(({ id, volumes }) => (volumes?.some((use) => use.name === name) === true ? [id] : []));
  }

  /** Bytes of its files. */
  bytesOf(name: string): number {
    const { files } = this.#disk;
    let sum = 0;
    const waiting = [this.dataPath(name)];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const entries = files.readDirectory(path);
      if (typeof entries === 'number') continue;
      for (const entry of entries) {
        const stat = files.lstat(`${path}/${entry.name}`);
        if (typeof stat === 'number') continue;
        if ((stat.mode & 0o170_000) === 0o040_000) waiting.push(`${path}/${entry.name}`);
        else sum += stat.size;
      }
    }
    return sum;
  }

  /** What killed commands have left. @throws StoreError */
  removeRemnants(): void {
    const { host } = this.#disk;
    const isLeft = (name: string): boolean => name.startsWith(GONE) && host.hasEnded(name.slice(GONE.length, name.lastIndexOf('-'))) !== false;
    for (const name of this.#disk.list(this.#path())) if (isLeft(name)) removeTree(this.#disk, this.#path(name));
  }

  /** `except`: the id of a container that is about to go. @throws LifecycleError where another one is made with it, NoSuchVolumeError */
  remove(containers: Containers, name: string, except?: string): void {
    // Under another name at once: who makes one of this name meanwhile has nothing of it.
    const gone = this.#path(`${GONE}${this.#disk.host.owner}-${this.#disk.randomName()}`);
    this.#store.lock.hold(() => {
      if (!this.has(name)) throw new NoSuchVolumeError(name);
      const users = this.users(containers, name).filter((id) => id !== except);
      if (users.length > 0) throw new LifecycleError(`remove ${name}: volume is in use - [${users.join(', ')}]`, 'remove the containers first');
      this.#disk.remove(this.#path(name, 'volume.json'));
      checkErrno(this.#disk.files.rename(this.#path(name), gone), 'remove', this.#path(name));
    });
    removeTree(this.#disk, gone);
    this.#events.append('volume', 'destroy', name, { driver: 'local' });
  }
}

/** Removes it, unless a container other than `except` has it, or it is not there (any more). True: it is gone. @throws StoreError */
export function removeUnused(volumes: Volumes, containers: Containers, name: string, except?: string): boolean {
  try {
    volumes.remove(containers, name, except);
    return true;
  } catch (error) {
    if (error instanceof LifecycleError) return false;
    throw error;
  }
}

/** Those of a container that goes, or has gone, which were made for it, unless another one has them. What a killed command has left of others goes, too. @throws StoreError */
export function removeAnonymous(containers: Containers, { id, volumes: uses = [] }: Pick<ContainerRecord, 'id' | 'volumes'>): void {
  const own = uses.filter(({ isAnonymous }) => isAnonymous);
  if (own.length === 0) return;
  const volumes = new Volumes(containers.store);
  for (const { name } of own) if (volumes.has(name)) removeUnused(volumes, containers, name, id);
  volumes.removeRemnants();
}
