/** `copy`, `manifest inspect`: images that are elsewhere. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { createImageHost } from '../../host/node/image-host.ts';
import { ArchiveTarget, Disk, DockerArchiveSource, ImageError, LayoutSource, LayoutTarget, PlainDirectorySource, PlainDirectoryTarget, RegistrySource, RegistryTarget, copyImage, openArchive } from '../../image/index.ts';
import type { CopySource, CopyTarget } from '../../image/index.ts';
import { parseReference } from '../../image/reference.ts';
import type { Reference } from '../../image/reference.ts';
import { toByteString } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { COPY, MANIFEST_INSPECT } from './copy-specs.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { nearest } from '../flags.ts';
import { platformFlag } from './image-archives.ts';
import { toUserError } from './image-store.ts';
import { BlobProgress } from '../progress.ts';
import { clientFor } from '../registry/registry-commands.ts';

const FILES = ['oci', 'oci-archive', 'docker-archive', 'dir'] as const;
/** skopeo's that need a daemon or another store. */
const REFUSED = ['containers-storage', 'docker-daemon', 'ostree', 'sif', 'tarball', 'atomic'];

export type Place =
  | { readonly kind: 'registry'; readonly reference: Reference }
  /** `path`: absolute, a byte string. */
  | { readonly kind: (typeof FILES)[number]; readonly path: string; readonly name: string | undefined };

/** @throws UserError, InvalidReferenceError */
export function parsePlace(text: string): Place {
  if (text.startsWith('docker://')) return { kind: 'registry', reference: parseReference(text.slice('docker://'.length)) };
  const [, transport = '', rest = ''] = /^([a-z-]+):(.*)$/s.exec(text) ?? [];
  const kind = FILES.find((one) => one === transport);
  if (kind !== undefined) {
    // As skopeo: the first colon ends the path.
    const colon = kind === 'dir' ? -1 : rest.indexOf(':');
    const path = colon < 0 ? rest : rest.slice(0, colon);
    if (path === '') throw new UserError(`cannot use the place "${text}": there is no path behind ${kind}:`, `such as ${kind}:./image`);
    return { kind, path: toByteString(resolve(path)), name: colon < 0 || colon === rest.length - 1 ? undefined : rest.slice(colon + 1) };
  }
  if (REFUSED.includes(transport)) throw new UserError(`cannot use the place "${text}": ${transport} needs another engine`, 'write an archive there, and copy that');
  if (/^[./]/.test(text)) throw new UserError(`cannot use the place "${text}": a path needs a transport`, `such as oci:${text} or oci-archive:${text}`);
  if (rest.startsWith('/') || rest.startsWith('.')) {
    const guess = nearest(transport, [...FILES]);
    throw new UserError(`cannot use the place "${text}": no transport is called "${transport}"`, guess === undefined ? `there are docker://, ${FILES.join(', ')}` : `did you mean ${guess}:?`);
  }
  return { kind: 'registry', reference: parseReference(text) };
}

export async function openSource(place: Place, values: FlagValues, progress: BlobProgress): Promise<CopySource> {
  if (place.kind === 'registry') return new RegistrySource(clientFor(place.reference, values, progress), place.reference.digest ?? place.reference.tag ?? '');
  const host = createImageHost();
  // What is compressed is uncompressed to a file first.
  const archive = await openArchive(new Disk(host, toByteString(tmpdir()), '.'), place.path);
  if (place.kind === 'dir') return new PlainDirectorySource(archive, host.codecs);
  if (place.kind === 'docker-archive' && archive.document('oci-layout') === undefined) return new DockerArchiveSource(archive, host.codecs, place.name);
  return new LayoutSource(archive, host.codecs, place.name);
}

function openTarget(place: Place, source: Place, values: FlagValues, progress: BlobProgress): CopyTarget {
  if (place.kind === 'registry') {
    const { registry, repository } = place.reference;
    const isNear = source.kind === 'registry' && source.reference.registry === registry && source.reference.repository !== repository;
    return new RegistryTarget(clientFor(place.reference, values, progress), place.reference, isNear ? source.reference.repository : undefined);
  }
  const disk = new Disk(createImageHost(), place.path, `.caisson-${process.pid}`);
  if (place.kind === 'oci') return new LayoutTarget(disk, place.name);
  if (place.kind === 'dir') return new PlainDirectoryTarget(disk);
  return new ArchiveTarget(disk, place.path, place.name ?? (source.kind === 'registry' ? undefined : source.name));
}

async function guarded<Result>(what: string, body: () => Promise<Result>): Promise<Result> {
  try {
    return await body();
  } catch (error) {
    throw error instanceof ImageError ? toUserError(error, what) : error;
  }
}

export async function copyCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(COPY, args);
  if (values === undefined) return 0;
  const [from = '', to = ''] = values.command;
  return guarded(`copy "${from}" to "${to}"`, async () => {
    const [source, target] = [parsePlace(from), parsePlace(to)];
    if (target.kind === 'registry' && target.reference.digest !== undefined) throw new UserError(`cannot copy to "${to}": a name that is given has no digest`, 'leave the part from @ on out');
    const progress = new BlobProgress(values.has('quiet'));
    const opened = await openSource(source, values, progress);
    const { codecs } = createImageHost();
    const digest = await copyImage(opened, openTarget(target, source, values, progress), { codecs, all: values.has('all'), platform: platformFlag(values), progress });
    const file = values.last('digestfile');
    if (file !== undefined) writeFileSync(file, digest);
    process.stdout.write(`${digest}\n`);
    return 0;
  });
}

export async function manifestInspectCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(MANIFEST_INSPECT, args);
  if (values === undefined) return 0;
  const [text = ''] = values.command;
  return guarded(`inspect the manifest of "${text}"`, async () => {
    const source = await openSource(parsePlace(text), values, new BlobProgress(false));
    try {
      const { bytes, mediaType, digest } = await source.top();
      if (values.has('raw')) process.stdout.write(bytes);
      else {
        const document = parseDocument(bytes, text);
        const shown = values.has('verbose') ? { Ref: text, Descriptor: { mediaType: document.mediaType ?? mediaType, digest, size: bytes.length }, Manifest: document } : document;
        process.stdout.write(`${JSON.stringify(shown, undefined, 3)}\n`);
      }
      return 0;
    } finally {
      source.close();
    }
  });
}

function parseDocument(bytes: Uint8Array, text: string): { readonly mediaType?: unknown } {
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as { readonly mediaType?: unknown };
  } catch (error) {
    throw new UserError(`cannot inspect the manifest of "${text}": it is not JSON`, 'see it with --raw', undefined, { cause: error });
  }
}
