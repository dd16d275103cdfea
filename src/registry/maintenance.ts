/** What a registry does by itself, from time to time: retention, garbage collection, scrub. */
import { applyRetention, planRetention } from './retention.ts';
import type { RetentionRule } from './retention.ts';
import type { Registry } from './service.ts';

export interface MaintenanceOptions {
  readonly retention: () => readonly RetentionRule[];
  readonly graceMs: number;
  /** Undefined: never. */
  readonly collectEveryMs: number | undefined;
  readonly scrubEveryMs: number | undefined;
}

async function collect(registry: Registry, { retention, graceMs }: MaintenanceOptions): Promise<void> {
  const { storage, metrics } = registry;
  const removed = await applyRetention(storage, await planRetention(storage, retention()));
  registry.uploads.expire();
  const { blobs, bytes } = await storage.collectGarbage({ graceMs, dryRun: false });
  metrics.count('retention_removed_total', 'Tags and manifests that retention took away.', {}, removed);
  metrics.count('garbage_blobs_total', 'Blobs that were collected.', {}, blobs);
  metrics.count('garbage_bytes_total', 'Bytes of blobs that were collected.', {}, bytes);
}

async function look(registry: Registry): Promise<void> {
  const { spoiled, blobs } = await registry.storage.scrub();
  registry.metrics.count('scrubbed_blobs_total', 'Blobs that were read and compared with their digests.', {}, blobs);
  registry.metrics.count('spoiled_blobs_total', 'Blobs that had changed.', {}, spoiled.length);
  for (const digest of spoiled) registry.log(`the blob ${digest} has changed and was moved to "spoiled": push it again`);
}

/** Begins; answers how to end it. What takes long is not begun again before it has ended. */
export function startMaintenance(registry: Registry, options: MaintenanceOptions): () => void {
  const timers: ReturnType<typeof setInterval>[] = [];
  const every = (milliseconds: number | undefined, work: () => Promise<void>): void => {
    if (milliseconds === undefined) return;
    let isBusy = false;
    timers.push(setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      void work().catch((error: unknown) => registry.log(error instanceof Error ? error.message : String(error))).finally(() => {
        isBusy = false;
      });
    }, milliseconds));
  };
  every(options.collectEveryMs, () => collect(registry, options));
  every(options.scrubEveryMs, () => look(registry));
  return () => {
    for (const timer of timers) clearInterval(timer);
  };
}
