/** What sockets need from the kernel: an interface that the kernel fills in, so that `net` knows nothing of it. */
import type { Inode } from '../fs/types.ts';

/** `struct ucred`: who is at the other end. */
export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
}

/** The task that makes the call. */
export interface Caller {
  /** SO_PEERCRED: process id, effective user and group. */
  readonly effective: PeerCredentials;
  /** SCM_CREDENTIALS: process id, real user and group. */
  readonly real: PeerCredentials;
  readonly groups: readonly number[];
  /** Credentials as the caller's namespaces show them. */
  seen(credentials: PeerCredentials): PeerCredentials;
  /** Whether the caller may claim these credentials (CAP_SYS_ADMIN, CAP_SETUID, CAP_SETGID, or its own; net/core/scm.c). */
  mayClaim(credentials: PeerCredentials): boolean;
  /** CAP_NET_BIND_SERVICE. */
  readonly mayBindLowPorts: boolean;
  /** CAP_NET_RAW. */
  readonly mayUseRaw: boolean;
  /** CAP_NET_ADMIN. */
  readonly mayAdminister: boolean;
}

/** Socket nodes in the file system (unix(7), "Pathname sockets"). Paths are the caller's. */
export interface SocketNodes {
  /** Makes an S_IFSOCK node: the inode, or -EADDRINUSE, -EACCES, -ENOENT, ... */
  bind(path: string): Inode | number;
  /** The node that a path names, with write permission checked: -ECONNREFUSED where it is no socket. */
  find(path: string): Inode | number;
}

export interface NetEnvironment {
  monotonicNs(): number;
  realtimeNs(): bigint;
  addTimer(deadlineNs: number, callback: () => void): { cancel(): void };
  random(buffer: Uint8Array): void;
  /** A new inode of `sockfs`. */
  newInode(): Inode;
  /** Credentials of root for what the kernel does by itself. */
  caller(): Caller;
  readonly nodes: SocketNodes;
}
