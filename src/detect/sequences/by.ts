/** What the events of a sequence have in common: values of fields that are equal, the process tree, or only the container. */
import { readerOf } from '../condition/compile.ts';
import { ConditionError } from '../errors.ts';
import { MOST_SEQUENCE_FIELDS } from '../limits.ts';
import type { Subject } from '../subject.ts';

export interface Keys {
  /** The processes of the sequence are of one tree as well. */
  readonly isTree: boolean;
  /** How many values there are. */
  readonly count: number;
  /** Undefined: the event has not all of the fields, and is of no sequence. */
  value(subject: Subject): string | undefined;
}

const TREE = 'proc.tree';
const ALIASES: ReadonlyMap<string, string> = new Map([['proc', 'proc.pid']]);

/** `container`, `proc.tree`, `proc` or fields. @throws ConditionError */
export function compileKeys(names: readonly string[]): Keys {
  if (names.length === 0 || names.length > MOST_SEQUENCE_FIELDS) throw new ConditionError(`by has ${names.length} fields`, `write 1 to ${MOST_SEQUENCE_FIELDS}, or "container"`, 0);
  const readers = names.filter((name) => name !== TREE && name !== 'container').map((name) => {
    const [, bare = name, argument] = /^(.*?)\[([^\]]*)\]$/.exec(ALIASES.get(name) ?? name) ?? [];
    return readerOf({ name: ALIASES.get(name) ?? bare, argument, transformers: [], offset: 0 }).get;
  });
  return {
    isTree: names.includes(TREE), count: readers.length,
    value: (subject) => {
      let joined = '';
      for (const read of readers) {
        const value = read(subject);
        if (value === undefined) return undefined;
        joined += `${String(value)}\0`;
      }
      return joined;
    },
  };
}

/** Where a tree begins: at the parent of the process that takes the first step, so that its siblings, and all that is below them, are of it. */
export function treeOf({ event: { program } }: Subject): number {
  return program.parent?.pid ?? program.pid;
}

/** Trees that a process can be of: those that begin with itself, or with one above it. */
export function treesOf({ event: { program } }: Subject): readonly number[] {
  const found: number[] = [];
  for (let at: typeof program | undefined = program; at !== undefined; at = at.parent) found.push(at.pid);
  return found;
}
