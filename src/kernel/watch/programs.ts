/** Programs and their ancestors, as they were started. */
import type { Location } from '../../fs/dentry.ts';
import { OverlayInode } from '../../fs/overlay.ts';
import type { Inode } from '../../fs/types.ts';
import type { Executable, Mm } from '../mm/mm.ts';
import type { Process } from '../task/process.ts';
import { keptArguments } from './arguments.ts';
import { MOST_ANCESTORS } from './limits.ts';
import type { ProgramFacts } from './types.ts';

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

const COMM_BYTES = 15;

export interface ProgramSource {
  /** What was asked for. */
  readonly requested: string;
  readonly arguments: readonly string[];
  readonly file: { readonly inode: Inode; readonly path: string; readonly location?: Location | undefined } | undefined;
}

export function isInUpperLayer(inode: Inode | undefined): boolean {
  return inode instanceof OverlayInode && inode.upper !== undefined;
}

export function programFacts(process: Process, { requested, arguments: args, file }: ProgramSource, parent: ProgramFacts | undefined): ProgramFacts {
  const [exe = '', ...rest] = keptArguments(args);
  // A program that starts itself anew, as busybox's shell does for its commands: "exe" would be the name of all of them.
  const name = baseName(requested.startsWith('/proc/') && exe !== '' ? exe : requested).slice(0, COMM_BYTES);
  const isMemory = file?.location?.mount.isInternal === true || file?.path.startsWith('/memfd:') === true;
  return {
    pid: process.pid, virtualPid: process.number, name, exe, exePath: file?.path ?? '', arguments: rest, commandLine: [name, ...rest].join(' '),
    inUpperLayer: isInUpperLayer(file?.inode), fromMemory: isMemory, parent,
  };
}

function sourceOf({ exe, launched }: Mm): ProgramSource {
  const file: Executable | undefined = exe;
  return { requested: launched?.path ?? file?.path ?? '', arguments: launched?.arguments ?? [], file };
}

interface Known {
  readonly mm: Mm;
  readonly facts: ProgramFacts;
}

/** Facts of programs, made once for each that runs. */
export class Programs {
  readonly #known = new WeakMap<Process, Known>();

  of(process: Process): ProgramFacts {
    const ancestors: Process[] = [];
    for (let at: Process | undefined = process; at !== undefined && ancestors.length <= MOST_ANCESTORS; at = at.parent) ancestors.push(at);
    let facts: ProgramFacts | undefined;
    for (let index = ancestors.length - 1; index >= 0; index--) facts = this.#one(ancestors[index]!, facts);
    return facts!;
  }

  parentOf(process: Process): ProgramFacts | undefined {
    return process.parent === undefined ? undefined : this.of(process.parent);
  }

  #one(process: Process, parent: ProgramFacts | undefined): ProgramFacts {
    const { mm } = process.leader;
    const known = this.#known.get(process);
    if (known !== undefined && known.mm === mm && known.facts.parent === parent) return known.facts;
    // A process that has ended has no memory: it stays what it was.
    const facts = known !== undefined && mm.exe === undefined ? { ...known.facts, parent } : programFacts(process, sourceOf(mm), parent);
    this.#known.set(process, { mm, facts });
    return facts;
  }
}
