/**
 * The user's translations for one build of the machine: a file for each program, and one that says for which layout of
 * programs in memory they are. Nobody else may read or write them; what spoils a file is found out (`part-file.ts`).
 */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PartFile } from './part-file.ts';

/** All files of a build together: the oldest go. */
const MAXIMUM_BYTES = 256 << 20;
/** From then on a claim counts as left. */
const CLAIM_MS = 3_600_000;
/** Builds that stay, the newest included. */
const MOST_BUILDS = 3;

/** Names in a directory, from the newest file on. */
function byAge(directory: string, names: readonly string[]): { readonly path: string; readonly size: number }[] {
  const files = names.map((name) => {
    const path = join(directory, name);
    const { mtimeMs, size } = statSync(path);
    return { path, size, mtimeMs };
  });
  return files.sort((a, b) => b.mtimeMs - a.mtimeMs);
}

/** Two programs with one name would only replace each other's translations. FNV-1a. */
function fileNameOf(program: string): string {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < program.length; at++) hash = Math.imul(hash ^ program.charCodeAt(at), 0x0100_0193);
  return `${basename(program).replace(/[^\w.+-]/g, '_').slice(0, 60)}-${(hash >>> 0).toString(16)}.parts`;
}

export class UnitDirectory {
  readonly #path: string;
  readonly #layout: PartFile;
  #machine: PartFile | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#layout = new PartFile(join(path, 'layout'));
  }

  get layoutSeed(): number | undefined {
    return this.#layout.tag === 0 ? undefined : this.#layout.tag - 1;
  }

  /** Called after something was written. */
  keepLayout(layoutSeed: number): void {
    if (this.layoutSeed !== layoutSeed) this.#layout.replace([], layoutSeed + 1);
    this.#makeRoom();
  }

  /**
   * Says that machine code is made for a program, until `release`. False: that has been said already in the last hour, or nothing can be written. So
   * it is done once at a time, and what ends the process that does it every time is not tried every time.
   */
  claim(program: string): boolean {
    const path = this.#claimOf(program);
    try {
      mkdirSync(this.#path, { recursive: true, mode: 0o700 });
      if (Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > CLAIM_MS) rmSync(path, { force: true });
      closeSync(openSync(path, 'wx', 0o600));
      return true;
    } catch {
      return false; // EEXIST, or it cannot be written
    }
  }

  release(program: string): void {
    rmSync(this.#claimOf(program), { force: true });
  }

  #claimOf(program: string): string {
    return join(this.#path, `${fileNameOf(program)}.optimizing`);
  }

  /** Machine code of the machine's own modules, for this V8. */
  machine(): PartFile {
    return (this.#machine ??= new PartFile(join(this.#path, 'machine.parts')));
  }

  open(program: string): PartFile {
    return new PartFile(join(this.#path, fileNameOf(program)));
  }

  #makeRoom(): void {
    try {
      let bytes = 0;
      for (const { path, size } of byAge(this.#path, readdirSync(this.#path).filter((name) => name.endsWith('.parts')))) {
        bytes += size;
        if (bytes > MAXIMUM_BYTES) unlinkSync(path);
      }
      const parent = dirname(this.#path);
      const kind = `${basename(this.#path).split('-')[0]}-`;
      const builds = byAge(parent, readdirSync(parent).filter((name) => name.startsWith(kind)));
      for (const { path } of builds.slice(MOST_BUILDS)) rmSync(path, { recursive: true, force: true });
    } catch {
      // Somebody else is at it, or it cannot be written: the next run tries again.
    }
  }
}
