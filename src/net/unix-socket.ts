/** What stream, seqpacket and datagram unix sockets share: unix(7), Linux net/unix/af_unix.c. */
import { EINVAL, EOPNOTSUPP, EPERM } from '../abi/errno.ts';
import { FIONREAD, SIOCOUTQ } from '../abi/ioctl.ts';
import { AF_UNIX, MSG_OOB, MSG_PEEK, SO_PASSCRED, SOL_SOCKET } from '../abi/socket.ts';
import { dropFile, holdFile } from '../fs/open-file.ts';
import { putU32 } from '../fs/stream-file.ts';
import type { GuestMemory } from '../fs/types.ts';
import { ioctlInterface } from './interface-ioctl.ts';
import { MESSAGE_OVERHEAD } from './limits.ts';
import { decodeUnix, encodeUnix } from './sockaddr.ts';
import { Socket, type ReceiveDetails, type SendDetails } from './socket.ts';
import type { UnixMessage, UnixNamespace } from './unix-namespace.ts';

export abstract class UnixSocket extends Socket {
  readonly namespace: UnixNamespace;
  /** Path, abstract name with leading NUL, or ''. */
  name = '';
  /** What waits to be received. */
  protected queue: UnixMessage[] = [];
  protected queuedCharge = 0;
  protected receiveShut = false;
  protected sendShut = false;
  #unbind: (() => void) | undefined = undefined;

  constructor(namespace: UnixNamespace, type: number) {
    super(namespace.environment, AF_UNIX, type, 0);
    this.namespace = namespace;
  }

  bind(sockaddr: Uint8Array): number {
    const decoded = decodeUnix(sockaddr);
    if (typeof decoded === 'number') return decoded;
    if (this.name !== '') return decoded === '' ? 0 : -EINVAL;
    return this.bindName(decoded);
  }
  protected bindName(wanted: string): number {
    const name = wanted === '' ? this.namespace.autobindName() : wanted;
    if (typeof name === 'number') return name;
    const unbind = this.namespace.bind(name, this);
    if (typeof unbind === 'number') return unbind;
    this.name = name;
    this.#unbind = unbind;
    return 0;
  }
  localName(): Uint8Array {
    return encodeUnix(this.name);
  }

  /** A message from this socket: it holds the descriptors, or a negative errno. */
  protected makeMessage(bytes: Uint8Array, details: SendDetails | undefined): UnixMessage | number {
    const caller = this.environment.caller();
    const { credentials, rights } = details ?? {};
    if (credentials !== undefined && !caller.mayClaim(credentials)) return -EPERM;
    const held = this.namespace.hold(rights);
    if (held < 0) return held;
    return { data: bytes.slice(), name: this.name, rights, credentials: credentials ?? caller.real };
  }

  protected enqueue(message: UnixMessage): void {
    this.queue.push(message);
    this.queuedCharge += message.data.length + MESSAGE_OVERHEAD;
  }
  protected dequeue(): void {
    const message = this.queue.shift()!;
    this.queuedCharge -= message.data.length + MESSAGE_OVERHEAD;
  }
  /** Puts what comes with the bytes where recvmsg(2) finds it; with MSG_PEEK the message keeps its own references. */
  protected describe(message: UnixMessage, flags: number, details: ReceiveDetails | undefined): void {
    const peeking = (flags & MSG_PEEK) !== 0;
    if (details === undefined) {
      if (!peeking) this.namespace.discard(message.rights);
      return;
    }
    if (message.rights !== undefined) {
      if (peeking) for (const file of message.rights) holdFile(file);
      else this.namespace.landed(message.rights);
      details.rights = message.rights;
    }
    if (this.switchedOn(SO_PASSCRED)) details.credentials = this.environment.caller().seen(message.credentials);
  }
  protected static badSendFlags(flags: number): number {
    return (flags & MSG_OOB) === 0 ? 0 : -EOPNOTSUPP;
  }

  override setOption(level: number, option: number, value: Uint8Array): number {
    return level === SOL_SOCKET ? super.setOption(level, option, value) : -EOPNOTSUPP;
  }
  override getOption(level: number, option: number, length: number): Uint8Array | number {
    return level === SOL_SOCKET ? super.getOption(level, option, length) : -EOPNOTSUPP;
  }

  override ioctl(request: number, argument: number, memory: GuestMemory): number {
    if (request === FIONREAD) return this.listening ? -EINVAL : putU32(memory, argument, this.readableBytes());
    if (request === SIOCOUTQ) return putU32(memory, argument, this.unreadByPeer());
    return ioctlInterface(this.namespace.interfaces, request, argument, memory);
  }
  protected readableBytes(): number {
    return this.queue.reduce((sum, { data }) => sum + data.length, 0);
  }
  protected unreadByPeer(): number {
    return 0;
  }

  override release(): void {
    this.#unbind?.();
    for (const { rights } of this.queue) this.namespace.discard(rights);
    this.queue = [];
    this.queuedCharge = 0;
  }
}

/** Descriptors that the receiver cannot take are closed. */
export function dropRights(details: ReceiveDetails): void {
  for (const file of details.rights ?? []) dropFile(file);
  details.rights = undefined;
}
