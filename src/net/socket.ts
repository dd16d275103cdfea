/** What all sockets have in common: socket(7), Linux net/core/sock.c. */
import {
  EACCES, EDOM, EINVAL, ENOPROTOOPT, EOPNOTSUPP, EPERM, ESPIPE,
} from '../abi/errno.ts';
import {
  AF_UNIX, SO_ACCEPTCONN, SO_BINDTODEVICE, SO_BROADCAST, SO_BUSY_POLL, SO_COOKIE, SO_DEBUG, SO_DOMAIN, SO_DONTROUTE, SO_ERROR, SO_INCOMING_CPU,
  SO_KEEPALIVE, SO_LINGER, SO_MARK, SO_NO_CHECK, SO_OOBINLINE, SO_PASSCRED, SO_PASSSEC, SO_PEEK_OFF, SO_PEERCRED, SO_PEERGROUPS, SO_PRIORITY,
  SO_PROTOCOL, SO_RCVBUF, SO_RCVBUFFORCE, SO_RCVLOWAT, SO_RCVTIMEO_OLD, SO_REUSEADDR, SO_REUSEPORT, SO_RXQ_OVFL, SO_SNDBUF, SO_SNDBUFFORCE,
  SO_SNDLOWAT, SO_SNDTIMEO_OLD, SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TYPE, SO_ZEROCOPY, SOCK_STREAM, SOL_SOCKET,
} from '../abi/socket.ts';
import { O_RDWR } from '../abi/fcntl.ts';
import { StreamFile } from '../fs/stream-file.ts';
import type { OpenFile } from '../fs/types.ts';
import type { NetEnvironment, PeerCredentials } from './environment.ts';
import { DEFAULT_BUFFER, MAXIMUM_BUFFER, MINIMUM_RECEIVE_BUFFER, MINIMUM_SEND_BUFFER } from './limits.ts';

/** What goes with the bytes of sendmsg(2). */
export interface SendDetails {
  readonly address?: Uint8Array | undefined;
  /** SCM_RIGHTS: the socket holds them itself while they travel. */
  readonly rights?: readonly OpenFile[] | undefined;
  readonly credentials?: PeerCredentials | undefined;
}

/** What comes with the bytes of recvmsg(2). The receiver of `rights` owns one reference of each. */
export interface ReceiveDetails {
  address?: Uint8Array | undefined;
  /** MSG_TRUNC and others. */
  flags: number;
  rights?: readonly OpenFile[] | undefined;
  credentials?: PeerCredentials | undefined;
  /** Other control messages: level, type, data. */
  control?: readonly { readonly level: number; readonly type: number; readonly data: Uint8Array }[] | undefined;
}

/** Options that are switches without a further meaning to us: stored and shown. */
const STORED_SWITCHES = new Set([
  SO_DONTROUTE, SO_BROADCAST, SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_REUSEADDR, SO_REUSEPORT, SO_PASSCRED, SO_PASSSEC, SO_RXQ_OVFL,
  SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_ZEROCOPY,
]);
const SECOND_NS = 1e9;

export abstract class Socket extends StreamFile {
  readonly environment: NetEnvironment;
  readonly family: number;
  readonly type: number;
  readonly protocol: number;
  /** `sk_err`: reported and cleared by the next call or SO_ERROR. */
  pendingError = 0;
  receiveBuffer = DEFAULT_BUFFER;
  sendBuffer = DEFAULT_BUFFER;
  /** Nanoseconds; Infinity for ever. */
  receiveTimeoutNs = Infinity;
  sendTimeoutNs = Infinity;
  /** Seconds of SO_LINGER, undefined while it is off. */
  linger: number | undefined = undefined;
  lowWatermark = 1;
  listening = false;
  readonly #stored = new Map<number, number>();
  #device = '';

  constructor(environment: NetEnvironment, family: number, type: number, protocol: number) {
    const inode = environment.newInode();
    super(inode, `socket:[${inode.ino}]`, O_RDWR);
    this.environment = environment;
    this.family = family;
    this.type = type;
    this.protocol = protocol;
  }

