/** Makes the layers of a pull ready in a process of its own, so that the pull need not wait: `preparing-process.ts`. It ends with them. */
import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { ComingLayer, Descriptor, DiffId, LaterPreparer } from '../../image/index.ts';
import { spawnOwn } from './own-process.ts';
import { BEGUN_FD } from './preparing-protocol.ts';
import type { PreparingLine } from './preparing-protocol.ts';
import { PREPARING_PROCESS } from './worker-word.ts';

/** Of a layer that comes, it is told each time that there are so many bytes more. */
const TOLD_BYTES = 2 ** 20;
/** Where it has not begun so long after the pull has ended, nobody waits for it. */
const BEGIN_WAIT_MS = 200;

export class BackgroundPreparer implements LaterPreparer {
  #process: ChildProcess | undefined;
  #begun: Promise<unknown> | undefined;

  begin(layer: Descriptor, diffId: DiffId, path: string): ComingLayer {
    const { digest } = layer;
    this.#start();
    this.#tell({ begin: layer, diffId, path });
    let told = 0;
    return {
      grew: (size) => {
        if (size - told < TOLD_BYTES) return;
        told = size;
        this.#tell({ grew: digest, size });
      },
      ended: (isWhole) => {
        if (isWhole) this.#tell({ grew: digest, size: layer.size });
        this.#tell({ ended: digest, isWhole });
      },
    };
  }

  /** There are no more layers. It goes on with those that it has, without this process. */
  async release(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    child.stdin?.end();
    await Promise.race([this.#begun, new Promise((resolve) => setTimeout(resolve, BEGIN_WAIT_MS).unref())]);
    child.stdio[BEGUN_FD]?.destroy();
    child.unref();
  }

  /** What goes wrong with it is nothing to the pull: the first container makes the layers ready then. */
  #start(): void {
    if (this.#process !== undefined) return;
    const child = spawnOwn([PREPARING_PROCESS], ['pipe', 'ignore', 'ignore', 'pipe']);
    if (child === undefined) return;
    this.#process = child;
    child.stdin?.on('error', () => undefined);
    const begun = child.stdio[BEGUN_FD] as Readable;
    this.#begun = new Promise((resolve) => begun.on('close', resolve).resume());
  }

  #tell(line: PreparingLine): void {
    const { stdin } = this.#process ?? {};
    if (stdin?.writable === true) stdin.write(`${JSON.stringify(line)}\n`);
  }
}
