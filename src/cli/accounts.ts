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

/** Runs what looks a user up. @throws UserError where there is no such one. */
export function withAccounts<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof UnknownAccountError)) throw error;
    throw new UserError(`cannot run as ${error.kind} "${error.account}": ${error.message}`, 'give a number, or another name', undefined, { cause: error });
  }
}

/** `--user`. @throws UserError */
export function resolveUser(root: string, text: string): { readonly user: UserConfig; readonly account: Account | undefined } {
  return withAccounts(() => resolveUserOf(readerOf(root), text));
}
