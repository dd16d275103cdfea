/** A database of advisories in a registry: a manifest of OCI with one layer of a type of its own (image-spec manifest.md "Guidelines for Artifact Usage"). */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DigestMismatchError, OCI_MANIFEST, parseManifest } from '../../image/index.ts';
import type { Digest } from '../../image/index.ts';
import { familiarReference, parseReference } from '../../image/reference.ts';
import { ScanInputError } from '../../scan/index.ts';
import { openSource, parsePlace } from '../images/copy-commands.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { BlobProgress } from '../progress.ts';
import { clientFor } from './registry-commands.ts';

const ADVISORIES_TYPE = 'application/vnd.caisson.advisories.v1';
const EMPTY_TYPE = 'application/vnd.oci.empty.v1+json';
/** More than all that OSV has. */
const MOST_DATABASE_BYTES = 2 ** 31;

/** Whether bytes begin as a database does. */
export function isDatabase(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(0, 8)).toString('latin1') === 'CAISADV1';
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** @throws ScanInputError, ImageError */
export async function pullDatabase(address: string, values: FlagValues): Promise<Uint8Array> {
  const source = await openSource(parsePlace(address), values, new BlobProgress(values.has('quiet')));
  try {
    const { bytes, mediaType } = await source.top();
    const manifest = parseManifest(bytes, mediaType, 'the manifest');
    const layer = manifest.kind === 'manifest' ? manifest.layers.find((one) => one.mediaType === ADVISORIES_TYPE) : undefined;
    if (layer === undefined || layer.size > MOST_DATABASE_BYTES) throw new ScanInputError(`"${address}" is no database of advisories`, 'name one that "caisson db push" put there');
    const pieces: Uint8Array[] = [];
    let length = 0;
    for await (const piece of source.blob(layer.digest, layer.size)) {
      length += piece.length;
      if (length > layer.size) break;
      pieces.push(Uint8Array.from(piece));
    }
    const database = Buffer.concat(pieces);
    const actual = digestOf(database);
    if (actual !== layer.digest) throw new DigestMismatchError('the database of advisories', layer.digest, actual);
    if (!isDatabase(database)) throw new ScanInputError(`"${address}" is a database of advisories of another version`, 'push it again with this one');
    return database;
  } finally {
    source.close();
  }
}

async function* piecesOf(bytes: Uint8Array, start: number, end: number): AsyncIterable<Uint8Array> {
  const most = 1 << 20;
  for (let at = start; at < end; at += most) yield bytes.subarray(at, Math.min(end, at + most));
}

/** Answers the name with the digest of the manifest. @throws UserError, ImageError */
export async function pushDatabase(file: string, name: string, values: FlagValues): Promise<string> {
  let database: Uint8Array;
  try {
    database = readFileSync(file);
  } catch (error) {
    throw new UserError('there are no advisories here', 'get some with "caisson db update" or "caisson db import"', undefined, { cause: error });
  }
  const reference = parseReference(name.replace(/^docker:\/\//, ''));
  if (reference.tag === undefined || reference.digest !== undefined) throw new UserError(`cannot push to "${name}": a name that is given has a tag and no digest`, 'such as registry.example/advisories:1');
  const client = clientFor(reference, values, new BlobProgress(values.has('quiet')));
  const put = async (bytes: Uint8Array, mediaType: string): Promise<object> => {
    const digest = digestOf(bytes);
    if (!(await client.hasBlob(digest))) await client.putBlob(digest, bytes.length, (start = 0, end = bytes.length) => piecesOf(bytes, start, end));
    return { mediaType, digest, size: bytes.length };
  };
  const [config, layer] = [await put(Buffer.from('{}'), EMPTY_TYPE), await put(database, ADVISORIES_TYPE)];
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: ADVISORIES_TYPE, config, layers: [layer] }));
  await client.putManifest(reference.tag, manifest, OCI_MANIFEST);
  return `${familiarReference(reference)}@${digestOf(manifest)}`;
}
