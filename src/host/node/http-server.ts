/** An HTTP server for what speaks the Web's `Request` and `Response`, by hono's adapter. Loaded on demand. */
import * as http from 'node:http';
import * as https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { getRequestListener } from '@hono/node-server';
import type { HttpConnection } from '../types.ts';
import { sendFile } from './send-file.ts';
import { sendStream } from './send-stream.ts';

export interface HttpServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly tls?: HttpServerTls | undefined;
  /** A connection without a byte for this long is closed. */
  readonly idleTimeoutMs: number;
  readonly mostHeaderBytes: number;
  readonly mostConnections: number;
}

export interface HttpServerTls {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
  /** PEM; certificates of clients that one of these has signed say who the client is. */
  readonly clientAuthorities?: string | undefined;
  /** True: who has no such certificate does not get a connection. */
  readonly requireClientCertificate: boolean;
}

export interface HttpServer {
  readonly port: number;
  /** Takes no more connections, and lets requests end for so long. */
  close(graceMs: number): Promise<void>;
}

type Fetch = (request: Request, connection: HttpConnection) => Response | Promise<Response>;

/** A header that never ends holds a connection no longer than this. */
const HEADERS_TIMEOUT_MS = 30_000;

function certificateNameOf(socket: Socket): string | undefined {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
  const { CN: name } = socket.getPeerCertificate().subject ?? {};
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** `::ffff:192.0.2.1` is what a socket for both families says of an IPv4 peer. */
function addressOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '');
}

/** How hono's adapter is told that the answer is on its way already. */
const ALREADY_SENT = 'x-hono-already-sent';
/** Node's own, before the adapter puts one in its place that it does not look into for that. */
const PlainResponse = globalThis.Response;

function connectionOf(incoming: http.IncomingMessage, outgoing: http.ServerResponse): HttpConnection {
  const { socket } = incoming;
  // Who stops reading wants to answer why: the connection must outlive the body.
  const body = { [Symbol.asyncIterator]: () => incoming.iterator({ destroyOnReturn: false }) as AsyncIterator<Uint8Array> };
  const answerWithFile: HttpConnection['sendFile'] = ({ status, headers }, handle, start, length, onSent) => {
    outgoing.writeHead(status, headers);
    void sendFile(outgoing, handle, start, length, onSent);
    return new PlainResponse(null, { status, headers: { [ALREADY_SENT]: 'true' } });
  };
  const answerWithStream: HttpConnection['sendStream'] = ({ status, headers }, source, onSent, onFailure) => {
    outgoing.writeHead(status, headers);
    void sendStream(outgoing, source, onSent, onFailure);
    return new PlainResponse(null, { status, headers: { [ALREADY_SENT]: 'true' } });
  };
  return { body, address: addressOf(socket), isEncrypted: socket instanceof TLSSocket, certificateName: certificateNameOf(socket), sendFile: answerWithFile, sendStream: answerWithStream };
}

function createServer(fetch: Fetch, { tls, mostHeaderBytes }: HttpServerOptions): http.Server | https.Server {
  const listener = getRequestListener((request, { incoming, outgoing }) => fetch(request, connectionOf(incoming as http.IncomingMessage, outgoing as http.ServerResponse)));
  const handle = (incoming: http.IncomingMessage, outgoing: http.ServerResponse): void => void listener(incoming, outgoing);
  // An upload takes as long as it takes; a connection on which nothing moves is closed by the idle timeout.
  const common = { maxHeaderSize: mostHeaderBytes, requestTimeout: 0, headersTimeout: HEADERS_TIMEOUT_MS, keepAliveTimeout: HEADERS_TIMEOUT_MS, noDelay: true };
  if (tls === undefined) return http.createServer(common, handle);
  const { certificate, key, clientAuthorities, requireClientCertificate } = tls;
  const clients = clientAuthorities === undefined ? {} : { ca: clientAuthorities, requestCert: true, rejectUnauthorized: requireClientCertificate };
  return https.createServer({ ...common, cert: certificate, key, minVersion: 'TLSv1.2', ...clients }, handle);
}

/** Rejects with an `Error` that has a `code` (`EADDRINUSE`, `EACCES`, ...) where it cannot listen. */
export function startHttpServer(fetch: Fetch, options: HttpServerOptions): Promise<HttpServer> {
  const server = createServer(fetch, options);
  server.timeout = options.idleTimeoutMs;
  server.maxConnections = options.mostConnections;
  const close = (graceMs: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      server.closeIdleConnections();
    });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}
