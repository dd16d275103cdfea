/** Canaries among the host's servers: whoever comes is noted. Each is asked by the drill itself before it is believed: what came before that has been seen then. */
import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { createConnection, createServer } from 'node:net';
import type { Server } from 'node:net';
import type { Sighting } from '../../drill/index.ts';

const LOOPBACK = '127.0.0.1';
const MARKER = 'caisson-drill-marker';

interface Door {
  readonly what: string;
  readonly server: Server;
  readonly place: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly visitors: string[];
  onMarker: (() => void) | undefined;
}

async function openDoor(what: string, greeting: string, place: { readonly path: string } | { readonly host: string; readonly port: number }): Promise<Door> {
  const visitors: string[] = [];
  const server = createServer((socket) => {
    socket.on('error', () => {});
    let first = true;
    // The drill's own visit says what it is; who says nothing, or something else, is somebody else's.
    const settle = (text: string): void => {
      if (!first) return;
      first = false;
      if (text === MARKER) {
        door.onMarker?.();
        return;
      }
      visitors.push(what);
    };
    socket.on('data', (bytes) => settle(String(bytes)));
    socket.on('close', () => settle(''));
    socket.write(greeting);
  });
  server.unref();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(place, resolve);
  });
  const address = server.address();
  const bound = 'path' in place || address === null || typeof address === 'string' ? place : { host: place.host, port: address.port };
  const door: Door = { what, server, place: bound, visitors, onMarker: undefined };
  return door;
}

/** The drill's own visit: connections are taken in the order in which they came. */
function visit(door: Door): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(door.place, () => socket.write(MARKER));
    socket.on('error', reject);
    socket.resume();
    door.onMarker = () => {
      socket.destroy();
      resolve();
    };
  });
}

export class CanarySockets {
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly #doors: readonly Door[];
  readonly #datagrams: DatagramSocket;
  #strangers = 0;
  #onMarker: (() => void) | undefined;

  private constructor(doors: readonly Door[], datagrams: DatagramSocket, tcpPort: number) {
    this.#doors = doors;
    this.#datagrams = datagrams;
    this.tcpPort = tcpPort;
    this.udpPort = datagrams.address().port;
    datagrams.on('message', (bytes) => {
      if (String(bytes) === MARKER) this.#onMarker?.();
      else this.#strangers++;
    });
  }

  /** `path`: of a unix socket. */
  static async open(token: (name: string) => string, path: string): Promise<CanarySockets> {
    const loopback = await openDoor('the port at loopback', token('socket'), { host: LOOPBACK, port: 0 });
    const { port } = loopback.place as { readonly port: number };
    const others = [
      openDoor('the port at loopback of IPv6', token('socket'), { host: '::1', port }),
      openDoor('the socket with a path', token('socket'), { path }),
    ];
    const opened = await Promise.allSettled(others);
    const datagrams = createSocket('udp4');
    datagrams.unref();
    await new Promise<void>((resolve, reject) => {
      datagrams.once('error', reject);
      datagrams.bind(0, LOOPBACK, resolve);
    });
    return new CanarySockets([loopback, ...opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))], datagrams, port);
  }

  async check(): Promise<readonly Sighting[]> {
    const sightings: Sighting[] = [];
    const notice = (what: string): void => void sightings.push({ canary: 'socket', what });
    const visits = this.#doors.map(async (door) => visit(door).catch((error: unknown) => notice(`${door.what} is not there any more: ${(error as Error).message}`)));
    await Promise.all([...visits, this.#visitDatagrams()]);
    for (const visitor of this.#doors.flatMap(({ visitors }) => visitors.splice(0))) notice(`a connection to ${visitor}`);
    if (this.#strangers > 0) notice('a datagram to the port at loopback');
    this.#strangers = 0;
    return sightings;
  }

  #visitDatagrams(): Promise<void> {
    return new Promise((resolve) => {
      this.#onMarker = resolve;
      this.#datagrams.send(MARKER, this.udpPort, LOOPBACK);
    });
  }

  close(): void {
    for (const { server } of this.#doors) server.close();
    this.#datagrams.close();
  }
}
