/**
 * `--apply`: copies what a command changed to the host, after asking. The host's tree is the user's own, so what
 * is guarded against here is what the command may have prepared: paths through links, and files in
 * places that it could not see.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } from '../../abi/stat.ts';
import type { Change, Container } from '../../container/index.ts';
import { toText } from '../bytes.ts';
import { contents } from './do-changes.ts';
import type { DoOptions } from './do-options.ts';
import { UserError } from '../errors.ts';

const LISTED = 40;
type Inode = NonNullable<Change['inode']>;
const bytes = (path: string): Buffer => Buffer.from(path, 'latin1');

function say(text: string): void {
  fs.writeSync(2, text);
}

/** One line from the terminal, not from standard input, which was the command's. */
function ask(question: string): string {
  let terminal: number;
  try {
    terminal = fs.openSync('/dev/tty', 'r+');
  } catch (error) {
    throw new UserError('cannot ask whether to apply the changes: there is no terminal', 'add --yes to apply without asking', undefined, { cause: error });
  }
  fs.writeSync(terminal, question);
  const buffer = new Uint8Array(256);
  const count = fs.readSync(terminal, buffer);
  fs.closeSync(terminal);
  return Buffer.from(buffer.subarray(0, count)).toString().trim().toLowerCase();
}

/** True if a directory on the way is a link on the host: what lies behind it is not what the command saw. */
function leadsThroughLink(path: string, root: string): boolean {
  for (let directory = dirname(path); directory.length > root.length; directory = dirname(directory)) {
    const stats = fs.lstatSync(bytes(directory), { throwIfNoEntry: false });
    if (stats?.isSymbolicLink() === true) return true;
  }
  return false;
}

function writeFile(path: string, inode: Inode): void {
  const temporary = `${path}.caisson-new`;
  const handle = fs.openSync(bytes(temporary), fs.constants.O_CREAT | fs.constants.O_EXCL | fs.constants.O_WRONLY, 0o600);
  try {
    for (const chunk of contents(inode)) fs.writeSync(handle, chunk);
  } finally {
    fs.closeSync(handle);
  }
  setAttributes(temporary, inode);
  fs.renameSync(bytes(temporary), bytes(path));
}

function setAttributes(path: string, inode: Inode): void {
  const stat = inode.stat();
  const now = fs.lstatSync(bytes(path));
  if (now.uid !== stat.uid || now.gid !== stat.gid) fs.lchownSync(bytes(path), stat.uid, stat.gid);
  if ((stat.mode & S_IFMT) === S_IFLNK) return;
  fs.chmodSync(bytes(path), stat.mode & 0o7777);
  fs.utimesSync(bytes(path), Number(stat.atimeNs) / 1e9, Number(stat.mtimeNs) / 1e9);
}

function applyOne({ kind, inode, metadataOnly }: Change, path: string): string | undefined {
  if (kind === 'D' || inode === undefined) {
    fs.rmSync(bytes(path), { recursive: true, force: true });
    return undefined;
  }
  switch (inode.mode & S_IFMT) {
    case S_IFDIR:
      if (fs.lstatSync(bytes(path), { throwIfNoEntry: false }) === undefined) fs.mkdirSync(bytes(path));
      setAttributes(path, inode);
      return undefined;
    case S_IFREG:
      if (metadataOnly === true) setAttributes(path, inode);
      else writeFile(path, inode);
      return undefined;
    case S_IFLNK: {
      const target = inode.readLink();
      if (typeof target !== 'string') return 'its target cannot be read';
      fs.rmSync(bytes(path), { force: true });
      fs.symlinkSync(bytes(target), bytes(path));
      setAttributes(path, inode);
      return undefined;
    }
    case S_IFIFO:
      return 'it is a named pipe';
    default:
      return 'it is a device or a socket';
  }
}

/** Why a change must not be applied. */
function refusal(path: string, root: string, hidden: readonly string[]): string | undefined {
  if (hidden.some((place) => path === place || path.startsWith(`${place}/`))) return 'it was hidden from the command';
  return leadsThroughLink(path, root) ? 'the way to it leads through a link' : undefined;
}

export async function applyChanges(container: Container, options: DoOptions): Promise<void> {
  const { root, hide } = options.container;
  const changes = [...container.changes()];
  if (changes.length === 0) {
    say('caisson: nothing changed, nothing to apply\n');
    return;
  }
  say(changes.slice(0, LISTED).map(({ kind, path }) => `${kind} ${toText(path)}\n`).join(''));
  if (changes.length > LISTED) say(`... and ${changes.length - LISTED} more\n`);
  if (!options.yes && !['y', 'yes'].includes(ask(`Apply ${changes.length} changes to ${toText(root)}? [y/N] `))) {
    say('caisson: nothing applied\n');
    return;
  }
  let failures = 0;
  for (const change of changes) {
    const path = root === '/' ? change.path : root + change.path;
    let problem = refusal(path, root, hide);
    try {
      problem ??= applyOne(change, path);
    } catch (error) {
      problem = (error as Error).message;
    }
    if (problem === undefined) continue;
    failures++;
    say(`caisson: cannot apply ${change.kind} "${toText(path)}": ${problem}\n`);
  }
  if (failures > 0) throw new UserError(`cannot apply ${failures} of ${changes.length} changes`, 'see the lines above');
  say(`caisson: applied ${changes.length} changes\n`);
}
