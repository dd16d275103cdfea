/** Loaded programs, and descriptors of them. */
import { O_RDWR } from '../../abi/fcntl.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import type { Inode } from '../../fs/types.ts';
import type { Kernel } from '../kernel.ts';
import type { Instruction } from './instructions.ts';
import { MOST_PROGRAMS } from './limits.ts';

/** `type`: BPF_PROG_TYPE_*. */
interface ProgramFacts {
  readonly type: number;
  readonly name: string;
  readonly uid: number;
  readonly instructions: readonly Instruction[];
}

export class BpfProgram {
  readonly id: number;
  readonly type: number;
  readonly name: string;
  readonly uid: number;
  readonly instructions: readonly Instruction[];
  readonly #programs: BpfPrograms;
  #references = 0;

  constructor(programs: BpfPrograms, id: number, facts: ProgramFacts) {
    this.#programs = programs;
    this.id = id;
    ({ type: this.type, name: this.name, uid: this.uid, instructions: this.instructions } = facts);
  }

  /** It is attached, or a descriptor leads to it. */
  hold(): void {
    this.#references++;
  }

  /** One of these less: the last takes it away. */
  release(): void {
    if (--this.#references === 0) this.#programs.all.delete(this.id);
  }
}

export class BpfPrograms {
  readonly all = new Map<number, BpfProgram>();
  #nextId = 1;

  /** Undefined: there are too many. It goes with its last reference, and has none yet. */
  make(facts: ProgramFacts): BpfProgram | undefined {
    if (this.all.size >= MOST_PROGRAMS) return undefined;
    const program = new BpfProgram(this, this.#nextId++, facts);
    this.all.set(program.id, program);
    return program;
  }
}

/** A descriptor of one. */
export class BpfProgramFile extends StreamFile {
  readonly program: BpfProgram;

  constructor(inode: Inode, program: BpfProgram) {
    super(inode, 'anon_inode:bpf-prog', O_RDWR);
    this.program = program;
    program.hold();
  }
  poll(): number {
    return 0;
  }
  override release(): void {
    this.program.release();
  }
}

const byKernel = new WeakMap<Kernel, BpfPrograms>();

export function bpfProgramsOf(kernel: Kernel): BpfPrograms {
  let programs = byKernel.get(kernel);
  if (programs === undefined) byKernel.set(kernel, (programs = new BpfPrograms()));
  return programs;
}
