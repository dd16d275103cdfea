/** Servers of this machine that sandboxes are to reach, or not: HTTP at an address that is not loopback, and a name server that says what a test wants. */
import { createSocket } from 'node:dgram';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { networkInterfaces } from 'node:os';

/** An IPv4 address of this machine that a sandbox can write down: its own loopback is another. */
export function machineAddress(): string {
  const found = Object.values(networkInterfaces()).flat().find((one) => one !== undefined && one.family === 'IPv4' && !one.internal);
  if (found === undefined) throw new Error('this machine has no IPv4 address but loopback, and the test needs one');
  return found.address;
}

export interface NameServer {
  /** `127.0.0.1:PORT`, for `--dns`. */
  readonly place: string;
  /** Names that were asked for, in their order. */
  readonly asked: readonly string[];
  close(): void;
}

/** A query's name, and where the question ends. */
function questionOf(message: Uint8Array): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(Buffer.from(message.subarray(at + 1, at + 1 + length)).toString('latin1'));
    at += length + 1;
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 };
}

/** `answers`: of each name, one set of addresses after the other; the last one stays. Other names do not exist. */
export async function nameServer(answers: Readonly<Record<string, readonly (readonly string[])[]>>): Promise<NameServer> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (message, { port, address }) => {
    const { name, end } = questionOf(message);
    const sets = answers[name];
    const times = asked.filter((one) => one === name).length;
    asked.push(name);
    const addresses = sets?.[Math.min(times, sets.length - 1)] ?? [];
    const head = Buffer.from(message.subarray(0, end));
    head.writeUInt16BE(sets === undefined ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(addresses.length, 6);
    head.writeUInt32BE(0, 8);
    const records = addresses.map((one) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...one.split('.').map(Number)]));
    socket.send(Buffer.concat([head, ...records]), port, address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { place: `127.0.0.1:${socket.address().port}`, asked, close: () => socket.close() };
}

export interface WebServer {
  readonly port: number;
  close(): void;
}

export async function webServer(address: string, handle: (request: IncomingMessage, response: ServerResponse) => void, make: (handle: (request: IncomingMessage, response: ServerResponse) => void) => HttpServer = createHttpServer): Promise<WebServer> {
  const server = make(handle);
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
