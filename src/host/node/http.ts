/** `HostHttp` on `node:http` and `node:https`. Loaded on demand. */
import * as http from 'node:http';
import * as https from 'node:https';
import { Readable } from 'node:stream';
import { rootCertificates } from 'node:tls';
import type { HostHttp, HttpRequest, HttpResponse, HttpTls } from '../types.ts';

const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
/** Bounds what a peer can put into headers. */
const MOST_HEADER_BYTES = 65_536;

function tlsOptions(tls: HttpTls | undefined): https.RequestOptions {
  if (tls === undefined) return {};
  const { authorities, certificate, key } = tls;
  return {
    ...(authorities === undefined ? {} : { ca: [...rootCertificates, ...authorities] }),
    ...(certificate === undefined ? {} : { cert: certificate }),
    ...(key === undefined ? {} : { key }),
  };
}

function toResponse(message: http.IncomingMessage): HttpResponse {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  return { status: message.statusCode ?? 0, headers, body: message as AsyncIterable<Uint8Array>, cancel: () => message.destroy() };
}

function request({ method, url, headers, body, tls, idleTimeoutMs }: HttpRequest): Promise<HttpResponse> {
  const isTls = url.startsWith('https:');
  return new Promise((resolve, reject) => {
    const options = { method, headers, maxHeaderSize: MOST_HEADER_BYTES, agent: isTls ? agents.https : agents.http, ...(isTls ? tlsOptions(tls) : {}) };
    const outgoing = (isTls ? https : http).request(url, options, (message) => {
      message.on('error', () => {}); // who reads the body hears of it
      resolve(toResponse(message));
    });
    outgoing.setTimeout(idleTimeoutMs, () => outgoing.destroy(Object.assign(new Error(`nothing came for ${idleTimeoutMs / 1000} s`), { code: 'ETIMEDOUT' })));
    outgoing.on('error', reject);
    if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
    else {
      const stream = Readable.from(body, { objectMode: false });
      stream.on('error', (error) => outgoing.destroy(error));
      stream.pipe(outgoing);
    }
  });
}

export const nodeHttp: HostHttp = { request };
