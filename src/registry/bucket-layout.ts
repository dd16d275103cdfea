/**
 * Keys of a registry in a bucket. The bytes of a blob are an object that is written once, under the name of the upload that brought them, and is
 * never copied; a small object says which digest they have. A client's digest is known only when the bytes are there, and S3 renames nothing.
 *
 *   data/UPLOAD                                bytes of a blob
 *   blobs/sha256/HEX.UPLOAD                    these bytes have this digest, and were checked
 *   repositories/NAME/_blobs/sha256-HEX        the repository has the blob; where its bytes were then; its time says when it was asked for last
 *   repositories/NAME/_manifests/sha256-HEX    a line that says what is known of the manifest, and its bytes
 *   repositories/NAME/_tags/TAG, _referrers/SUBJECT/DIGEST
 *   names/NAME                                 there is a repository; `/` is written as `!`
 *   uploads/UPLOAD                             a line that says which parts have come, and the bytes after them
 *   collecting/RUN                             what a collector is about to delete
 *   spoiled/sha256-HEX.UPLOAD                  bytes that had changed
 */
import { algorithmOf, hexOf, isDigest } from '../image/index.ts';
import type { Digest } from '../image/index.ts';
import { decodeRecord } from './documents.ts';
import { isRepositoryName } from './names.ts';

/** Where the bytes of a blob are. */
export interface BlobPlace {
  readonly data: string;
  readonly size: number;
}

export const UPLOAD_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

export const dataKey = (id: string): string => `data/${id}`;
export const uploadKey = (id: string): string => `uploads/${id}`;
export const blobPrefix = (digest: Digest): string => `blobs/${algorithmOf(digest)}/${hexOf(digest)}.`;
export const blobKey = (digest: Digest, id: string): string => `${blobPrefix(digest)}${id}`;
export const nameKey = (name: string): string => `names/${name.replaceAll('/', '!')}`;

export function isBlobPlace(value: unknown): value is BlobPlace {
  const { data, size } = (value ?? {}) as Partial<BlobPlace>;
  return typeof data === 'string' && UPLOAD_ID.test(data) && Number.isSafeInteger(size) && (size ?? -1) >= 0;
}

/** Undefined: no key of ours. */
export function nameOfKey(key: string): string | undefined {
  const name = key.slice('names/'.length).replaceAll('!', '/');
  return key.startsWith('names/') && isRepositoryName(name) ? name : undefined;
}

export function blobOfKey(key: string): { readonly digest: Digest; readonly id: string } | undefined {
  const [, algorithm = '', hex = '', id = ''] = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)\.([0-9a-f-]+)$/.exec(key) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) && UPLOAD_ID.test(id) ? { digest, id } : undefined;
}

/** `repositories/NAME/KIND/REST` */
export function partsOfKey(key: string): { readonly name: string; readonly kind: string; readonly rest: string } | undefined {
  const [, name = '', kind = '', rest = ''] = /^repositories\/([^_][^]*?)\/(_[a-z]+)\/([^]+)$/.exec(key) ?? [];
  return isRepositoryName(name) ? { name, kind, rest } : undefined;
}

const LINE_END = 10;

/** A record in a line, before bytes. */
export function encodeLine(record: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

/** Undefined: it was spoiled. */
export function decodeWithBytes<Value>(whole: Uint8Array<ArrayBuffer>): { readonly record: Value; readonly bytes: Uint8Array<ArrayBuffer> } | undefined {
  const end = whole.indexOf(LINE_END);
  const record = end < 0 ? undefined : decodeRecord<Value>(whole.subarray(0, end));
  return record === undefined || record === null || typeof record !== 'object' ? undefined : { record, bytes: whole.subarray(end + 1) };
}
