/** execve(2), execveat(2). */
import { E2BIG, EFAULT, EINVAL } from '../../abi/errno.ts';
import { exec } from '../exec/exec.ts';
import type { KernelTask } from '../task/task.ts';
import type { SyscallRow } from '../types.ts';
import { row } from './define.ts';

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;

/** A NULL-terminated array of strings; NULL itself is an empty one, as Linux allows. */
function readStrings(task: KernelTask, address: number): string[] | number {
  const { memory, kernel } = task;
  const texts: string[] = [];
  if (address === 0) return texts;
  let total = 0;
  for (let at = address; ; at += 8) {
    const pointer = memory.readI64(at);
    if (pointer === undefined) return -EFAULT;
    if (pointer === 0) return texts;
    const text = memory.readString(pointer, kernel.limits.argumentLength);
    if (typeof text === 'number') return text === -EFAULT ? -EFAULT : -E2BIG;
    total += text.length + 9;
    if (total > kernel.limits.argumentBytes) return -E2BIG;
    texts.push(text);
  }
}

function execveat(task: KernelTask, directory: number, pathname: number, argv: number, envp: number, flags: number): number {
  if ((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) !== 0) return -EINVAL;
  const path = task.memory.readPath(pathname, (flags & AT_EMPTY_PATH) !== 0);
  if (typeof path === 'number') return path;
  const args = readStrings(task, argv);
  if (typeof args === 'number') return args;
  const environment = readStrings(task, envp);
  if (typeof environment === 'number') return environment;
  return exec(task, { directory, path, flags, arguments: args, environment });
}

export const execRows: readonly SyscallRow[] = [
  row(59, 'execve', ['path', 'pointer:strings', 'pointer:environment'], (task, path, argv, envp) => execveat(task, AT_FDCWD, path, argv, envp, 0)),
  row(322, 'execveat', ['fd', 'path', 'pointer:strings', 'pointer:environment', 'flags:at-flags'], execveat),
];
