/** Bytes of a tar that lies in a file. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { extractTar } from '../../container/extract.ts';
import type { Container } from '../../container/index.ts';

/** Puts a tar in a file (a byte-string path) into a container's tree. */
export function extractFile(container: Container, tar: string, directory: string, owner: { readonly uid: number; readonly gid: number } | undefined): void {
  const handle = openSync(Buffer.from(tar, 'latin1'), 'r');
  try {
    extractTar(container, { size: fstatSync(handle).size, read: (buffer, position) => readSync(handle, buffer, 0, buffer.length, position) }, { directory, owner });
  } finally {
    closeSync(handle);
  }
}
