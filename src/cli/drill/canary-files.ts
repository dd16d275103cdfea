/** Canaries among the host's files: a directory of which nothing may change, and a file in shared memory. */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Sighting } from '../../drill/index.ts';

const SHARED_MEMORY = '/dev/shm';
const READABLE_BYTES = 3 * 4096;

/** Everything that a file or directory is, except access times and links to it. */
function fingerprint(path: string): string {
  const { mode, uid, gid, mtimeNs, ino, size } = lstatSync(path, { bigint: true });
  const kind = Number(mode) & 0o170000;
  const content = kind === 0o100000 ? createHash('sha256').update(readFileSync(path)).digest('hex') : kind === 0o120000 ? readlinkSync(path) : '';
  return [mode, uid, gid, ino, kind === 0o040000 ? 0 : mtimeNs, kind === 0o040000 ? 0 : size, content].join(' ');
}

export class CanaryFiles {
  readonly directory = realpathSync(mkdtempSync(join(tmpdir(), 'caisson-drill-')));
  readonly secretFile = join(this.directory, 'secret');
  readonly keptFile = join(this.directory, 'kept');
  readonly granted = join(this.directory, 'granted');
  readonly readable = join(this.directory, 'readable');
  /** For twins, in the host's name. */
  readonly stagedFile = join(this.directory, 'staged');
  readonly stagedTree = join(this.directory, 'stage');
  /** What a guest has as its root directory, and the other guest. Not watched: nothing of a guest is written to it. */
  readonly root = join(this.directory, 'root');
  readonly neighbourRoot = join(this.directory, 'neighbour');
  readonly sharedMemory: string;
  #before: ReadonlyMap<string, string> = new Map();

  constructor(token: (name: string) => string) {
    const { directory, secretFile, keptFile, granted, readable, stagedFile, stagedTree, root, neighbourRoot } = this;
    for (const path of [granted, readable, stagedTree, root, neighbourRoot]) mkdirSync(path);
    for (const name of ['dev', 'etc', 'host', 'mnt', 'proc', 'run', 'sys', 'tmp', 'var']) for (const base of [root, neighbourRoot]) mkdirSync(join(base, name));
    writeFileSync(secretFile, `${token('file')}\n`, { mode: 0o600 });
    writeFileSync(keptFile, 'kept\n');
    // Code that a kernel runs for a user could write it; nobody else comes into the directory.
    chmodSync(keptFile, 0o666);
    for (const path of [stagedFile, join(stagedTree, 'secret')]) writeFileSync(path, `${token('host-place')}\n`);
    writeFileSync(join(granted, 'file'), 'granted\n');
    writeFileSync(join(readable, 'file'), 'r'.repeat(READABLE_BYTES));
    writeFileSync(join(neighbourRoot, 'secret'), `${token('neighbour')}\n`, { mode: 0o600 });
    this.sharedMemory = `${basename(directory)}-memory`;
    try {
      writeFileSync(join(SHARED_MEMORY, this.sharedMemory), `${token('shared-memory')}\n`, { mode: 0o600 });
    } catch {
      // A host without shared memory has nothing to be found there.
    }
  }

  /** From now on nothing may change. */
  arm(): void {
    this.#before = this.#look();
  }

  #look(): ReadonlyMap<string, string> {
    const found = new Map<string, string>();
    const visit = (path: string): void => {
      try {
        found.set(path, fingerprint(path));
        if (path === this.granted || path === this.root) return;
        if (lstatSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
      } catch (error) {
        // What is gone is not found; what may not be looked at any more is not as it was.
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') found.set(path, 'cannot be looked at');
      }
    };
    visit(this.directory);
    try {
      found.set(join(SHARED_MEMORY, this.sharedMemory), fingerprint(join(SHARED_MEMORY, this.sharedMemory)));
    } catch {
      // See above.
    }
    return found;
  }

  check(): readonly Sighting[] {
    const now = this.#look();
    const sightings: Sighting[] = [];
    for (const [path, before] of this.#before) {
      const state = now.get(path);
      if (state !== before) sightings.push({ canary: 'file', what: `${path} ${state === undefined ? 'is gone' : 'was changed'}` });
    }
    for (const path of now.keys()) if (!this.#before.has(path)) sightings.push({ canary: 'file', what: `${path} was made` });
    return sightings;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
    rmSync(join(SHARED_MEMORY, this.sharedMemory), { force: true });
  }
}
