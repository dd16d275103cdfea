/** Registries for tests: ours, by the built command, and Debian's docker-registry; each with a directory of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnCaisson } from '../cli/caisson.ts';

const START_MS = 15_000;

export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly url: string;
  readonly directory: string;
  readonly child: ChildProcess;
  /** What it has written so far, both streams. */
  output(): string;
  /** SIGTERM, unless told otherwise; resolves with its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Directories and processes that end with the test. */
export class Scratch {
  readonly directory: string;
  readonly #children: ChildProcess[] = [];

  constructor(name: string) {
    this.directory = mkdtempSync(join(tmpdir(), `caisson-${name}-`));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  file(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** A program that ends with the test. */
  spawn(program: string, args: readonly string[]): void {
    this.#children.push(spawn(program, args, { stdio: 'ignore' }));
  }

  clean(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.directory, { recursive: true, force: true });
  }

  /** `caisson registry serve` with flags; `directory`: one that is there already. */
  async serve(flags: readonly string[] = [], { directory = mkdtempSync(join(this.directory, 'registry-')), scheme = 'http', env = {} }: { readonly directory?: string; readonly scheme?: 'http' | 'https'; readonly env?: Readonly<Record<string, string>> } = {}): Promise<TestRegistry> {
    const child = spawnCaisson(['registry', 'serve', '--listen', '127.0.0.1:0', '--dir', directory, ...flags], { env: { CAISSON_HOME: this.path('home'), ...env } });
    this.#children.push(child);
    let output = '';
    for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (output += text));
    const port = await new Promise<string>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the registry does not start: ${output}`)), START_MS);
      const look = (): void => {
        const found = /listening on https?:\/\/[^\n]*:(\d+)\n/.exec(output)?.[1];
        if (found === undefined) return;
        clearTimeout(timer);
        resolve(found);
      };
      child.stdout.on('data', look);
      child.on('close', () => reject(new Error(`the registry ended: ${output}`)));
    });
    const host = `127.0.0.1:${port}`;
    const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
        else child.once('close', (status) => resolve(status));
        child.kill(signal);
      });
    return { host, url: `${scheme}://${host}`, directory, child, output: () => output, stop };
  }

  /** docker-registry; `extra`: more of its configuration. */
  async serveDocker(extra = ''): Promise<{ readonly host: string; readonly url: string }> {
    const port = await freePort();
    const directory = mkdtempSync(join(this.directory, 'docker-'));
    const config = join(directory, 'config.yml');
    writeFileSync(config, `version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: ${directory}/data\n  delete:\n    enabled: true\nhttp:\n  addr: 127.0.0.1:${port}\n${extra}`);
    this.spawn('docker-registry', ['serve', config]);
    await untilOpen(port);
    return { host: `127.0.0.1:${port}`, url: `http://127.0.0.1:${port}` };
  }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

export async function untilOpen(port: number): Promise<void> {
  for (const end = Date.now() + START_MS; Date.now() < end;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.on('error', () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on ${port}`);
}
