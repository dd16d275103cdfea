/** `--chown=USER[:GROUP]`: names are looked up in the tree that is copied to. */
import { UnknownAccountError, resolveUser } from '../container/index.ts';
import { BuildError } from './errors.ts';
import { fromBytes, toText } from './text.ts';
import { resolvePath } from './tree.ts';
import type { TreeNode } from './tree.ts';

/** Files of accounts that are longer are not read. */
const MOST_ACCOUNT_BYTES = 2 ** 24;

function readText(root: TreeNode, path: string): string | undefined {
  const { node } = resolvePath(root, path);
  if (node?.kind !== 'file' || node.attributes.size > MOST_ACCOUNT_BYTES) return undefined;
  return [...node.contents()].map(fromBytes).join('');
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** A number without a group is its own group, as in Docker. @throws BuildError for a name that the tree does not know. */
export function ownerOf(root: () => TreeNode, text: string): Owner {
  const [user = '', group] = text.split(':');
  const isNumber = /^\d+$/.test(user);
  if (isNumber && (group === undefined || /^\d+$/.test(group))) return { uid: Number(user), gid: Number(group ?? user) };
  try {
    const { user: found } = resolveUser((path) => readText(root(), path), user === '' ? `0:${group ?? ''}` : isNumber && group === undefined ? `${user}:${user}` : text);
    return { uid: found.uid, gid: found.gid };
  } catch (error) {
    if (!(error instanceof UnknownAccountError)) throw error;
    throw new BuildError(`cannot use the ${error.kind} "${toText(error.account)}": the image's /etc/${error.kind === 'user' ? 'passwd' : 'group'} has no such name`, { advice: 'give a number, or add the user before', cause: error });
  }
}
