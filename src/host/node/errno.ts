/** Node's errors as Linux errno values. Linux hosts carry the number; elsewhere the name decides. */
import { EIO, ERRNO_NAMES } from '../../abi/errno.ts';

const byName = new Map<string, number>([...ERRNO_NAMES].map(([value, name]) => [name, value]));
const isLinux = process.platform === 'linux';

/** Negative Linux errno of what a `node:fs`, `node:net` or `node:dgram` call threw; -EIO when it says nothing. */
export function negativeErrno(error: unknown): number {
  const { errno, code } = error as { errno?: unknown; code?: unknown };
  if (isLinux && typeof errno === 'number' && errno < 0 && errno > -4096) return errno;
  if (typeof code === 'string') return -(byName.get(code) ?? EIO);
  return -EIO;
}
