/** `--output`: the result as files, a tar, or an archive of the image, instead of an image in the store. */
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import type { BuildResult, Builder } from '../../build/index.ts';
import { exportTar, exportTree } from '../../build/index.ts';
import { saveArchive } from '../../image/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { nodeFiles } from '../../host/node/index.ts';
import { fieldsOf } from './build-inputs.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';

const TYPES = ['local', 'tar', 'oci', 'docker', 'image'] as const;

export interface Output {
  readonly type: (typeof TYPES)[number];
  /** Absent: standard output. */
  readonly destination: string | undefined;
}

/** `DIR`, `-`, or `type=TYPE,dest=PATH`. @throws UserError */
export function parseOutputs(texts: readonly string[]): readonly Output[] {
  return texts.map((text) => {
    if (!text.includes('=')) return text === '-' ? { type: 'tar' as const, destination: undefined } : { type: 'local' as const, destination: text };
    const keys = fieldsOf(text);
    const type = TYPES.find((known) => known === keys.get('type'));
    if (type === undefined) throw new UserError(`cannot use --output ${text}: there is no such type`, `there are ${TYPES.join(', ')}`);
    const destination = keys.get('dest') ?? keys.get('destination');
    if (type === 'local' && destination === undefined) throw new UserError(`cannot use --output ${text}: dest= is missing`, 'such as type=local,dest=out');
    return { type, destination: destination === '-' ? undefined : destination };
  });
}

async function writeFile(file: string | undefined, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  if (file === undefined) {
    if (process.stdout.isTTY === true) throw new UserError('cannot write a tar to a terminal', 'name a file with dest=, or use a pipe');
    for await (const chunk of chunks) if (!process.stdout.write(chunk)) await new Promise((done) => process.stdout.once('drain', done));
    return;
  }
  const temporary = `${file}.${process.pid}.new`;
  try {
    const handle = openSync(temporary, 'wx', 0o644);
    try {
      for await (const chunk of chunks) for (let at = 0; at < chunk.length;) at += writeSync(handle, chunk, at);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new UserError(`cannot write "${file}": ${error.message}`, 'check the directory and the free space', undefined, { cause: error });
  }
}

export async function writeOutput({ type, destination }: Output, store: ImageStore, builder: Builder, result: BuildResult, names: readonly string[]): Promise<void> {
  switch (type) {
    case 'image':
      builder.store(result, names);
      return;
    case 'local': {
      const directory = resolve(destination ?? '.');
      mkdirSync(directory, { recursive: true });
      exportTree(store, result, nodeFiles, toByteString(directory));
      return;
    }
    case 'tar':
      return writeFile(destination, exportTar(store, result));
    default:
      return writeFile(destination, saveArchive(store, builder.store(result, names)));
  }
}
