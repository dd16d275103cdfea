/** Abstract names and descriptors in flight of the unix sockets of one network namespace (net/unix/af_unix.c, garbage.c). */
import { EADDRINUSE, ECONNREFUSED, EINVAL, ETOOMANYREFS } from '../abi/errno.ts';
import { dropFile, holdFile } from '../fs/open-file.ts';
import type { OpenFile } from '../fs/types.ts';
import type { NetEnvironment } from './environment.ts';
import { MAX_RIGHTS, RIGHTS_IN_FLIGHT } from './limits.ts';
import type { NetworkInterface } from './network-stack.ts';
import type { Socket } from './socket.ts';

/** Names that autobind tries (unix(7), "Autobind feature"). */
const AUTOBIND_NAMES = 0x10_0000;

export class UnixNamespace {
  readonly environment: NetEnvironment;
  /** What SIOCGIF* on a unix socket asks about (net/core/dev_ioctl.c). */
  readonly interfaces: readonly NetworkInterface[];
  readonly #abstract = new Map<string, Socket>();
  #inFlight = 0;

  constructor(environment: NetEnvironment, interfaces: readonly NetworkInterface[] = []) {
    this.environment = environment;
    this.interfaces = interfaces;
  }

  /** Gives the name to the socket: the unbinder, or a negative errno. */
  bind(name: string, socket: Socket): (() => void) | number {
    if (name.startsWith('\0')) {
      if (this.#abstract.has(name)) return -EADDRINUSE;
      this.#abstract.set(name, socket);
      return () => this.#abstract.delete(name);
    }
    const inode = this.environment.nodes.bind(name);
    if (typeof inode === 'number') return inode;
    inode.boundSocket = socket;
    return () => {
      if (inode.boundSocket === socket) inode.boundSocket = undefined;
    };
  }

  /** A free abstract name of five hexadecimal digits. */
  autobindName(): string | number {
    const random = new Uint8Array(4);
    this.environment.random(random);
    let number = new DataView(random.buffer).getUint32(0) % AUTOBIND_NAMES;
    for (let tries = 0; tries < AUTOBIND_NAMES; tries++) {
      const name = `\0${number.toString(16).padStart(5, '0')}`;
      if (!this.#abstract.has(name)) return name;
      number = (number + 1) % AUTOBIND_NAMES;
    }
    return -EADDRINUSE;
  }

  /** Who is bound to the name; `isSocket` tells sockets from other things that may sit on an inode. */
  find<T extends Socket>(name: string, isSocket: (value: unknown) => value is T): T | number {
    if (name.startsWith('\0')) {
      const socket = this.#abstract.get(name);
      return isSocket(socket) ? socket : -ECONNREFUSED;
    }
    const inode = this.environment.nodes.find(name);
    if (typeof inode === 'number') return inode;
    return isSocket(inode.boundSocket) ? inode.boundSocket : -ECONNREFUSED;
  }

  /** Descriptors start to travel: 0, -EINVAL, -ETOOMANYREFS. */
  hold(rights: readonly OpenFile[] | undefined): number {
    if (rights === undefined) return 0;
    if (rights.length > MAX_RIGHTS) return -EINVAL;
    if (this.#inFlight + rights.length > RIGHTS_IN_FLIGHT) return -ETOOMANYREFS;
    for (const file of rights) holdFile(file);
    this.#inFlight += rights.length;
    return 0;
  }
  /** They arrived; the receiver owns the references. */
  landed(rights: readonly OpenFile[] | undefined): void {
    if (rights !== undefined) this.#inFlight -= rights.length;
  }
  /** Nobody will receive them. */
  discard(rights: readonly OpenFile[] | undefined): void {
    if (rights === undefined) return;
    this.#inFlight -= rights.length;
    for (const file of rights) dropFile(file);
  }
}

/** Bytes on their way between unix sockets (`struct sk_buff` with `UNIXCB`). */
export interface UnixMessage {
  data: Uint8Array;
  readonly name: string;
  readonly rights: readonly OpenFile[] | undefined;
  readonly credentials: { readonly pid: number; readonly uid: number; readonly gid: number };
}
