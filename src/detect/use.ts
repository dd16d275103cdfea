/** Which files were used, and how far: opened, mapped to be executed, or executed. */
import type { SystemEvent } from '../kernel/watch/types.ts';
import { ALL_CALLS } from './condition/compile.ts';
import { MOST_USED_FILES } from './limits.ts';
import { SHAPES } from '../kernel/watch/shapes.ts';
import { PackageFiles } from './package-files.ts';
import type { ListedPackage, ReadableFiles } from './package-files.ts';
import type { ContainerFacts } from './subject.ts';
import { toText } from './text.ts';

export const USES = ['opened', 'mapped', 'executed'] as const;
export type Use = (typeof USES)[number];

/** Before a stream is seen by anybody else. */
export interface Seer {
  readonly calls: Iterable<string>;
  happened(event: SystemEvent): void;
  /** Before the call is made; it has no say. */
  before?(event: SystemEvent): void;
  /** Calls of which it only wants to know that they are made. */
  readonly firstCalls?: ReadonlySet<string>;
  first?(call: string): void;
  /** A capability was asked for, and is there. */
  capability?(capability: number): void;
}

const OPENING = [...ALL_CALLS].filter((call) => SHAPES.get(call)?.opens === true);

export class UseRecord implements Seer {
  readonly calls = [...OPENING, 'execve', 'execveat', 'mmap'];
  readonly #files = new Map<string, number>();
  readonly #listed: PackageFiles;
  /** Files beyond the bound, and the packages that they are of. */
  #leftOut = 0;
  readonly #used = new Map<ListedPackage, number>();

  /** Before programs run. */
  constructor(files: ReadableFiles) {
    this.#listed = new PackageFiles(files);
  }

  happened(event: SystemEvent): void {
    const { type, result, file, program } = event;
    if (type === 'execve' || type === 'execveat') {
      if (result !== 0) return;
      this.#add(program.exePath, 'executed');
      if (file !== undefined) this.#add(file.name, 'executed');
    } else if (type === 'mmap') {
      const isCode = result >= 0 && String(event.arguments.get('prot')).includes('PROT_EXEC');
      if (isCode && file?.type === 'file') this.#add(file.name, 'mapped');
    } else if (result >= 0 && file?.type === 'file') {
      this.#add(file.name, 'opened');
    }
  }

  #add(path: string, use: Use): void {
    if (!path.startsWith('/') || path.startsWith('/proc/') || path.startsWith('/sys/') || path.startsWith('/dev/')) return;
    const level = USES.indexOf(use);
    const known = this.#files.get(path);
    if (known === undefined && this.#files.size >= MOST_USED_FILES) {
      this.#leftOut++;
      this.#addTo(this.#used, path, level);
    } else if (known === undefined || known < level) this.#files.set(path, level);
  }

  #addTo(used: Map<ListedPackage, number>, path: string, level: number): void {
    const owner = this.#listed.ownerOf(path);
    if (owner !== undefined) used.set(owner, Math.max(used.get(owner) ?? 0, level));
  }

  text({ id, image, imageId }: ContainerFacts): string {
    const used = new Map(this.#used);
    for (const [path, level] of this.#files) this.#addTo(used, path, level);
    const packages = this.#listed.packages.map((one) => ({ ...one, name: toText(one.name), used: USES[used.get(one) ?? -1] ?? 'untouched' }));
    const files = Object.fromEntries([...this.#files].sort(([one], [other]) => (one < other ? -1 : 1)).map(([path, level]) => [toText(path), USES[level]]));
    return `${JSON.stringify({ caisson: 'use', version: 1, container: { id, image, imageId }, ...(this.#leftOut === 0 ? {} : { leftOut: this.#leftOut }), packages, files })}\n`;
  }
}