  abstract bind(sockaddr: Uint8Array): number;
  /** 0, a negative errno, or -EINPROGRESS: `connectStatus` tells the end. */
  abstract connect(sockaddr: Uint8Array): number;
  /** Undefined while the connection is being made; then 0 or the negative errno, once. */
  connectStatus(): number | undefined {
    return this.takeError();
  }
  listen(_backlog: number): number {
    return -EOPNOTSUPP;
  }
  /** A connection, or -EAGAIN. The flags of the new socket are the caller's business. */
  accept(): Socket | number {
    return -EOPNOTSUPP;
  }
  /** -EAGAIN where it must wait; -EPIPE makes the caller raise SIGPIPE for streams, unless MSG_NOSIGNAL. */
  abstract send(bytes: Uint8Array, flags: number, details?: SendDetails): number;
  abstract receive(buffer: Uint8Array, flags: number, details?: ReceiveDetails): number;
  abstract shutdown(how: number): number;
  /** The socket's own address, as getsockname(2) shows it. */
  abstract localName(): Uint8Array;
  /** The peer's, or -ENOTCONN. */
  abstract peerName(): Uint8Array | number;
  peerCredentials(): PeerCredentials | undefined {
    return undefined;
  }
  peerGroups(): readonly number[] | undefined {
    return undefined;
  }
  /** The other end of a pair for socketpair(2). */
  pairWith(_other: Socket): number {
    return -EOPNOTSUPP;
  }

  /** Longest message that `send` takes; -EMSGSIZE comes before the bytes are looked at. */
  get maximumMessage(): number {
    return Infinity;
  }
  get isStream(): boolean {
    return this.type === SOCK_STREAM;
  }
  switchedOn(option: number): boolean {
    return this.#stored.get(option) === 1;
  }
  /** The pending error, negative, cleared; or 0. */
  takeError(): number {
    const error = this.pendingError;
    this.pendingError = 0;
    return 0 - error;
  }
  override read(buffer: Uint8Array, offset?: number): number {
    return offset === undefined ? this.receive(buffer, 0) : -ESPIPE;
  }
  override write(buffer: Uint8Array, offset?: number): number {
    return offset === undefined ? this.send(buffer, 0) : -ESPIPE;
  }

  /** setsockopt(2): 0 or a negative errno. */
  setOption(level: number, option: number, value: Uint8Array): number {
    return level === SOL_SOCKET ? this.#setSocketOption(option, value) : -ENOPROTOOPT;
  }
  /** getsockopt(2): the value, at most `length` bytes of which the caller gets. */
  getOption(level: number, option: number, _length: number): Uint8Array | number {
    return level === SOL_SOCKET ? this.#getSocketOption(option) : -ENOPROTOOPT;
  }

