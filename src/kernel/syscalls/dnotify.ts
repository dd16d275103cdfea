/** Signals about changes in a directory: fcntl(2), F_NOTIFY (fs/notify/dnotify/dnotify.c). */
import { ENOTDIR } from '../../abi/errno.ts';
import { DN_ACCESS, DN_ATTRIB, DN_CREATE, DN_DELETE, DN_MODIFY, DN_MULTISHOT, DN_RENAME, F_OWNER_PID } from '../../abi/fcntl.ts';
import { IN_ACCESS, IN_ATTRIB, IN_CREATE, IN_DELETE, IN_ISDIR, IN_MODIFY, IN_MOVED_FROM, IN_MOVED_TO } from '../../abi/inotify.ts';
import { POLLIN, POLLMSG, POLLRDNORM } from '../../abi/poll.ts';
import { POLL_MSG, SI_KERNEL, SIGIO } from '../../abi/signal.ts';
import { S_IFDIR, S_IFMT } from '../../abi/stat.ts';
import type { InodeWatch, OpenFile } from '../../fs/types.ts';
import { addMark, marksOf, removeMark } from '../files/inode-marks.ts';
import type { Kernel, Task } from '../types.ts';
import { getAsyncSignal, getOwner, setOwner, tellOwner } from './async-io.ts';

/** Events of the VFS for each bit. DN_RENAME has none of its own: a move from and to the same directory. */
const EVENTS: readonly (readonly [bit: number, events: number])[] = [
  [DN_ACCESS, IN_ACCESS],
  [DN_MODIFY, IN_MODIFY],
  [DN_CREATE, IN_CREATE | IN_MOVED_TO],
  [DN_DELETE, IN_DELETE | IN_MOVED_FROM],
  [DN_ATTRIB, IN_ATTRIB],
];

class DirectoryNotifier implements InodeWatch {
  readonly file: OpenFile;
  readonly files: Task['files'];
  readonly #kernel: Kernel;
  fd: number;
  mask: number;
  #movedFrom = 0;

  constructor(task: Task, file: OpenFile, fd: number, mask: number) {
    this.#kernel = task.kernel;
    this.file = file;
    this.files = task.files;
    this.fd = fd;
    this.mask = mask;
  }

  /** The descriptor was not closed. */
  get isOpen(): boolean {
    return this.file.references !== 0 && this.files.get(this.fd) === this.file;
  }

  notify(events: number, name: string | undefined, cookie: number): void {
    if (!this.isOpen) return removeMark(this.file.inode, this);
    if (name === undefined && (events & IN_ISDIR) === 0) return;
    let asked = EVENTS.some(([bit, of]) => (this.mask & bit) !== 0 && (events & of) !== 0);
    if ((events & IN_MOVED_FROM) !== 0) this.#movedFrom = cookie;
    else if ((events & IN_MOVED_TO) !== 0 && cookie === this.#movedFrom && (this.mask & DN_RENAME) !== 0) asked = true;
    if (!asked) return;
    if ((this.mask & DN_MULTISHOT) === 0) removeMark(this.file.inode, this);
    const signal = getAsyncSignal(this.file);
    const band = POLLIN | POLLRDNORM | POLLMSG;
    tellOwner(this.#kernel, this.file, signal === 0 ? { signal: SIGIO, code: SI_KERNEL } : { signal, code: POLL_MSG, band, fd: this.fd });
  }
}

export function setDirectoryNotify(task: Task, file: OpenFile, fd: number, mask: number): number {
  const { inode } = file;
  const notifiers = [...marksOf(inode)].filter((mark) => mark instanceof DirectoryNotifier);
  for (const notifier of notifiers) if (!notifier.isOpen) removeMark(inode, notifier);
  const known = notifiers.find((notifier) => notifier.isOpen && notifier.file === file && notifier.files === task.files);
  if ((mask & ~DN_MULTISHOT) === 0) {
    if (known !== undefined) removeMark(inode, known);
    return 0;
  }
  if ((inode.mode & S_IFMT) !== S_IFDIR) return -ENOTDIR;
  if (getOwner(task, file) === 0) setOwner(task, file, F_OWNER_PID, task.process.pid);
  if (known === undefined) addMark(inode, new DirectoryNotifier(task, file, fd, mask));
  else {
    known.fd = fd;
    known.mask |= mask;
  }
  return 0;
}
