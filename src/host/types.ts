/** The door to what runs us: Node.js (`host/node`) or a browser (`host/browser`). Nothing below `container` reaches further. */

export interface Host {
  readonly clock: HostClock;
  /** Cryptographically strong. */
  random(buffer: Uint8Array): void;
  /** Runs soon, after input and output had their turn. */
  setImmediate(callback: () => void): void;
  setTimer(callback: () => void, milliseconds: number): { cancel(): void };
  /** Undefined where there are no host files to see (browser): a container's root is then in memory. */
  readonly files?: HostFiles;
  readonly network?: HostNetwork;
}

export interface HostClock {
  /** Nanoseconds; a float is precise enough for differences (CLOCK_MONOTONIC). */
  monotonicNs(): number;
  /** Nanoseconds since the epoch. */
  realtimeNs(): bigint;
}

/** Synchronous, by byte-string path (latin1). Failures are negative errno values of Linux. */
export interface HostFiles {
  lstat(path: string): HostStat | number;
  readDirectory(path: string): readonly { readonly name: string; readonly type: number }[] | number;
  readLink(path: string): string | number;
  /** Never follows a symbolic link in the last component. flags: Linux O_*. */
  open(path: string, flags: number, mode: number): number;
  close(handle: number): void;
  fstat(handle: number): HostStat | number;
  read(handle: number, buffer: Uint8Array, position: number): number;
  write(handle: number, buffer: Uint8Array, position: number): number;
  truncate(handle: number, size: number): number;
  sync(handle: number): number;
  mkdir(path: string, mode: number): number;
  rmdir(path: string): number;
  unlink(path: string): number;
  rename(from: string, to: string): number;
  symlink(target: string, path: string): number;
  link(from: string, to: string): number;
  chmod(path: string, mode: number): number;
  lchown(path: string, uid: number, gid: number): number;
  utimes(path: string, atimeNs: bigint, mtimeNs: bigint): number;
  statfs(path: string): { readonly blockSize: number; readonly blocks: number; readonly freeBlocks: number; readonly files: number; readonly freeFiles: number } | number;
}

export interface HostStat {
  readonly dev: number;
  readonly ino: number;
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  readonly rdev: number;
  readonly size: number;
  readonly blockSize: number;
  readonly blocks: number;
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly btimeNs: bigint;
}

export interface HostNetwork {
  /** Names to addresses, IPv4 and IPv6 as text; rejects with an Error whose code is a resolver code. `servers`: `ADDRESS` or `ADDRESS:PORT`, instead of the host's own resolver. */
  resolve(name: string, servers?: readonly string[]): Promise<readonly string[]>;
  /** `names`: that led to the address, as far as that is known. */
  connectTcp(address: string, port: number, handlers: HostSocketHandlers, names?: readonly string[]): HostSocket;
  /** A unix socket by its path, a byte string; `onConnect` gets no address. */
  connectUnix(path: string, handlers: HostSocketHandlers): HostSocket;
  /** A UDP socket that may send to anyone; the policy was applied before. */
  openUdp(family: 4 | 6, onMessage: (data: Uint8Array, address: string, port: number) => void, onError: (errno: number) => void): HostUdpSocket;
  /** Listens at one address; port 0 is any free one. A negative Linux errno where it cannot. */
  listenTcp(address: string, port: number, onConnection: (connection: HostConnection) => void): Promise<HostListener | number>;
  /** Receives at one address; port 0 is any free one. A negative Linux errno where it cannot. */
  listenUdp(address: string, port: number, onMessage: (data: Uint8Array, address: string, port: number) => void): Promise<HostUdpListener | number>;
  /** Listens at a unix socket that it makes; its path is a byte string. A negative Linux errno where it cannot. */
  listenUnix(path: string, onConnection: (connection: HostConnection) => void): Promise<HostListener | number>;
  /** Resolves when what was written to connections before `close` has left this process, or nobody takes it any more. */
  settled(): Promise<void>;
}

export interface HostSocketHandlers {
  /** Not of a connection that came to us. */
  onConnect(localAddress: string, localPort: number): void;
  /** The bytes are the handler's to keep. Return false to pause until `resume`. */
  onData(data: Uint8Array): boolean;
  onEnd(): void;
  /** Positive Linux errno. */
  onError(errno: number): void;
  onDrain(): void;
  /** It is closed, whatever for: the last call. */
  onClosed(): void;
}