  #setSocketOption(option: number, value: Uint8Array): number {
    if (option === SO_BINDTODEVICE) {
      this.#device = String.fromCharCode(...value.subarray(0, 15)).replace(/\0.*$/s, '');
      return 0;
    }
    if (value.length < 4) return -EINVAL;
    const number = intOf(value);
    if (STORED_SWITCHES.has(option)) {
      this.#stored.set(option, number === 0 ? 0 : 1);
      return 0;
    }
    switch (option) {
      case SO_SNDBUF:
      case SO_SNDBUFFORCE:
        this.sendBuffer = Math.max(Math.min(number < 0 ? MAXIMUM_BUFFER : number, MAXIMUM_BUFFER) * 2, MINIMUM_SEND_BUFFER);
        this.bufferChanged();
        return 0;
      case SO_RCVBUF:
      case SO_RCVBUFFORCE:
        this.receiveBuffer = Math.max(Math.min(number < 0 ? MAXIMUM_BUFFER : number, MAXIMUM_BUFFER) * 2, MINIMUM_RECEIVE_BUFFER);
        this.bufferChanged();
        return 0;
      case SO_LINGER:
        if (value.length < 8) return -EINVAL;
        this.linger = number === 0 ? undefined : Math.max(0, intOf(value.subarray(4)));
        return 0;
      case SO_RCVLOWAT:
        this.lowWatermark = number < 0 ? 0x7fff_ffff : Math.max(1, number);
        return 0;
      case SO_RCVTIMEO_OLD:
      case SO_SNDTIMEO_OLD:
        return this.#setTimeout(option, value);
      case SO_PRIORITY:
        if ((number < 0 || number > 6) && !this.environment.caller().mayAdminister) return -EPERM;
        this.#stored.set(option, number);
        return 0;
      case SO_DEBUG:
        if (number !== 0 && !this.environment.caller().mayAdminister) return -EACCES;
        this.#stored.set(option, number === 0 ? 0 : 1);
        return 0;
      case SO_MARK:
        if (!this.environment.caller().mayAdminister) return -EPERM;
        this.#stored.set(option, number);
        return 0;
      case SO_INCOMING_CPU:
      case SO_BUSY_POLL:
        this.#stored.set(option, number);
        return 0;
      case SO_PEEK_OFF:
        return this.family === AF_UNIX && number < 0 ? 0 : -EOPNOTSUPP;
      default:
        return -ENOPROTOOPT;
    }
  }

  /** `struct timeval`; zero is for ever. */
  #setTimeout(option: number, value: Uint8Array): number {
    if (value.length < 16) return -EINVAL;
    const view = new DataView(value.buffer, value.byteOffset, 16);
    const seconds = Number(view.getBigInt64(0, true));
    const microseconds = Number(view.getBigInt64(8, true));
    if (microseconds < 0 || microseconds >= 1e6) return -EDOM;
    const ns = seconds < 0 ? 0 : seconds * SECOND_NS + microseconds * 1000;
    const timeout = ns === 0 && seconds >= 0 ? Infinity : ns;
    if (option === SO_RCVTIMEO_OLD) this.receiveTimeoutNs = timeout;
    else this.sendTimeoutNs = timeout;
    return 0;
  }

  #getSocketOption(option: number): Uint8Array | number {
    switch (option) {
      case SO_TYPE:
        return int(this.type);
      case SO_DOMAIN:
        return int(this.family);
      case SO_PROTOCOL:
        return int(this.protocol);
      case SO_ERROR:
        return int(-this.takeError());
      case SO_ACCEPTCONN:
        return int(this.listening ? 1 : 0);
      case SO_SNDBUF:
        return int(this.sendBuffer);
      case SO_RCVBUF:
        return int(this.receiveBuffer);
      case SO_RCVLOWAT:
        return int(this.lowWatermark);
      case SO_SNDLOWAT:
        return int(1);
      case SO_LINGER:
        return ints(this.linger === undefined ? 0 : 1, this.linger ?? 0);
      case SO_RCVTIMEO_OLD:
        return timeval(this.receiveTimeoutNs);
      case SO_SNDTIMEO_OLD:
        return timeval(this.sendTimeoutNs);
      case SO_PEERCRED: {
        const { pid, uid, gid } = this.environment.caller().seen(this.peerCredentials() ?? { pid: 0, uid: -1, gid: -1 });
        return ints(pid, uid, gid);
      }
      case SO_PEERGROUPS: {
        const groups = this.peerGroups();
        return groups === undefined ? -ENOPROTOOPT : ints(...groups);
      }
      case SO_COOKIE:
        return ints(this.inode.ino, 0);
      case SO_PEEK_OFF:
        return int(-1);
      case SO_BINDTODEVICE:
        return Uint8Array.from(this.#device === '' ? '' : `${this.#device}\0`, (character) => character.charCodeAt(0));
      case SO_DEBUG:
      case SO_PRIORITY:
      case SO_MARK:
      case SO_BUSY_POLL:
        return int(this.#stored.get(option) ?? 0);
      case SO_INCOMING_CPU:
        return int(this.#stored.get(option) ?? 0);
      default:
        return STORED_SWITCHES.has(option) ? int(this.#stored.get(option) ?? 0) : -ENOPROTOOPT;
    }
  }

  /** SO_RCVBUF or SO_SNDBUF was set. */
  bufferChanged(): void {}
  /** A connection takes its listener's options over (`sk_clone_lock`). */
  inheritFrom(listener: Socket): void {
    for (const [option, value] of listener.#stored) this.#stored.set(option, value);
    this.receiveBuffer = listener.receiveBuffer;
    this.sendBuffer = listener.sendBuffer;
    this.receiveTimeoutNs = listener.receiveTimeoutNs;
    this.sendTimeoutNs = listener.sendTimeoutNs;
    this.linger = listener.linger;
    this.lowWatermark = listener.lowWatermark;
  }
}

export function intOf(value: Uint8Array): number {
  return value[0]! | (value[1]! << 8) | (value[2]! << 16) | (value[3]! << 24);
}
export function int(value: number): Uint8Array {
  return ints(value);
}
export function ints(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Int32Array.from(values).buffer);
}

function timeval(ns: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const whole = ns === Infinity ? 0 : ns;
  view.setBigInt64(0, BigInt(Math.floor(whole / SECOND_NS)), true);
  view.setBigInt64(8, BigInt(Math.floor((whole % SECOND_NS) / 1000)), true);
  return bytes;
}
