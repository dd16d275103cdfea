/** Users and groups of a tree, from its passwd(5) and group(5). Names and homes are byte strings. */
import type { UserConfig } from './config.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/** Reads a text of the tree as a byte string; undefined where there is none. */
export type AccountReader = (path: string) => string | undefined;

/** The tree knows no user or group of the name. */
export class UnknownAccountError extends Error {
  override readonly name = 'UnknownAccountError';
  readonly kind: 'user' | 'group';
  readonly account: string;

  constructor(kind: 'user' | 'group', account: string) {
    super(`/etc/${kind === 'user' ? 'passwd' : 'group'} has no such name`);
    this.kind = kind;
    this.account = account;
  }
}

/** Bounds for files that an image controls. */
const MOST_LINES = 100_000;

function fieldsOf(text: string | undefined): string[][] {
  return (text ?? '').split('\n', MOST_LINES).map((line) => line.split(':'));
}

function numberOf(text: string | undefined): number | undefined {
  const value = text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined;
  return value !== undefined && value < 2 ** 32 - 1 ? value : undefined;
}

export function readAccounts(read: AccountReader): readonly Account[] {
  return fieldsOf(read('/etc/passwd')).flatMap((fields) => {
    const [name = '', , uidText, gidText, , home = '/'] = fields;
    const [uid, gid] = [numberOf(uidText), numberOf(gidText)];
    return fields.length < 7 || uid === undefined || gid === undefined ? [] : [{ name, uid, gid, home }];
  });
}

function readGroups(read: AccountReader): readonly Group[] {
  return fieldsOf(read('/etc/group')).flatMap((fields) => {
    const [name = '', , gidText, members = ''] = fields;
    const gid = numberOf(gidText);
    return fields.length < 4 || gid === undefined ? [] : [{ name, gid, members: members.split(',') }];
  });
}

/**
 * `USER[:GROUP]`, each a name or a number, as `docker run --user`.
 *
 * @throws UnknownAccountError
 */
export function resolveUser(read: AccountReader, text: string): { readonly user: UserConfig; readonly account: Account | undefined } {
  const [userText = '', groupText] = text.split(':');
  const accounts = readAccounts(read);
  const account = accounts.find(({ name }) => name === userText) ?? accounts.find(({ uid }) => uid === numberOf(userText));
  const uid = account?.uid ?? numberOf(userText);
  if (uid === undefined) throw new UnknownAccountError('user', userText);
  const groups = readGroups(read);
  if (groupText !== undefined) {
    const gid = groups.find((group) => group.name === groupText)?.gid ?? numberOf(groupText);
    if (gid === undefined) throw new UnknownAccountError('group', groupText);
    return { user: { uid, gid, groups: [gid] }, account };
  }
  const gid = account?.gid ?? 0;
  const memberOf = groups.filter((group) => account !== undefined && group.members.includes(account.name)).map((group) => group.gid);
  return { user: { uid, gid, groups: [...new Set([gid, ...memberOf])] }, account };
}
