/** What the file system cgroup2 asks of control groups: it declares the questions, the kernel answers them. */

/** Whether who writes may write to a file of another group too (migration asks for the common ancestor's `cgroup.procs`). */
export type MayWrite = (group: CgroupNode, file: string) => boolean;

/**
 * What a file is for: `bounds` holds tasks back, `acts` does something at once, `tells` says what is or was, `kept` is remembered and has no effect.
 * COMPATIBILITY.md is made of this.
 */
export type CgroupEffect = 'bounds' | 'acts' | 'tells' | 'kept';

/** A file of a group: text (latin1) or a negative errno; absent: -EINVAL. */
export interface CgroupFile {
  readonly name: string;
  /** Permission bits that it is made with. */
  readonly mode: number;
  readonly effect: CgroupEffect;
  /** What differs from Linux, or is not plain. */
  readonly note?: string;
  read?(): string | number;
  /** Takes what one write(2) brought, without blanks around it: 0 or a negative errno. */
  write?(text: string, mayWrite: MayWrite): number;
}

/** A control group, which is a directory. */
export interface CgroupNode {
  /** Inode number, as `cgroup_id`. */
  readonly id: number;
  readonly name: string;
  readonly children: ReadonlyMap<string, CgroupNode>;
  /** Those that are there now: controllers come and go. The same object for the same file. */
  files(): ReadonlyMap<string, CgroupFile>;
  /** mkdir(2): the group, or a negative errno. */
  make(name: string): CgroupNode | number;
  /** rmdir(2): 0 or a negative errno. */
  remove(name: string): number;
  /** Set by the file system: the text of a file changed by itself (`cgroup_file_notify`). */
  onChange: ((file: string) => void) | undefined;
}
