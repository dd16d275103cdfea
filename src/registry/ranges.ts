/** Ranges: of a download (RFC 9110 14.1.2), and of a chunk that is sent (distribution-spec "Pushing a blob in chunks"). */
import { RegistryFailure } from './errors.ts';

export interface ByteRange {
  readonly start: number;
  /** Of the last byte. */
  readonly end: number;
}

/**
 * The part of `size` bytes that a `Range` header asks for. Undefined: all of it, as where the header is absent, of
 * another unit, malformed, or asks for several parts (RFC 9110 14.2: a server may ignore it).
 *
 * @throws RegistryFailure with 416 where there is no such part.
 */
export function parseRange(header: string | null, size: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined;
  if (start >= size || end < start) throw new RegistryFailure('SIZE_INVALID', `there are no such bytes: the blob has ${size}`, { status: 416, headers: { 'content-range': `bytes */${size}` } });
  return { start, end };
}

/** `Content-Range: START-END`. Undefined: there is none, and the chunk follows what is there. @throws RegistryFailure BLOB_UPLOAD_INVALID */
export function parseChunkRange(header: string | null): ByteRange | undefined {
  if (header === null) return undefined;
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(header.trim());
  const range = { start: Number(match?.[1]), end: Number(match?.[2]) };
  if (match === null || range.end < range.start) throw new RegistryFailure('BLOB_UPLOAD_INVALID', 'the Content-Range of a chunk is not START-END, both counted from 0 and inclusive');
  return range;
}
