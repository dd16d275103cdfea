/** Users of the host, or of the root directory that `do` is given. */
import { readFileSync } from 'node:fs';
import { UnknownAccountError, readAccounts as readAccountsOf, resolveUser as resolveUserOf } from '../container/index.ts';
import type { Account, AccountReader, UserConfig } from '../container/index.ts';
import { UserError } from './errors.ts';

function readerOf(root: string): AccountReader {
  return (path) => {
    try {
      return readFileSync(root + path, 'latin1');
    } catch {
      return undefined;
    }
  };
}

export function readAccounts(root: string): readonly Account[] {
  return readAccountsOf(readerOf(root));
}

/** Who runs us. */
export function currentUser(): UserConfig {
  const gid = process.getgid?.() ?? 0;
  return { uid: process.getuid?.() ?? 0, gid, groups: process.getgroups?.() ?? [gid] };
}

/** `--user`. @throws UserError */
export function resolveUser(root: string | AccountReader, text: string): { readonly user: UserConfig; readonly account: Account | undefined } {
  try {
    return resolveUserOf(typeof root === 'string' ? readerOf(root) : root, text);
  } catch (error) {
    if (!(error instanceof UnknownAccountError)) throw error;
    throw new UserError(`cannot run as ${error.kind} "${error.account}": ${error.message}`, 'give a number, or another name', undefined, { cause: error });
  }
}
