/** Programs that say which devices the tasks of a group may use (BPF_PROG_TYPE_CGROUP_DEVICE; Linux kernel/bpf/cgroup.c, security/device_cgroup.c). */
import { BPF_DEVCG_CONTEXT_SIZE, BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE } from '../../abi/bpf.ts';
import { E2BIG, EINVAL, ENOENT, EPERM } from '../../abi/errno.ts';
import { MOST_OF_GROUP } from '../bpf/limits.ts';
import type { BpfProgram } from '../bpf/program.ts';
import { run } from '../bpf/run.ts';
import type { Cgroup } from './cgroup.ts';

export class DevicePrograms {
  /** How others may be added: BPF_F_ALLOW_*. */
  flags = 0;
  readonly programs: BpfProgram[] = [];
  readonly #group: Cgroup;

  constructor(group: Cgroup) {
    this.#group = group;
  }

  /** hierarchy_allows_attach() */
  #isOpenAbove(): boolean {
    for (let above = this.#group.parent; above !== undefined; above = above.parent) {
      const { flags, programs } = above.devices;
      if ((flags & BPF_F_ALLOW_MULTI) !== 0) return true;
      if (programs.length === 1) return (flags & BPF_F_ALLOW_OVERRIDE) !== 0;
    }
    return true;
  }

  /** `flags`: BPF_F_ALLOW_OVERRIDE, BPF_F_ALLOW_MULTI or none; `replaced`: its place is taken. 0 or a negative errno. */
  attach(program: BpfProgram, flags: number, replaced: BpfProgram | undefined): number {
    const isMulti = (flags & BPF_F_ALLOW_MULTI) !== 0;
    if (replaced !== undefined && !isMulti) return -EINVAL;
    if (!this.#isOpenAbove() || (this.programs.length > 0 && this.flags !== flags)) return -EPERM;
    if (this.programs.length >= MOST_OF_GROUP) return -E2BIG;
    if (isMulti && this.programs.includes(program)) return -EINVAL;
    let at = this.programs.length;
    if (replaced !== undefined) at = this.programs.indexOf(replaced);
    else if (!isMulti) at = 0;
    if (at < 0) return -ENOENT;
    program.hold();
    this.programs[at]?.release();
    this.programs[at] = program;
    this.flags = flags;
    return 0;
  }

  /** Undefined: the only one. 0 or a negative errno. */
  detach(program: BpfProgram | undefined): number {
    const isMulti = (this.flags & BPF_F_ALLOW_MULTI) !== 0;
    if (isMulti && program === undefined) return -EINVAL;
    const at = isMulti ? this.programs.indexOf(program!) : this.programs.length - 1;
    if (at < 0) return -ENOENT;
    this.programs.splice(at, 1)[0]!.release();
    if (this.programs.length === 0) this.flags = 0;
    return 0;
  }

  /** Those that are asked for a task of the group (compute_effective_progs): its own, or of the nearest group above that has some; and all above that allow several. */
  effective(): readonly BpfProgram[] {
    const found: BpfProgram[] = [];
    for (const { devices } of this.#group.path()) if (found.length === 0 || (devices.flags & BPF_F_ALLOW_MULTI) !== 0) found.push(...devices.programs);
    return found;
  }

  /** Whether all of them allow it; `type` and `access` are BPF_DEVCG_*, `rdev` as `st_rdev` has it. */
  allows(type: number, access: number, rdev: number): boolean {
    const programs = this.effective();
    if (programs.length === 0) return true;
    const context = new Uint8Array(BPF_DEVCG_CONTEXT_SIZE);
    const view = new DataView(context.buffer);
    view.setUint32(0, (access << 16) | type, true);
    view.setUint32(4, (rdev >>> 8) & 0xfff, true);
    view.setUint32(8, (rdev & 0xff) | ((rdev >>> 12) & 0xf_ff00), true);
    return programs.every(({ instructions }) => (run(instructions, context) & 1n) !== 0n);
  }

  /** The group is gone. */
  clear(): void {
    for (const program of this.programs.splice(0)) program.release();
    this.flags = 0;
  }
}
