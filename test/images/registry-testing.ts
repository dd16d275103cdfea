/** Registries for tests: Debian's docker-registry, and ones in a few lines that may lie. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { busyboxLayout, manifestDigest } from './fixtures.ts';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

async function untilOpen(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('docker-registry does not start');
}

export interface Registries {
  /** Debian's docker-registry on a free port; its `host:port`. `extra`: more lines of its configuration, behind `http:`. */
  readonly startRegistry: (extra?: string) => Promise<string>;
  /** An HTTP server; its `host:port`. */
  readonly serve: (handler: Handler) => Promise<string>;
  readonly stop: () => void;
}

export function registriesIn(scratch: string): Registries {
  const children: ChildProcess[] = [];
  const servers: Server[] = [];
  const startRegistry = async (extra = ''): Promise<string> => {
    const port = await freePort();
    const directory = mkdtempSync(join(scratch, 'registry-'));
    const config = join(directory, 'config.yml');
    writeFileSync(config, `version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/data\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:${port}\n${extra}`);
    children.push(spawn('docker-registry', ['serve', config], { stdio: 'ignore' }));
    await untilOpen(port);
    return `127.0.0.1:${port}`;
  };
  const serve = (handler: Handler): Promise<string> =>
    new Promise((resolve) => {
      const server = createServer(handler).listen(0, '127.0.0.1', () => resolve(`127.0.0.1:${(server.address() as AddressInfo).port}`));
      servers.push(server);
    });
  const stop = (): void => {
    for (const child of children) child.kill();
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
  return { startRegistry, serve, stop };
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** A registry in a few lines: paths to answers; it may ask for a token. */
export function registryOf(serve: Registries['serve'], answers: ReadonlyMap<string, Handler>): Promise<string> {
  return serve((request, response) => {
    const answer = answers.get(`${request.method} ${(request.url ?? '').split('?')[0]}`);
    if (answer === undefined) response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"NAME_UNKNOWN","message":"no such thing"}]}');
    else answer(request, response);
  });
}

export function layoutBlob(digest: string): Buffer {
  return readFileSync(join(busyboxLayout(), 'blobs/sha256', digest.slice(7)));
}

export interface Parts {
  readonly manifest: Buffer;
  readonly config: string;
  readonly layer: string;
}

export function busyboxParts(): Parts {
  const manifest = layoutBlob(manifestDigest(busyboxLayout()));
  const { config, layers } = JSON.parse(manifest.toString()) as { config: { digest: string }; layers: { digest: string }[] };
  return { manifest, config: config.digest, layer: layers[0]?.digest ?? '' };
}

export function honest({ manifest, config, layer }: Parts): Map<string, Handler> {
  const send = (bytes: Buffer, type: string) => (_: IncomingMessage, response: ServerResponse): void => void response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
  return new Map([
    ['GET /v2/x/manifests/1', send(manifest, 'application/vnd.oci.image.manifest.v1+json')],
    [`GET /v2/x/blobs/${config}`, send(layoutBlob(config), 'application/octet-stream')], [`GET /v2/x/blobs/${layer}`, send(layoutBlob(layer), 'application/octet-stream')],
  ]);
}
