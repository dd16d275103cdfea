/** Images of services from Debian's packages, built and run by the built command; what they answer is asked by clients of this machine or in a container. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { caisson } from '../cli/caisson.ts';
import { debianTar } from '../images/fixtures.ts';

/** Images stay, so that a second run begins with them. */
const HOME = join(import.meta.dirname, '../../.cache/services');
const BUILD_MS = 900_000;
const COMMAND_MS = 300_000;

interface Done {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

/** @throws Error with what a program said, where it does not end with 0. */
export async function client(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], timeout: COMMAND_MS });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (more: string) => (text[name] += more));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve));
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${String(status)}: ${text.stderr}${text.stdout}`.trim());
  return text.stdout;
}

async function run(args: readonly string[], timeoutMs = COMMAND_MS): Promise<Done> {
  const done = await caisson(args, { timeoutMs, env: { CAISSON_HOME: HOME } });
  if (done.status !== 0) throw new Error(`caisson ${args.join(' ')} ended with ${String(done.status)}: ${done.stderr}${done.stdout}`.trim());
  return done;
}

/** @throws Error with what the command said, where it does not end with 0. */
export async function must(args: readonly string[], timeoutMs?: number): Promise<string> {
  return (await run(args, timeoutMs)).stdout;
}

/** Until it does not throw any more; two minutes at most. */
export async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  for (const since = Date.now(); ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() - since > 120_000) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/** A container of a service. */
export class Running {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  exec(...words: readonly string[]): Promise<string> {
    return must(['exec', this.name, ...words]);
  }

  shell(script: string): Promise<string> {
    return this.exec('sh', '-ec', script);
  }

  /** What it said, on both streams. */
  async said(...flags: readonly string[]): Promise<string> {
    const { stdout, stderr } = await run(['logs', ...flags, this.name]);
    return stdout + stderr;
  }

  /** Port of this machine's for one of the container's. */
  async port(inside: number): Promise<number> {
    return Number((await must(['port', this.name, String(inside)])).split('\n')[0]?.split(':')[1]);
  }

  /** Until somebody listens; answers the port of this machine's. A published port is connected to before that, and closed. */
  async listening(inside: number): Promise<number> {
    const port = await this.port(inside);
    await eventually(() => new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      // A server that waits for its client, or speaks first; else it is closed at once.
      const timer = setTimeout(() => socket.destroy(), 300);
      let isRefused = false;
      socket.once('end', () => (isRefused = true)).once('error', () => (isRefused = true)).once('close', () => {
        clearTimeout(timer);
        if (isRefused) reject(new Error(`nobody listens at port ${inside}: ${this.name}`));
        else resolve();
      });
      socket.once('data', () => socket.destroy());
    }));
    return port;
  }
}

export interface Service {
  readonly name: string;
  /** Debian's packages. */
  readonly packages: string;
  /** Lines of the Dockerfile before and after they are installed. */
  readonly before?: string;
  readonly after?: string;
  /** Published, and how it is started; without: the image is only used by `check`. */
  readonly ports?: readonly number[];
  readonly start?: string;
  readonly flags?: readonly string[];
  /** Answers what it saw, for the table. `running` is the started one. @throws Error where something is wrong. */
  readonly check: (running: Running, scratch: string) => Promise<string>;
}

export const imageOf = ({ name }: Service): string => `service-${name}`;

async function build(service: Service, scratch: string): Promise<void> {
  const dockerfile = [
    'FROM debian:12', 'ENV DEBIAN_FRONTEND=noninteractive', ...(service.before === undefined ? [] : [service.before]),
    `RUN apt-get update -q && apt-get install -y -q --no-install-recommends ${service.packages} && rm -rf /var/lib/apt/lists/*`,
    ...(service.after === undefined ? [] : [service.after]), '',
  ];
  writeFileSync(join(scratch, 'Dockerfile'), dockerfile.join('\n'));
  await must(['build', '-q', '-t', imageOf(service), scratch], BUILD_MS);
}

export interface Result {
  readonly service: Service;
  readonly saw?: string;
  readonly wrong?: string;
  readonly buildSeconds: number;
  readonly seconds: number;
}

/** Builds the image, starts it, and checks what it does. */
export async function tryService(service: Service): Promise<Result> {
  const scratch = mkdtempSync(join(tmpdir(), 'caisson-service-'));
  const running = new Running(`service-${service.name}-${process.pid}`);
  const { name } = running;
  const started = Date.now();
  let built = started;
  const result = (rest: Partial<Result>): Result => ({ service, buildSeconds: (built - started) / 1000, seconds: (Date.now() - built) / 1000, ...rest });
  try {
    await build(service, scratch);
    built = Date.now();
    if (service.start !== undefined) {
      const ports = (service.ports ?? []).flatMap((port) => ['-p', String(port)]);
      await must(['run', '-d', '--name', name, ...ports, '-v', `${scratch}:/scratch`, ...(service.flags ?? []), imageOf(service), 'sh', '-ec', service.start]);
    }
    return result({ saw: await service.check(running, scratch) });
  } catch (error) {
    const log = service.start === undefined ? '' : await running.said('--tail', '20').catch(() => '');
    return result({ wrong: `${error instanceof Error ? error.message : String(error)}\n${log}` });
  } finally {
    await must(['rm', '-f', name]).catch(() => {});
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Debian's smallest root directory is there to build on. */
export async function prepareStore(): Promise<void> {
  mkdirSync(HOME, { recursive: true });
  if (existsSync(join(HOME, 'based'))) return;
  await must(['import', debianTar(), 'debian:12']);
  writeFileSync(join(HOME, 'based'), '');
}
