/**
 * Writes tars that are the same byte for byte whenever what goes in is the same: ustar headers, and a pax header for what
 * they cannot hold (POSIX.1-2008 pax). Names and attributes are byte strings.
 */
import { BLOCK_BYTES, FIELD, checksum, roundUp, stringToBytes } from './tar-format.ts';
import type { TarType } from './tar-format.ts';

export interface NewEntry {
  readonly path: string;
  readonly type: TarType;
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeSeconds?: number;
  readonly mtimeNanoseconds?: number;
  readonly size?: number;
  readonly linkTarget?: string;
  readonly major?: number;
  readonly minor?: number;
  readonly xattrs?: ReadonlyMap<string, string>;
}

const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0', link: '1', symlink: '2', 'character-device': '3', 'block-device': '4', directory: '5', fifo: '6',
};
const isAscii = /^[\x00-\x7f]*$/;

function put(header: Uint8Array, [offset]: readonly [offset: number, length: number], text: string): void {
  for (let index = 0; index < text.length; index++) header[offset + index] = text.charCodeAt(index);
}

function putOctal(header: Uint8Array, field: readonly [offset: number, length: number], value: number): void {
  put(header, field, Math.max(0, value).toString(8).padStart(field[1] - 1, '0'));
}

function fits(value: number, field: readonly [offset: number, length: number]): boolean {
  return value >= 0 && value < 8 ** (field[1] - 1);
}

/** The name in prefix and name, cut at a slash; undefined where it does not fit. */
function splitName(path: string): readonly [prefix: string, name: string] | undefined {
  if (!isAscii.test(path)) return undefined;
  if (path.length <= FIELD.name[1]) return ['', path];
  const slash = path.indexOf('/', path.length - FIELD.name[1] - 1);
  if (slash <= 0 || slash > FIELD.prefix[1] || slash === path.length - 1) return undefined;
  return [path.slice(0, slash), path.slice(slash + 1)];
}

/** Its length counts itself. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return `${length}${rest}`;
}

function ustar(entry: NewEntry, flag: string, name: readonly [prefix: string, name: string], size: number): Uint8Array {
  const header = new Uint8Array(BLOCK_BYTES);
  const { mode, uid = 0, gid = 0, mtimeSeconds = 0, linkTarget = '', major, minor } = entry;
  put(header, FIELD.prefix, name[0]);
  put(header, FIELD.name, name[1].slice(0, FIELD.name[1]));
  putOctal(header, FIELD.mode, mode & 0o7777);
  putOctal(header, FIELD.uid, fits(uid, FIELD.uid) ? uid : 0);
  putOctal(header, FIELD.gid, fits(gid, FIELD.gid) ? gid : 0);
  putOctal(header, FIELD.size, fits(size, FIELD.size) ? size : 0);
  putOctal(header, FIELD.mtime, fits(mtimeSeconds, FIELD.mtime) ? mtimeSeconds : 0);
  put(header, FIELD.type, flag);
  put(header, FIELD.link, linkTarget.slice(0, FIELD.link[1]));
  put(header, FIELD.magic, 'ustar\0');
  put(header, FIELD.version, '00');
  putOctal(header, FIELD.major, major ?? 0);
  putOctal(header, FIELD.minor, minor ?? 0);
  put(header, FIELD.checksum, `${checksum(header).toString(8).padStart(6, '0')}\0 `);
  return header;
}

function paxRecords(entry: NewEntry, name: readonly [string, string] | undefined): string {
  const { path, uid = 0, gid = 0, mtimeSeconds = 0, mtimeNanoseconds = 0, size = 0, linkTarget = '', xattrs } = entry;
  const records: (readonly [key: string, value: string])[] = [];
  if (name === undefined) records.push(['path', path]);
  if (linkTarget.length > FIELD.link[1] || !isAscii.test(linkTarget)) records.push(['linkpath', linkTarget]);
  if (!fits(uid, FIELD.uid)) records.push(['uid', String(uid)]);
  if (!fits(gid, FIELD.gid)) records.push(['gid', String(gid)]);
  if (!fits(size, FIELD.size)) records.push(['size', String(size)]);
  if (mtimeNanoseconds !== 0 || !fits(mtimeSeconds, FIELD.mtime)) {
    const nanoseconds = BigInt(mtimeSeconds) * 1_000_000_000n + BigInt(mtimeNanoseconds);
    const [sign, absolute] = nanoseconds < 0n ? ['-', -nanoseconds] : ['', nanoseconds];
    const fraction = String(absolute % 1_000_000_000n).padStart(9, '0').replace(/0+$/, '');
    records.push(['mtime', `${sign}${absolute / 1_000_000_000n}${fraction === '' ? '' : `.${fraction}`}`]);
  }
  for (const attribute of [...(xattrs?.keys() ?? [])].sort()) records.push([`SCHILY.xattr.${attribute}`, xattrs?.get(attribute) ?? '']);
  return records.map(([key, value]) => record(key, value)).join('');
}

function padded(text: string): Uint8Array {
  const bytes = new Uint8Array(roundUp(text.length));
  bytes.set(stringToBytes(text));
  return bytes;
}

/** All that stands before an entry's bytes. */
export function tarHeader(entry: NewEntry): Uint8Array {
  const name = splitName(entry.path);
  const records = paxRecords(entry, name);
  const header = ustar(entry, FLAGS[entry.type], name ?? ['', entry.path], entry.type === 'file' ? (entry.size ?? 0) : 0);
  if (records === '') return header;
  const pax = ustar({ path: '', type: 'file', mode: 0o644 }, 'x', ['', 'pax'], records.length);
  const body = padded(records);
  const all = new Uint8Array(pax.length + body.length + header.length);
  all.set(pax);
  all.set(body, pax.length);
  all.set(header, pax.length + body.length);
  return all;
}

/** What stands behind an entry of that many bytes. */
export function tarPadding(size: number): Uint8Array {
  return new Uint8Array(roundUp(size) - size);
}

/** The end of an archive. */
export function tarEnd(): Uint8Array {
  return new Uint8Array(2 * BLOCK_BYTES);
}

/** An entry with its bytes. */
export async function* tarFile(entry: NewEntry, size: number, contents: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield tarHeader({ ...entry, size });
  let written = 0;
  for await (const chunk of contents) {
    written += chunk.length;
    if (written > size) break;
    yield chunk;
  }
  if (written !== size) throw new RangeError(`"${entry.path}" has ${written} bytes where ${size} were announced`);
  yield tarPadding(size);
}
