/** `HostAsyncFiles` on `node:fs`: Node's own threads wait for the disk. */
import { fsync, read, write } from 'node:fs';
import type { HostAsyncFiles } from '../types.ts';
import { negativeErrno } from './errno.ts';

type Done = (error: NodeJS.ErrnoException | null, count?: number) => void;

function settled(start: (done: Done) => void): Promise<number> {
  return new Promise((resolve) => start((error, count) => resolve(error === null ? (count ?? 0) : negativeErrno(error))));
}

export const nodeAsyncFiles: HostAsyncFiles = {
  read: (handle, buffer, position) => settled((done) => read(handle, buffer, 0, buffer.length, position, done)),
  write: (handle, buffer, position) => settled((done) => write(handle, buffer, 0, buffer.length, position, done)),
  sync: (handle) => settled((done) => fsync(handle, done)),
};
