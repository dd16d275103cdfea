/**
 * Requests of a guest, sent on with the headers that are put into those for one host. Node's own parser reads them, and what is sent on is written anew: so what gets
 * a header is one request for that host, whatever the guest has hidden in it.
 */
import { Agent, createServer, request as sendRequest } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream';
import { connect as connectTls } from 'node:tls';

export interface HeaderInjection {
  readonly name: string;
  readonly value: string;
}

/** Where requests of one connection of a guest go. */
export interface Destination {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** That the host's name led to. */
  readonly address: string;
  readonly port: number;
  readonly headers: readonly HeaderInjection[];
  /** The connection that is there already; for `https` nothing was said on it yet. */
  takeSocket(): Socket | undefined;
}

/** RFC 9110 7.6.1: of one connection, not of the request. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'expect']);
const IDLE_MS = 60_000;
/** Requests of one connection that wait for their answers: no client sends more ahead, and each is memory of this process. */
const MOST_WAITING = 32;
const BAD_REQUEST = 400;
const MISDIRECTED = 421;
const BAD_GATEWAY = 502;

function pairsOf(raw: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index] ?? '', raw[2 * index + 1] ?? '']);
}

function dial({ scheme, host, address, port, takeSocket }: Destination): Socket {
  const socket = takeSocket() ?? connectTcp({ host: address, port, autoSelectFamily: false });
  socket.setNoDelay(true);
  if (scheme === 'http') return socket;
  const isName = !/^[\d.]+$/.test(host);
  return connectTls({ socket, host, ...(isName ? { servername: host } : {}), ALPNProtocols: ['http/1.1'] });
}

/** Whom it says that it is for: undefined where that is not clear. */
function hostOf(request: IncomingMessage): string | undefined {
  const hosts = pairsOf(request.rawHeaders).filter(([name]) => name.toLowerCase() === 'host');
  // An address in the request line would stand for the header (RFC 9112 3.2.2).
  if (hosts.length !== 1 || !(request.url ?? '').startsWith('/')) return undefined;
  return hosts[0]?.[1].trim().toLowerCase();
}

export class Forwarder {
  readonly #server: Server;
  readonly #destinations = new WeakMap<object, { readonly to: Destination; readonly agent: Agent; waiting: number }>();

  constructor() {
    this.#server = createServer({ keepAliveTimeout: IDLE_MS, requestTimeout: 0 }, (request, response) => this.#forward(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
    });
  }

  /** Requests come on the stream from now on, in plain text. */
  take(stream: Duplex, to: Destination): void {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, timeout: IDLE_MS });
    Object.assign(agent, { createConnection: () => dial(to) });
    this.#destinations.set(stream, { to, agent, waiting: 0 });
    stream.once('close', () => agent.destroy());
    stream.on('error', () => stream.destroy());
    this.#server.emit('connection', stream);
  }

  /** What is sent on, or the status of what is wrong with it. */
  #headersFor(request: IncomingMessage, { scheme, host, port, headers }: Destination): string[] | number {
    const named = hostOf(request);
    if (named === undefined) return BAD_REQUEST;
    const isHost = named === host || named === `${host}:${port}`;
    // Behind a certificate for this host there is nobody else.
    if (!isHost && scheme === 'https') return MISDIRECTED;
    const injected = isHost ? headers : [];
    const replaced = new Set(injected.map(({ name }) => name.toLowerCase()));
    const listed = new Set((request.headers.connection ?? '').toLowerCase().split(',').map((name) => name.trim()));
    const kept = pairsOf(request.rawHeaders).filter(([name]) => {
      const lower = name.toLowerCase();
      return !HOP_BY_HOP.has(lower) && !replaced.has(lower) && lower !== 'upgrade' && (!listed.has(lower) || lower === 'transfer-encoding' || lower === 'content-length' || lower === 'host');
    });
    return [...kept.flat(), ...injected.flatMap(({ name, value }) => [name, value])];
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const found = this.#destinations.get(request.socket);
    if (found === undefined || found.waiting >= MOST_WAITING) return void request.socket.destroy();
    found.waiting++;
    response.on('close', () => found.waiting--);
    const headers = this.#headersFor(request, found.to);
    if (typeof headers === 'number') {
      response.writeHead(headers, { connection: 'close' });
      return void response.end(headers === MISDIRECTED ? `caisson: this connection is for ${found.to.host}\n` : 'caisson: the request does not say clearly whom it is for\n');
    }
    const sent = sendRequest({ agent: found.agent, method: request.method, path: request.url, headers, setHost: false });
    sent.on('response', (answer) => {
      // Node reads what it does not write.
      if ((answer.statusCode ?? 0) < 100) return void sent.destroy(new Error('no status of HTTP'));
      response.writeHead(answer.statusCode ?? BAD_GATEWAY, answer.statusMessage, pairsOf(answer.rawHeaders).filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase())).flat());
      pipeline(answer, response, () => {});
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(BAD_GATEWAY, { connection: 'close' });
      response.end(`caisson: cannot reach ${found.to.host}: ${error.code ?? 'error'}\n`);
    });
    response.on('close', () => {
      if (!response.writableFinished) sent.destroy();
    });
    pipeline(request, sent, () => {});
  }

  /** Such as to a WebSocket: from the answer on it is bytes. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const found = this.#destinations.get(request.socket);
    const headers = found === undefined ? BAD_REQUEST : this.#headersFor(request, found.to);
    if (found === undefined || typeof headers === 'number') return void socket.end(`HTTP/1.1 ${String(headers)} Refused\r\nConnection: close\r\n\r\n`);
    const sent = sendRequest({ agent: found.agent, method: request.method, path: request.url, headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? ''], setHost: false });
    const answerWith = (answer: IncomingMessage): void => {
      const lines = pairsOf(answer.rawHeaders).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(`HTTP/1.1 ${answer.statusCode ?? BAD_GATEWAY} ${answer.statusMessage ?? ''}\r\n${lines}\r\n`, 'latin1');
    };
    sent.on('upgrade', (answer, upstream, first) => {
      answerWith(answer);
      socket.write(first);
      upstream.write(head);
      pipeline(socket, upstream, () => {});
      pipeline(upstream, socket, () => {});
    });
    // It is refused: the answer, and the end.
    sent.on('response', (answer) => {
      answer.rawHeaders = pairsOf(answer.rawHeaders).filter(([name]) => !['transfer-encoding', 'connection', 'keep-alive'].includes(name.toLowerCase())).flat().concat('Connection', 'close');
      answerWith(answer);
      pipeline(answer, socket, () => {});
    });
    sent.on('error', () => socket.destroy());
    sent.end();
  }
}
