/**
 * A unix socket of the host inside: who connects to it talks with the host's through us (`ssh-agent`, for one). Bytes go through; descriptors and
 * credentials do not.
 */
import { EAGAIN } from '../abi/errno.ts';
import { POLLHUP } from '../abi/poll.ts';
import { SHUT_WR, SOCK_STREAM } from '../abi/socket.ts';
import type { Inode, Waiter } from '../fs/types.ts';
import type { HostSocket, HostSocketHandlers } from '../host/types.ts';
import type { NetEnvironment } from './environment.ts';
import { HOST_CONNECTIONS, HOST_RECEIVE_WINDOW } from './limits.ts';
import { UnixNamespace } from './unix-namespace.ts';
import { UnixConnectionSocket } from './unix-stream.ts';

/** Opens a connection to the host's socket. */
export type HostConnector = (handlers: HostSocketHandlers) => HostSocket;

/** Bytes that are taken from the guest at once. */
const CHUNK = 0x1_0000;

/** Calls back whenever something happens on a socket, until it is told to stop. */
function watch(socket: UnixConnectionSocket, onEvent: () => void): () => void {
  const waiter: Waiter = {
    wake: () => {
      socket.waitQueue.add(waiter);
      onEvent();
    },
  };
  socket.waitQueue.add(waiter);
  return () => socket.waitQueue.remove(waiter);
}

/** One connection: what the guest sends goes to the host, and the other way. */
class Relay {
  readonly #guest: UnixConnectionSocket;
  readonly #host: HostSocket;
  readonly #stop: () => void;
  readonly #onClosed: () => void;
  /** What the guest has no room for. */
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isFull = false;
  #guestEnded = false;
  #hostEnded = false;
  #isShut = false;
  #closed = false;

  constructor(guest: UnixConnectionSocket, connect: HostConnector, onClosed: () => void) {
    this.#guest = guest;
    this.#onClosed = onClosed;
    this.#host = connect({
      onConnect: () => this.#pump(),
      onData: (data) => this.#fromHost(data),
      onEnd: () => {
        this.#hostEnded = true;
        this.#pump();
      },
      onError: () => this.#close(),
      onDrain: () => {
        this.#isFull = false;
        this.#pump();
      },
      onClosed: () => {},
    });
    this.#stop = watch(guest, () => this.#pump());
    this.#pump();
  }

  #fromHost(data: Uint8Array): boolean {
    if (this.#closed) return false;
    this.#waiting.push(data);
    this.#waitingBytes += data.length;
    this.#pump();
    return this.#waitingBytes < HOST_RECEIVE_WINDOW;
  }

  #pump(): void {
    if (this.#closed) return;
    this.#toGuest();
    this.#toHost();
    const isDone = this.#guestEnded && this.#hostEnded && this.#waiting.length === 0;
    if (isDone || (this.#guest.poll() & POLLHUP) !== 0) this.#close();
  }

  #toGuest(): void {
    while (this.#waiting.length > 0) {
      const bytes = this.#waiting[0]!;
      const sent = this.#guest.send(bytes, 0);
      if (sent < 0) {
        if (sent !== -EAGAIN) this.#close();
        return;
      }
      this.#waitingBytes -= sent;
      if (sent < bytes.length) this.#waiting[0] = bytes.subarray(sent);
      else this.#waiting.shift();
    }
    if (!this.#hostEnded) this.#host.resume();
    else if (!this.#isShut) {
      // It wakes us again.
      this.#isShut = true;
      this.#guest.shutdown(SHUT_WR);
    }
  }

  #toHost(): void {
    const buffer = new Uint8Array(CHUNK);
    while (!this.#isFull && !this.#guestEnded) {
      const count = this.#guest.receive(buffer, 0);
      if (count === -EAGAIN) return;
      if (count > 0) this.#isFull = !this.#host.write(buffer.subarray(0, count));
      else {
        this.#guestEnded = true;
        this.#host.end();
      }
    }
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stop();
    this.#host.destroy();
    this.#guest.release();
    this.#onClosed();
  }
}

/** Makes `inode`, a node of a file system that is called `name`, a socket that listens for the host. More connections at once than `HOST_CONNECTIONS` are closed. */
export function listenForHost(environment: NetEnvironment, inode: Inode, name: string, connect: HostConnector): void {
  const listener = new UnixConnectionSocket(new UnixNamespace(environment), SOCK_STREAM);
  listener.name = name;
  listener.listen(HOST_CONNECTIONS);
  let connections = 0;
  watch(listener, () => {
    for (let guest = listener.accept(); guest instanceof UnixConnectionSocket; guest = listener.accept()) {
      if (connections >= HOST_CONNECTIONS) {
        guest.release();
        continue;
      }
      connections++;
      new Relay(guest, connect, () => connections--);
    }
  });
  inode.boundSocket = listener;
}
