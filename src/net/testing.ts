/** A network without a kernel, to test sockets directly. */
import { EADDRINUSE, ECONNREFUSED } from '../abi/errno.ts';
import { AnonymousFileSystem, AnonymousInode } from '../fs/anonymous-inode.ts';
import type { Inode } from '../fs/types.ts';
import type { Caller, NetEnvironment } from './environment.ts';
import { NetworkStack, type NetworkOptions } from './network-stack.ts';

export class FakeEnvironment implements NetEnvironment {
  now = 0;
  pid = 42;
  readonly #fileSystem = new AnonymousFileSystem('sockfs', 8, 0);
  readonly #nodes = new Map<string, Inode>();
  #inode = 1;
  #random = 1;

  readonly nodes = {
    bind: (path: string): Inode | number => {
      if (this.#nodes.has(path)) return -EADDRINUSE;
      const inode = this.newInode();
      this.#nodes.set(path, inode);
      return inode;
    },
    find: (path: string): Inode | number => this.#nodes.get(path) ?? -ECONNREFUSED,
  };

  monotonicNs(): number {
    return this.now;
  }
  realtimeNs(): bigint {
    return BigInt(this.now);
  }
  addTimer(): { cancel(): void } {
    return { cancel: () => undefined };
  }
  random(buffer: Uint8Array): void {
    for (let index = 0; index < buffer.length; index++) buffer[index] = this.#random = (this.#random * 75 + 74) % 65_537;
  }
  newInode(): Inode {
    return new AnonymousInode(this.#fileSystem, this.#inode++, 0o140_777);
  }
  caller(): Caller {
    const own = { pid: this.pid, uid: 1000, gid: 1000 };
    return {
      effective: own, real: own, groups: [1000], seen: (credentials) => credentials, mayClaim: ({ pid, uid }) => pid === own.pid && uid === own.uid, mayBindLowPorts: false, mayUseRaw: false,
      mayAdminister: false,
    };
  }
}

export function fakeStack(options: NetworkOptions = {}): NetworkStack {
  return new NetworkStack(new FakeEnvironment(), options);
}