export interface HostSocket {
  /** False: wait for `onDrain` before more. The bytes are copied. */
  write(data: Uint8Array): boolean;
  end(): void;
  resume(): void;
  destroy(): void;
  /** Nobody reads any more: what was written still goes, and what comes is answered by a reset. */
  close(): void;
  /** Ends it at once, with a reset where the protocol has one. */
  reset(): void;
}

/** Somebody has connected to a listener: one of the two methods is to be called, soon or later. */
export interface HostConnection {
  /** The peer's. */
  readonly address: string;
  readonly port: number;
  open(handlers: HostSocketHandlers): HostSocket;
  /** Ends it with a reset. */
  refuse(): void;
}

export interface HostListener {
  readonly port: number;
  /** Nobody can connect any more. Connections stay. */
  close(): void;
}

export interface HostUdpListener extends HostUdpSocket {
  readonly port: number;
}

export interface HostUdpSocket {
  send(data: Uint8Array, address: string, port: number): void;
  close(): void;
}

/** What a store of images needs of its host. */
export interface ImageHost {
  readonly files: HostFiles;
  /** The same files, by the handles of `files`. */
  readonly asyncFiles: HostAsyncFiles;
  readonly codecs: HostCodecs;
  /** Absent where no registry can be reached. */
  readonly http?: HostHttp;
  /** Cryptographically strong. */
  random(buffer: Uint8Array): void;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Names this process for others that use the same store: letters, digits and dots. */
  readonly owner: string;
  /** Whether the process of that name has ended. Undefined: it cannot be seen from here. */
  hasEnded(owner: string): boolean | undefined;
  /** Blocks this thread. */
  pause(milliseconds: number): void;
}

/** HTTP/1.1 with bodies as streams. Redirects are not followed: who asks decides where credentials go. */
export interface HostHttp {
  /** Rejects with an `Error` that has a `code` (`ECONNREFUSED`, `CERT_HAS_EXPIRED`, ...) where there is no answer. */
  request(request: HttpRequest): Promise<HttpResponse>;
}

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly tls?: HttpTls;
  /** Without a byte for this long, the request fails. */
  readonly idleTimeoutMs: number;
}

export interface HttpTls {
  /** PEM; beside the well-known authorities. */
  readonly authorities?: readonly string[];
  readonly certificate?: string;
  readonly key?: string;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case; several of a name joined by commas. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the connection up without reading the rest. */
  cancel(): void;
}

/** Digests and compression, of Node.js or the Web. */
export interface HostCodecs {
  createDigest(algorithm: 'sha256' | 'sha512'): HostDigest;
  /** Throws an Error where the bytes are spoiled or cut short. A piece holds until the next is asked for. */
  gunzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
  /** The same bytes from the same ones: no name and no time in the header. */
  gzip(source: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array>;
}

export interface HostDigest {
  update(bytes: Uint8Array): void;
  /** Once, at the end. */
  hex(): string;
}

/** Files of who must not wait for the disk, such as a server. As in `HostFiles`, failures are negative errno values. */
export interface HostAsyncFiles {
  read(handle: number, buffer: Uint8Array, position: number): Promise<number>;
  write(handle: number, buffer: Uint8Array, position: number): Promise<number>;
  sync(handle: number): Promise<number>;
}

/** What a server knows of a request beside the request. */
export interface HttpConnection {
  /** The request's bytes, as they come; not reading on holds the sender back. */
  readonly body: AsyncIterable<Uint8Array>;
  /** The peer's IP address as text. */
  readonly address: string;
  readonly isEncrypted: boolean;
  /** The common name of a client certificate that one of our authorities has signed. */
  readonly certificateName: string | undefined;
  /** Answers with `length` bytes of an open file, which is closed afterwards. What is answered stands for that. */
  sendFile(head: HttpHead, handle: number, start: number, length: number, onSent: (bytes: number) => void): Response;
  /** Answers with bytes as they come. A source that fails breaks the connection, so that nobody takes a part for the whole. */
  sendStream(head: HttpHead, source: AsyncIterable<Uint8Array>, onSent: (bytes: number) => void, onFailure: (error: unknown) => void): Response;
}

export interface HttpHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}
