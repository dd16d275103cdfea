/** memfd_secret(2): memory that only its mappings show (Linux mm/secretmem.c). */
import { EINVAL, ENXIO, EOPNOTSUPP, ESPIPE } from '../abi/errno.ts';
import { O_RDWR } from '../abi/fcntl.ts';
import { S_IFREG } from '../abi/stat.ts';
import { Dentry, rootDentry } from './dentry.ts';
import { memoryStore, type MemfdOwner } from './memfd.ts';
import { PlainFile } from './open-file.ts';
import type { Credentials, SetAttributes } from './types.ts';

export class SecretFile extends PlainFile {
  override read(_buffer: Uint8Array, offset?: number): number {
    return offset === undefined ? -EINVAL : -ESPIPE;
  }

  override write(_buffer: Uint8Array, offset?: number): number {
    return offset === undefined ? -EINVAL : -ESPIPE;
  }

  override seek(): number {
    return -ESPIPE;
  }
}

/** An open file, or -ENOSPC. It has no size until ftruncate(2) gives it one, once. */
export function createSecretFile(kernel: MemfdOwner, credentials: Credentials): SecretFile | number {
  const { fileSystem, mount } = memoryStore(kernel);
  const inode = fileSystem.createNode(S_IFREG | 0o600, credentials.fsuid, credentials.fsgid, 0);
  if (typeof inode === 'number') return inode;
  const setAttributes = inode.setAttributes.bind(inode);
  Object.assign(inode, {
    open: () => -ENXIO,
    sync: () => -EINVAL,
    allocate: () => -EOPNOTSUPP,
    setAttributes: (attributes: SetAttributes) => (attributes.size !== undefined && inode.size !== 0 ? -EINVAL : setAttributes(attributes)),
  });
  const root = rootDentry(fileSystem);
  const dentry = new Dentry('secretmem', root, inode, root.tree);
  dentry.deleted = true;
  return new SecretFile(inode, O_RDWR, { mount, dentry });
}
