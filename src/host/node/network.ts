/** `HostNetwork` on `node:net`, `node:dgram` and `node:dns`. The policy (who may talk to whom) is applied before anything gets here. */
import { createSocket } from 'node:dgram';
import type { Socket as UdpSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { connect, createServer } from 'node:net';
import type { ListenOptions, Socket } from 'node:net';
import type { HostConnection, HostListener, HostNetwork, HostSocket, HostSocketHandlers, HostUdpListener, HostUdpSocket } from '../types.ts';
import { negativeErrno } from './errno.ts';

/** Bytes that a connection holds for a slow peer before its writer must wait. */
const WRITE_WINDOW = 262_144;
/** How long a peer may leave a connection half open that we have closed (`net.ipv4.tcp_fin_timeout`). */
const HALF_OPEN_MS = 60_000;
/** A peer that takes nothing for so long gets no more of a program that has ended. */
const SETTLE_MS = 10_000;
const SETTLE_STEP_MS = 20;
/** Of a name server that was named: as resolv.conf(5) has it by default. */
const RESOLVE_MS = 5000;
const RESOLVE_TRIES = 2;
/** `net.core.somaxconn` bounds it further. */
const BACKLOG = 1024;

/** Closed by us, with bytes that are still to go. */
const unfinished = new Set<Socket>();

async function resolve(name: string, servers?: readonly string[]): Promise<readonly string[]> {
  if (servers !== undefined && servers.length > 0) return resolveAt(name, servers);
  const answers = await dns.lookup(name, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
}

/** Only IPv4: nothing else is asked for there. */
async function resolveAt(name: string, servers: readonly string[]): Promise<readonly string[]> {
  const resolver = new dns.Resolver({ timeout: RESOLVE_MS, tries: RESOLVE_TRIES });
  resolver.setServers(servers);
  return resolver.resolve4(name);
}

function connectTcp(address: string, port: number, handlers: HostSocketHandlers): HostSocket {
  // `highWaterMark` is the stream's: its type does not know it.
  const options = { host: address, port, allowHalfOpen: true, autoSelectFamily: false, highWaterMark: WRITE_WINDOW };
  const socket = connect(options);
  socket.setNoDelay(true);
  return hostSocket(socket, handlers);
}

function connectUnix(path: string, handlers: HostSocketHandlers): HostSocket {
  return hostSocket(connect({ path: Buffer.from(path, 'latin1').toString(), allowHalfOpen: true }), handlers);
}

function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

/** What was written goes, then the end; a peer that goes on sending, or never ends, is cut off. */
function close(socket: Socket): void {
  if (socket.destroyed) return;
  unfinished.add(socket);
  const timer = setTimeout(() => socket.destroy(), HALF_OPEN_MS);
  socket.once('finish', () => unfinished.delete(socket));
  socket.once('close', () => {
    unfinished.delete(socket);
    clearTimeout(timer);
  });
  socket.removeAllListeners('data');
  socket.on('data', () => reset(socket));
  socket.end();
  socket.resume();
}

function hostSocket(socket: Socket, handlers: HostSocketHandlers): HostSocket {
  socket.on('connect', () => handlers.onConnect(socket.localAddress ?? '0.0.0.0', socket.localPort ?? 0));
  socket.on('data', (data: Uint8Array) => {
    if (!handlers.onData(data)) socket.pause();
  });
  socket.on('end', () => handlers.onEnd());
  socket.on('error', (error) => handlers.onError(-negativeErrno(error)));
  socket.on('drain', () => handlers.onDrain());
  socket.on('close', () => handlers.onClosed());
  return {
    // The guest may change its buffer at once, and the stream keeps what it was given: hence the copy.
    write: (data) => socket.write(data.slice()),
    end: () => void socket.end(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
    close: () => close(socket),
    reset: () => reset(socket),
  };
}

/** Nothing is read before somebody takes it. */
function hostConnection(socket: Socket): HostConnection {
  const ignore = (): void => {};
  socket.on('error', ignore);
  socket.setNoDelay(true);
  return {
    address: socket.remoteAddress ?? '0.0.0.0',
    port: socket.remotePort ?? 0,
    open: (handlers) => {
      socket.off('error', ignore);
      const opened = hostSocket(socket, handlers);
      socket.resume();
      return opened;
    },
    refuse: () => reset(socket),
  };
}

function listen(options: ListenOptions, onConnection: (connection: HostConnection) => void): Promise<HostListener | number> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark: WRITE_WINDOW }, (socket) => onConnection(hostConnection(socket)));
  return new Promise((answer) => {
    server.once('error', (error) => answer(negativeErrno(error)));
    server.listen({ ...options, backlog: BACKLOG }, () => {
      // Too many open files, for one: who connects must try again.
      server.on('error', () => {});
      const bound = server.address();
      answer({ port: typeof bound === 'object' && bound !== null ? bound.port : 0, close: () => void server.close() });
    });
  });
}

function listenTcp(address: string, port: number, onConnection: (connection: HostConnection) => void): Promise<HostListener | number> {
  return listen({ host: address, port, ipv6Only: true }, onConnection);
}

function listenUnix(path: string, onConnection: (connection: HostConnection) => void): Promise<HostListener | number> {
  return listen({ path: Buffer.from(path, 'latin1').toString() }, onConnection);
}

function udpSocket(socket: UdpSocket, report: (error: unknown) => void): HostUdpSocket {
  let open = true;
  return {
    send: (data, address, port) => {
      if (!open) return;
      socket.send(data.slice(), port, address, (error) => {
        if (error !== null && error !== undefined) report(error);
      });
    },
    close: () => {
      if (open) socket.close();
      open = false;
    },
  };
}

function openUdp(
  family: 4 | 6,
  onMessage: (data: Uint8Array, address: string, port: number) => void,
  onError: (errno: number) => void,
): HostUdpSocket {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  const report = (error: unknown): void => onError(-negativeErrno(error));
  socket.on('message', (data, sender) => onMessage(data, sender.address, sender.port));
  socket.on('error', report);
  return udpSocket(socket, report);
}

function listenUdp(address: string, port: number, onMessage: (data: Uint8Array, address: string, port: number) => void): Promise<HostUdpListener | number> {
  const socket = createSocket(address.includes(':') ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  return new Promise((answer) => {
    socket.once('error', (error) => {
      answer(negativeErrno(error));
      socket.close();
    });
    socket.bind({ address, port }, () => {
      // Nobody listens at a client's port any more: datagrams get lost.
      const ignore = (): void => {};
      socket.removeAllListeners('error');
      socket.on('error', ignore);
      socket.on('message', (data, sender) => onMessage(data, sender.address, sender.port));
      answer({ port: socket.address().port, ...udpSocket(socket, ignore) });
    });
  });
}

async function settled(): Promise<void> {
  const waiting = (): number => Array.from(unfinished, (socket) => socket.writableLength + 1).reduce((sum, bytes) => sum + bytes, 0);
  let [before, sinceMs] = [waiting(), Date.now()];
  while (unfinished.size > 0 && Date.now() - sinceMs < SETTLE_MS) {
    await new Promise((resume) => setTimeout(resume, SETTLE_STEP_MS));
    const now = waiting();
    if (now !== before) [before, sinceMs] = [now, Date.now()];
  }
}

/** The host's own sockets and resolver. */
export const nodeNetwork: HostNetwork = { resolve, connectTcp, connectUnix, openUdp, listenTcp, listenUnix, listenUdp, settled };
