/** The other guest: a sandbox of its own, in the same process of the host, with secrets where the first might look for them. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORD, makeWatchman } from '../../drill/index.ts';
import type { Neighbour, Sighting } from '../../drill/index.ts';
import { Sandbox } from '../../sandbox/index.ts';
import type { CommandHandle } from '../../sandbox/index.ts';

const PATIENCE_MS = 5000;
const PORT = 7007;
const USER = { uid: 0, gid: 0, groups: [] };

interface Output {
  stdout: string;
  stderr: string;
  hasEnded: boolean;
  wake: () => void;
}

export class CanaryNeighbour {
  readonly sandbox: Sandbox;
  readonly place: Neighbour;
  readonly #watchman: CommandHandle;
  readonly #secrets: { readonly memory: string; readonly file: string };
  readonly #output: Output;

  private constructor(sandbox: Sandbox, place: Neighbour, watchman: CommandHandle, secrets: { readonly memory: string; readonly file: string }, output: Output) {
    this.sandbox = sandbox;
    this.place = place;
    this.#watchman = watchman;
    this.#secrets = secrets;
    this.#output = output;
  }

  /** `root`: its root directory, with a file `secret`. */
  static async start(token: (name: string) => string, root: string, abstractSocket: string): Promise<CanaryNeighbour> {
    const segmentKey = 1 + Math.floor(Math.random() * 0x7fff_fffe);
    const secrets = { memory: token('neighbour-memory'), file: `${token('neighbour')}\n` };
    const { elf, secretAddress } = makeWatchman({ memory: secrets.memory, segment: token('neighbour-segment'), key: token('neighbour-key'), segmentKey, port: PORT, abstractSocket });
    writeFileSync(join(root, 'watchman'), elf);
    chmodSync(join(root, 'watchman'), 0o755);
    const sandbox = await Sandbox.create({ root, hostname: 'neighbour' });
    const output: Output = { stdout: '', stderr: '', hasEnded: false, wake: () => {} };
    const take = (name: 'stdout' | 'stderr') => (text: string): void => {
      output[name] += text;
      output.wake();
    };
    const watchman = await sandbox.commands.start(['/watchman'], { user: USER, cwd: '/', env: { CAISSON_DRILL: token('neighbour-environment') }, onStdout: take('stdout'), onStderr: take('stderr') });
    void watchman.wait().then(() => {
      output.hasEnded = true;
      output.wake();
    });
    const place = { file: '/secret', port: PORT, abstractSocket, segmentKey, processId: watchman.pid, secretAddress };
    const neighbour = new CanaryNeighbour(sandbox, place, watchman, secrets, output);
    await neighbour.#line();
    return neighbour;
  }

  /** The next line that it says. Undefined: there is none. */
  async #line(): Promise<string | undefined> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const end = this.#output.stdout.indexOf('\n');
      if (end >= 0) {
        const line = this.#output.stdout.slice(0, end);
        this.#output.stdout = this.#output.stdout.slice(end + 1);
        return line;
      }
      const left = deadline - performance.now();
      if (left <= 0 || this.#output.hasEnded) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#output.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async check(): Promise<readonly Sighting[]> {
    const sightings: Sighting[] = [];
    const notice = (what: string): void => void sightings.push({ canary: 'neighbour', what });
    try {
      await this.#watchman.write('?');
      const line = await this.#line();
      if (line !== `${WORD}${this.#secrets.memory}`) notice(line === undefined ? 'its process does not answer' : 'the memory of its process was changed');
      if ((await this.sandbox.files.read('/secret')) !== this.#secrets.file) notice('its file was changed');
    } catch (error) {
      notice(`it does not answer: ${(error as Error).message}`);
    }
    for (const visitor of this.#output.stderr.split('\n').filter((text) => text !== '')) notice(visitor);
    this.#output.stderr = '';
    return sightings;
  }

  async stop(): Promise<void> {
    await this.sandbox.kill();
  }
}
