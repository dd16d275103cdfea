/** `load`, `save`, `import`: images from and to files. */
import { closeSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEFAULT_LAYER_LIMITS, OWN_PLATFORM, importRoot, loadArchive, openArchive, openArchiveStream, saveArchive } from '../../image/index.ts';
import type { LayerLimits, Platform } from '../../image/index.ts';
import { familiarReference } from '../../image/reference.ts';
import { toByteString } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { IMPORT, LOAD, SAVE } from './image-specs.ts';
import { withStore } from './image-store.ts';
import { need } from '../option-values.ts';
import { parseCount, parseSize } from '../quantities.ts';

export function layerLimits(values: FlagValues): LayerLimits {
  const size = values.last('max-layer-size');
  const entries = values.last('max-layer-entries');
  const ratio = values.last('max-layer-ratio');
  return {
    layerBytes: size === undefined ? DEFAULT_LAYER_LIMITS.layerBytes : need(parseSize(size), 'max-layer-size', size, 'it is not a size such as 10g'),
    layerEntries: entries === undefined ? DEFAULT_LAYER_LIMITS.layerEntries : need(parseCount(entries), 'max-layer-entries', entries, 'it is not a number'),
    compressionRatio: ratio === undefined ? DEFAULT_LAYER_LIMITS.compressionRatio : need(parseCount(ratio), 'max-layer-ratio', ratio, 'it is not a number'),
  };
}

export function platformFlag(values: FlagValues): Platform {
  const text = values.last('platform');
  if (text === undefined) return OWN_PLATFORM;
  const [os = '', architecture = '', variant] = text.split('/');
  if (os === '' || architecture === '') throw new UserError(`cannot use --platform ${text}: it is OS/ARCH`, 'such as linux/amd64 or linux/arm64/v8');
  return { os, architecture, variant };
}

/** Standard input; an error where it is a terminal, since nobody types a tar. */
function standardInput(command: string): AsyncIterable<Uint8Array> {
  if (process.stdin.isTTY === true) throw new UserError(`cannot ${command} from a terminal`, 'name a file, or pipe an archive in');
  return process.stdin as AsyncIterable<Uint8Array>;
}

export async function loadCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(LOAD, args);
  if (values === undefined) return 0;
  const file = values.last('input') ?? values.command[0];
  const quiet = values.has('quiet') || process.stderr.isTTY !== true;
  return withStore(`load ${file === undefined || file === '-' ? 'the archive' : `"${file}"`}`, async (store) => {
    const source = file === undefined || file === '-' ? await openArchiveStream(store.disk, standardInput('load')) : await openArchive(store.disk, toByteString(resolve(file)));
    try {
      const images = await loadArchive(store, source, {
        platform: platformFlag(values), limits: layerLimits(values), name: values.last('tag'),
        onLayer: ({ digest }, number, of) => {
          if (!quiet) process.stderr.write(`layer ${number} of ${of}: ${digest.slice(0, 19)}\n`);
        },
      });
      for (const { record, id } of images) process.stdout.write(record.reference === undefined ? `Loaded image ID: ${id}\n` : `Loaded image: ${familiarReference(record.reference)}\n`);
    } finally {
      source.close();
    }
    return 0;
  });
}

export async function writeOutput(file: string | undefined, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  if (file === undefined) {
    for await (const chunk of chunks) for (let at = 0; at < chunk.length;) at += writeSome(1, chunk.subarray(at));
    return;
  }
  const temporary = `${file}.${process.pid}.new`;
  try {
    const handle = openSync(temporary, 'wx', 0o644);
    try {
      for await (const chunk of chunks) for (let at = 0; at < chunk.length;) at += writeSome(handle, chunk.subarray(at));
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    if ((error as NodeJS.ErrnoException).code === undefined || !(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UserError(`cannot write "${file}": ${error.message}`, 'check the directory and the free space', undefined, { cause: error });
  }
}

/** A pipe that is full says EAGAIN. */
function writeSome(handle: number, bytes: Uint8Array): number {
  try {
    return writeSync(handle, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    return 0;
  }
}

export async function saveCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(SAVE, args);
  if (values === undefined) return 0;
  const file = values.last('output');
  if (file === undefined && process.stdout.isTTY === true) throw new UserError('cannot save to a terminal', 'use -o FILE, or a pipe');
  return withStore('save images', async (store) => {
    await writeOutput(file, saveArchive(store, values.command.map((text) => store.find(text))));
    return 0;
  });
}

export async function importCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(IMPORT, args);
  if (values === undefined) return 0;
  const [file = '', name] = values.command;
  return withStore(`import "${file}"`, async (store) => {
    const path = toByteString(resolve(file));
    if (file !== '-' && !store.disk.exists(path)) throw new UserError(`cannot import "${file}": no such file`, 'check the path, or use - for standard input');
    const image = await importRoot(store, file === '-' ? standardInput('import') : store.disk.stream(path), {
      name, changes: values.all('change'), message: values.last('message') ?? `Imported from ${file}`, limits: layerLimits(values),
    });
    process.stdout.write(`${image.id}\n`);
    return 0;
  });
}
