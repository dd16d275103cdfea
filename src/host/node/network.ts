/** `HostNetwork` on `node:net`, `node:dgram` and `node:dns`. The policy (who may talk to whom) is applied before anything gets here. */
import { createSocket } from 'node:dgram';
import { promises as dns } from 'node:dns';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { HostNetwork, HostSocket, HostSocketHandlers, HostUdpSocket } from '../types.ts';
import { negativeErrno } from './errno.ts';

async function resolve(name: string): Promise<readonly string[]> {
  const answers = await dns.lookup(name, { all: true, verbatim: true });
  return answers.map((answer) => answer.address);
}

function connectTcp(address: string, port: number, handlers: HostSocketHandlers): HostSocket {
  const socket = connect({ host: address, port, allowHalfOpen: true, autoSelectFamily: false });
  socket.setNoDelay(true);
  return hostSocket(socket, handlers);
}

function connectUnix(path: string, handlers: HostSocketHandlers): HostSocket {
  return hostSocket(connect({ path: Buffer.from(path, 'latin1').toString(), allowHalfOpen: true }), handlers);
}

function hostSocket(socket: Socket, handlers: HostSocketHandlers): HostSocket {
  socket.on('connect', () => handlers.onConnect(socket.localAddress ?? '0.0.0.0', socket.localPort ?? 0));
  socket.on('data', (data: Uint8Array) => {
    if (!handlers.onData(data)) socket.pause();
  });
  socket.on('end', () => handlers.onEnd());
  socket.on('error', (error) => handlers.onError(-negativeErrno(error)));
  socket.on('drain', () => handlers.onDrain());
  return {
    // The guest may change its buffer at once, and the stream keeps what it was given: hence the copy.
    write: (data) => socket.write(data.slice()),
    end: () => void socket.end(),
    resume: () => void socket.resume(),
    destroy: () => void socket.destroy(),
  };
}

function openUdp(
  family: 4 | 6,
  onMessage: (data: Uint8Array, address: string, port: number) => void,
  onError: (errno: number) => void,
): HostUdpSocket {
  const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
  let open = true;
  const report = (error: unknown): void => onError(-negativeErrno(error));
  socket.on('message', (data, sender) => onMessage(data, sender.address, sender.port));
  socket.on('error', report);
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

/** The host's own sockets and resolver. */
export const nodeNetwork: HostNetwork = { resolve, connectTcp, connectUnix, openUdp };
