/** The process that makes layers ready while a pull brings them, and after it: its standard input tells which (`preparing-protocol.ts`). */
import { closeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { GrowingFile } from '../../image/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { openStore } from '../images/image-store.ts';
import { BEGUN_FD } from './preparing-protocol.ts';
import type { PreparingLine } from './preparing-protocol.ts';

type Begin = Extract<PreparingLine, { readonly begin: unknown }>;

/** So that the pull goes first while there is one. */
const PRIORITY = 10;

/** The layer's file under its first name or its last; undefined where it is gone already. */
function openLayer({ disk, blobs }: ImageStore, { begin, path }: Begin): GrowingFile | undefined {
  const handle = disk.open(path) ?? disk.open(blobs.pathOf(begin.digest));
  return handle === undefined ? undefined : new GrowingFile(disk, path, handle);
}

/** What is wrong with the layer is said to who wants to run a container on it. */
async function prepare(store: ImageStore, { begin, diffId }: Begin, file: GrowingFile): Promise<void> {
  try {
    await store.layers.prepare(begin, diffId, { source: file });
  } catch {
    // It is not ready, that is all.
  } finally {
    file.close();
  }
}

/** Ends when all layers are ready. */
export async function runPreparing(): Promise<void> {
  setPriority(PRIORITY);
  const store = openStore();
  const coming = new Map<string, GrowingFile>();
  const works: Promise<void>[] = [];
  for await (const text of createInterface({ input: process.stdin })) {
    const line = JSON.parse(text) as PreparingLine;
    if ('begin' in line) {
      const file = openLayer(store, line);
      if (file === undefined) continue;
      coming.set(line.begin.digest, file);
      works.push(prepare(store, line, file));
      if (works.length === 1) closeSync(BEGUN_FD);
    } else if ('grew' in line) coming.get(line.grew)?.grew(line.size);
    else coming.get(line.ended)?.ended(line.isWhole);
  }
  for (const file of coming.values()) file.ended(false);
  await Promise.all(works);
}
