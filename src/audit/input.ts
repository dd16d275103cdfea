/** What a reader of one kind of input answers. */
import { applyChange } from './change.ts';
import type { Change } from './change.ts';
import type { Configuration, InputKind } from './model.ts';
import type { Tree } from './tree.ts';

/** A change that this kind of input has no words for, or not in this place. */
export interface RefusedChange {
  readonly container: string;
  readonly change: Change;
  readonly why: string;
}

export interface Rewritten {
  readonly text: string;
  readonly refused: readonly RefusedChange[];
}

export interface AuditInput {
  readonly kind: InputKind;
  readonly configurations: readonly Configuration[];
  /** Line of each configuration in the text, from 1 on. */
  readonly lines: readonly (number | undefined)[];
  /** What could not be judged, as sentences. */
  readonly notes: readonly string[];
  /** The same text with the changes, a list for each configuration. */
  rewrite(changes: readonly (readonly Change[])[]): Rewritten;
}

/** Makes the changes in a tree: `make(index, configuration, change)` answers why not, where it cannot. Each change sees what the ones before it have left. */
export function rewriteTree(tree: Tree, configurations: readonly Configuration[], changes: readonly (readonly Change[])[], make: (index: number, configuration: Configuration, change: Change) => string | undefined): Rewritten {
  const refused: RefusedChange[] = [];
  for (const [index, configuration] of configurations.entries()) {
    let current = configuration;
    for (const change of changes[index] ?? []) {
      const why = make(index, current, change);
      current = applyChange(current, change);
      if (why !== undefined) refused.push({ container: configuration.name, change, why });
    }
  }
  return { text: tree.text(), refused };
}
