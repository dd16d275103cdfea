/**
 * `--ssh`: agents whose sockets RUNs may get (`--mount=type=ssh`). An agent of the user's is used where it listens; keys go into an agent of
 * their own, by the host's ssh-agent, which ends with the build.
 */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';

const OWN_AGENT = 'install openssh-client, or start an agent and give its socket';
/** Prints its number, and ends when we do: our end of the pipe closes then, and ssh-agent ends with its command. */
const UNTIL_WE_END = ['sh', '-c', 'echo "$SSH_AGENT_PID"; exec cat'];

export interface Agents {
  /** Paths of sockets, byte strings, by id. */
  readonly sockets: ReadonlyMap<string, string>;
  close(): void;
}

/** An agent that has some keys. */
class KeyAgent {
  readonly socket: string;
  readonly #directory: string;
  readonly #child: ChildProcess;
  #pid = 0;

  private constructor(directory: string) {
    this.#directory = directory;
    this.socket = join(directory, 'agent');
    this.#child = spawn('ssh-agent', ['-a', this.socket, ...UNTIL_WE_END], { stdio: ['pipe', 'pipe', 'ignore'] });
  }

  static async start(flag: string, keys: readonly string[]): Promise<KeyAgent> {
    const agent = new KeyAgent(mkdtempSync(join(tmpdir(), 'caisson-agent-')));
    try {
      await agent.#begin(flag);
      for (const key of keys) agent.#add(flag, key);
      return agent;
    } catch (error) {
      agent.close();
      throw error;
    }
  }

  async #begin(flag: string): Promise<void> {
    const first = await new Promise<Error | string>((answer) => {
      this.#child.once('error', answer);
      this.#child.once('close', () => answer(new Error('it ended')));
      this.#child.stdout?.once('data', (bytes: Buffer) => answer(bytes.toString()));
    });
    if (first instanceof Error) throw new UserError(`cannot use --ssh ${flag}: ssh-agent does not start: ${first.message}`, OWN_AGENT, undefined, { cause: first });
    this.#pid = Number(first.trim());
  }

  #add(flag: string, key: string): void {
    const { status, stderr, error } = spawnSync('ssh-add', ['-q', '--', key], { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8', env: { ...process.env, SSH_AUTH_SOCK: this.socket } });
    if (status === 0) return;
    const why = error?.message ?? (stderr.trim().split('\n').filter((line) => !/^[@\s]*$/.test(line)).join('; ').replace(/[\p{Cc}]/gu, ' ') || 'it has a passphrase, or is no key');
    throw new UserError(`cannot use --ssh ${flag}: ssh-add does not take "${key}": ${why}`, 'name a private key; one with a passphrase is given through an agent of yours');
  }

  close(): void {
    if (this.#pid > 0) {
      try {
        process.kill(this.#pid);
      } catch {
        // It has ended already.
      }
    }
    this.#child.stdin?.end();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function statOf(flag: string, path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new UserError(`cannot use --ssh ${flag}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? `there is no "${path}"` : (error as Error).message}`, 'name the socket of an agent, or a private key', undefined, { cause: error });
  }
}

function userAgent(flag: string): string {
  const socket = process.env['SSH_AUTH_SOCK'];
  if (socket === undefined || socket === '') throw new UserError(`cannot use --ssh ${flag}: SSH_AUTH_SOCK is not set`, 'start an agent with "eval $(ssh-agent)", or name a key: --ssh default=$HOME/.ssh/id_ed25519');
  if (!statOf(flag, socket).isSocket()) throw new UserError(`cannot use --ssh ${flag}: "${socket}" (SSH_AUTH_SOCK) is no socket`, 'start an agent with "eval $(ssh-agent)"');
  return socket;
}

/** `flags`: `ID`, `ID=SOCKET` or `ID=KEY[,KEY...]`, as Docker's. @throws UserError */
export async function openAgents(flags: readonly string[]): Promise<Agents> {
  const sockets = new Map<string, string>();
  const own: KeyAgent[] = [];
  const close = (): void => {
    for (const agent of own) agent.close();
  };
  try {
    for (const flag of flags) {
      const equals = flag.indexOf('=');
      const id = equals < 0 ? flag : flag.slice(0, equals);
      const paths = equals < 0 ? [] : flag.slice(equals + 1).split(',').filter((path) => path !== '').map((path) => resolve(path));
      if (id === '') throw new UserError(`cannot use --ssh ${flag}: it has no id`, 'write default, or ID=SOCKET, or ID=KEY');
      if (sockets.has(toByteString(id))) throw new UserError(`cannot use --ssh ${flag}: "${id}" is given twice`, 'give the other one another id');
      const [first] = paths;
      let socket: string;
      if (first === undefined) socket = userAgent(flag);
      else if (statOf(flag, first).isSocket()) {
        if (paths.length > 1) throw new UserError(`cannot use --ssh ${flag}: one agent has one socket`, 'give keys only, or a socket only');
        socket = first;
      } else {
        for (const path of paths) if (!statOf(flag, path).isFile()) throw new UserError(`cannot use --ssh ${flag}: "${path}" is neither a socket nor a file`, 'name the socket of an agent, or private keys');
        const agent = await KeyAgent.start(flag, paths);
        own.push(agent);
        ({ socket } = agent);
      }
      sockets.set(toByteString(id), toByteString(socket));
    }
    return { sockets, close };
  } catch (error) {
    close();
    throw error;
  }
}
