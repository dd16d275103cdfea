/** Users and groups of the root directory, from its passwd(5) and group(5). */
import { readFileSync } from 'node:fs';
import type { UserConfig } from '../container/index.ts';
import { UserError } from './errors.ts';
import { parseCount } from './quantities.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

function readFields(file: string): string[][] {
  try {
    return readFileSync(file, 'latin1').split('\n').map((line) => line.split(':'));
  } catch {
    return [];
  }
}

export function readAccounts(root: string): readonly Account[] {
  return readFields(`${root}/etc/passwd`)
    .filter((fields) => fields.length >= 7)
    .map((fields) => ({ name: fields[0] ?? '', uid: Number(fields[2]), gid: Number(fields[3]), home: fields[5] ?? '/' }));
}

interface Group {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

function readGroups(root: string): readonly Group[] {
  return readFields(`${root}/etc/group`)
    .filter((fields) => fields.length >= 4)
    .map((fields) => ({ name: fields[0] ?? '', gid: Number(fields[2]), members: (fields[3] ?? '').split(',') }));
}

/** Who runs us. */
export function currentUser(): UserConfig {
  const gid = process.getgid?.() ?? 0;
  return { uid: process.getuid?.() ?? 0, gid, groups: process.getgroups?.() ?? [gid] };
}

function findGroup(groups: readonly Group[], text: string): number {
  const gid = groups.find((group) => group.name === text)?.gid ?? parseCount(text);
  if (gid === undefined) throw new UserError(`cannot run as group "${text}": /etc/group has no such name`, 'give a number, or another name');
  return gid;
}

/** `USER[:GROUP]`, each a name or a number, as `docker run --user`. */
export function resolveUser(root: string, text: string): { readonly user: UserConfig; readonly account: Account | undefined } {
  const [userText = '', groupText] = text.split(':');
  const accounts = readAccounts(root);
  const account = accounts.find(({ name }) => name === userText) ?? accounts.find(({ uid }) => uid === parseCount(userText));
  const uid = account?.uid ?? parseCount(userText);
  if (uid === undefined) throw new UserError(`cannot run as user "${userText}": /etc/passwd has no such name`, 'give a number, or another name');
  const groups = readGroups(root);
  if (groupText !== undefined) {
    const gid = findGroup(groups, groupText);
    return { user: { uid, gid, groups: [gid] }, account };
  }
  const gid = account?.gid ?? 0;
  const memberOf = groups.filter((group) => account !== undefined && group.members.includes(account.name)).map((group) => group.gid);
  return { user: { uid, gid, groups: [...new Set([gid, ...memberOf])] }, account };
}
