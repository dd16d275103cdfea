/** A RUN as one piece of work for any thread: what it needs is plain data, what it gives is a layer in the store. */
import type { ImageStore } from '../image/index.ts';
import { CacheMounts } from './cache-mounts.ts';
import type { CacheUse } from './cache-mounts.ts';
import type { BuiltLayer } from './image-config.ts';
import { entriesOfChanges } from '../container/layer-entries.ts';
import { Trees } from './parent-tree.ts';
import { runCommand } from './run-step.ts';
import type { Command, ContainerMaker, Observer } from './run-step.ts';
import { StepStore } from './step-store.ts';

/** It can be posted to a worker. */
export interface RunRequest extends Command {
  /** Seconds since the epoch: the time of what the command writes. */
  readonly epoch: number;
  /** No time is later than `epoch` (SOURCE_DATE_EPOCH). */
  readonly isLimit: boolean;
  readonly compress: boolean;
  readonly caches: readonly CacheUse[];
}

/** Where RUNs are made: in this thread, or in another. */
export type RunMaker = (request: RunRequest, observer: Observer) => Promise<BuiltLayer | undefined>;

/** Runs it and keeps what it changed, in a store that is open here. Undefined: nothing. @throws BuildError, ImageError */
export function runMaker(store: ImageStore, makeContainer: ContainerMaker): RunMaker {
  return async (request, observer) => {
    const { epoch, isLimit, compress, caches } = request;
    const steps = new StepStore(store);
    const trees = new Trees(store);
    const ownFrom = BigInt(store.disk.host.now()) * 1_000_000n;
    const container = await runCommand(makeContainer, request, observer);
    try {
      const entries = entriesOfChanges(container.changes(), { epoch, isLimit, ownFrom });
      const layer = entries.length === 0 ? undefined : await steps.write(entries, compress);
      const mounts = new CacheMounts(steps, trees);
      for (const cache of caches) await mounts.keep(cache, container);
      return layer;
    } finally {
      container.close();
      trees.close();
    }
  };
}
