/** `db`: the local database of advisories. */
import { mkdirSync, openSync, closeSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createImageHost } from '../../host/node/image-host.ts';
import { formatTable, printableJson } from '../../findings/printable.ts';
import { AdvisoryDatabase, MOST_ADVISORY_BYTES, ScanInputError, encodeDatabase, loadScorer, mergeFeeds, readFeed, zipContent, zipEntries } from '../../scan/index.ts';
import type { FeedPart } from '../../scan/index.ts';
import { toByteString } from '../bytes.ts';
import { readCommand } from '../command.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { oneOf } from '../option-values.ts';
import { isDatabase, pullDatabase, pushDatabase } from '../registry/db-registry.ts';
import { guarded } from './scan-guard.ts';
import { addressesFile, databaseFile, digestOfFile } from './scan-database.ts';
import { ScanProgress } from './scan-progress.ts';
import { DB_IMPORT, DB_INFO, DB_PUSH, DB_UPDATE } from './scan-specs.ts';
import { READER_TOOLS, fetchBytes, uncompress } from './scan-tools.ts';

/** Of a zip or a directory: OSV's for npm has 250,000. */
const MOST_DOCUMENTS = 2_000_000;

/** A file of addresses. */
const MOST_ADDRESS_BYTES = 64 << 10;

type Scorer = Awaited<ReturnType<typeof loadScorer>>;

/** What came: parts of feeds, or a whole database. */
type Brought = { readonly parts: readonly FeedPart[] } | { readonly database: Uint8Array };

/** Documents of one feed as one part, so that they replace what was of it together. */
function joinParts(parts: readonly FeedPart[]): readonly FeedPart[] {
  const osv = parts.filter(({ feed }) => feed.startsWith('osv'));
  const names = new Set(osv.filter(({ advisories }) => advisories.length > 0).map(({ feed }) => feed));
  const [only] = names;
  const feed = names.size === 1 && only !== undefined ? only : 'osv';
  const date = osv.flatMap((part) => part.date ?? []).sort().at(-1);
  const others = parts.filter((part) => !part.feed.startsWith('osv'));
  return osv.length === 0 ? others : [...others, { feed, advisories: osv.flatMap(({ advisories }) => advisories), ...(date === undefined ? {} : { date }) }];
}

function noDocuments(name: string): ScanInputError {
  return new ScanInputError(`there is no .json in "${name}"`, 'is it what it should be?');
}

function readZip(bytes: Uint8Array, name: string, scorer: Scorer): readonly FeedPart[] {
  const source = { size: bytes.length, readAt: (position: number, length: number) => bytes.subarray(position, position + length) };
  const list = zipEntries(source, MOST_DOCUMENTS);
  if (list?.isWhole !== true) throw new ScanInputError(`"${name}" is a zip archive whose list of files is spoiled or has more than ${MOST_DOCUMENTS}`, 'get it again');
  const entries = list.entries.filter((entry) => entry.name.endsWith('.json'));
  if (entries.length === 0) throw noDocuments(name);
  return joinParts(entries.map((entry) => {
    const content = zipContent(source, entry, READER_TOOLS, MOST_ADVISORY_BYTES);
    if (content === undefined) throw new ScanInputError(`"${entry.name}" in "${name}" is spoiled`, 'get it again');
    return readFeed(content, entry.name, scorer);
  }));
}

async function readBytes(bytes: Uint8Array, name: string, scorer: Scorer): Promise<Brought> {
  if (isDatabase(bytes)) return { database: bytes };
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return { parts: readZip(bytes, name, scorer) };
  return { parts: [readFeed(await uncompress(bytes, MOST_ADVISORY_BYTES), name, scorer)] };
}

async function readPath(path: string, scorer: Scorer, progress: ScanProgress): Promise<Brought> {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) {
      if (stat.size > MOST_ADVISORY_BYTES) throw new ScanInputError(`"${path}" is longer than ${MOST_ADVISORY_BYTES >> 20} MiB`, 'is it what it should be?');
      progress.note(path);
      return await readBytes(readFileSync(path), path, scorer);
    }
    const names = readdirSync(path, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.json'));
    if (names.length === 0) throw noDocuments(path);
    if (names.length > MOST_DOCUMENTS) throw new ScanInputError(`"${path}" has more than ${MOST_DOCUMENTS} documents`);
    return { parts: joinParts(names.sort().map((name) => {
      progress.note(join(path, name));
      return readFeed(readFileSync(join(path, name)), name, scorer);
    })) };
  } catch (error) {
    if (error instanceof ScanInputError) throw error;
    throw new ScanInputError(`"${path}" cannot be read: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message}`, 'check the path', { cause: error });
  }
}

async function readAddress(address: string, values: FlagValues, scorer: Scorer): Promise<Brought> {
  if (address.startsWith('docker://')) return { database: await pullDatabase(address, values) };
  if (!/^https?:\/\//.test(address)) throw new ScanInputError(`"${address}" is no address`, 'it begins with https:// or docker://; files are for "caisson db import"');
  const bytes = await fetchBytes(address, MOST_ADVISORY_BYTES);
  if (bytes === undefined) throw new ScanInputError(`there is nothing at ${address}`, 'check the address');
  return readBytes(bytes, address, scorer);
}

/** Writes a database whole or not at all; answers its digest. A digest that is not the one asked for leaves the old one. */
function replaceDatabase(file: string, pieces: Iterable<Uint8Array>, wanted: string | undefined): string {
  const temporary = `${file}.${process.pid}`;
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const handle = openSync(temporary, 'w', 0o600);
    try {
      for (const piece of pieces) for (let at = 0; at < piece.length;) at += writeSync(handle, piece, at);
    } finally {
      closeSync(handle);
    }
    const digest = digestOfFile(temporary);
    if (wanted !== undefined && wanted !== digest) throw new UserError(`cannot take these advisories: the database would be ${digest}, and ${wanted} was asked for`, 'the old one stays');
    renameSync(temporary, file);
    return digest;
  } catch (error) {
    rmSync(temporary, { force: true });
    if (error instanceof UserError) throw error;
    throw new UserError(`cannot write the database of advisories: ${(error as Error).message}`, 'is the disk full?', undefined, { cause: error });
  }
}

/** Puts what came into the database. */
function take(brought: readonly Brought[], values: FlagValues): number {
  const file = databaseFile();
  const whole = brought.flatMap((one) => ('database' in one ? [one.database] : []));
  const parts = brought.flatMap((one) => ('parts' in one ? one.parts : []));
  const [database] = whole;
  if (database !== undefined && (whole.length > 1 || parts.length > 0)) throw new UserError('cannot take a database beside other things', 'it replaces what is here: take it alone, then the rest');
  if (database !== undefined) return report(replaceDatabase(file, [database], values.last('digest')));
  const before = AdvisoryDatabase.open(createImageHost().files, toByteString(file));
  try {
    const { advisories, feeds } = mergeFeeds(before, parts);
    return report(replaceDatabase(file, encodeDatabase(advisories, feeds), values.last('digest')));
  } finally {
    before?.close();
  }
}

function report(digest: string): number {
  process.stdout.write(`${digest}\n`);
  return 0;
}

export async function dbImportCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(DB_IMPORT, args);
  if (values === undefined) return 0;
  const progress = new ScanProgress(values.has('quiet'));
  return guarded('import advisories', async () => {
    const scorer = await loadScorer();
    const brought: Brought[] = [];
    try {
      for (const path of values.command) brought.push(await readPath(path, scorer, progress));
    } finally {
      progress.end();
    }
    return take(brought, values);
  });
}

/** Those of the command line, else those of the user's file. @throws UserError */
function addressesOf(values: FlagValues): readonly string[] {
  if (values.command.length > 0) return values.command;
  const file = addressesFile();
  const advice = `name one, or write some into ${file}, one a line`;
  let text = '';
  try {
    if (statSync(file).size > MOST_ADDRESS_BYTES) throw new UserError(`cannot update the advisories: ${file} is longer than ${MOST_ADDRESS_BYTES >> 10} KiB`, 'it has an address a line');
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof UserError) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw new UserError(`cannot update the advisories: ${file} cannot be read: ${(error as Error).message}`, advice, undefined, { cause: error });
  }
  const addresses = text.split('\n').map((line) => line.replace(/(?:^|\s)#.*$/, '').trim()).filter((line) => line !== '');
  if (addresses.length === 0) throw new UserError('cannot update the advisories: no address is named', advice);
  return addresses;
}

export async function dbUpdateCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(DB_UPDATE, args);
  if (values === undefined) return 0;
  return guarded('update the advisories', async () => {
    const scorer = await loadScorer();
    const brought: Brought[] = [];
    for (const address of addressesOf(values)) brought.push(await readAddress(address, values, scorer));
    return take(brought, values);
  });
}

export async function dbInfoCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(DB_INFO, args);
  if (values === undefined) return 0;
  const format = oneOf(values, 'format', ['table', 'json'] as const) ?? 'table';
  return guarded('show the advisories', async () => {
    const file = databaseFile();
    const database = AdvisoryDatabase.open(createImageHost().files, toByteString(file));
    if (database === undefined) throw new UserError('there are no advisories here', 'get some with "caisson db update" or "caisson db import"');
    const { description: { feeds, advisories } } = database;
    database.close();
    const digest = digestOfFile(file);
    const updated = statSync(file).mtime.toISOString();
    if (format === 'json') process.stdout.write(printableJson({ file, digest, updated, advisories, feeds }));
    else process.stdout.write(`${formatTable([['FEED', 'ADVISORIES', 'DATE'], ...feeds.map((feed) => [feed.name, `${feed.advisories}`, feed.date ?? ''])])}\n${digest}\nupdated ${updated}\n`);
    return 0;
  });
}

export async function dbPushCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(DB_PUSH, args);
  if (values === undefined) return 0;
  const [name = ''] = values.command;
  return guarded(`push the advisories to "${name}"`, async () => {
    process.stdout.write(`${await pushDatabase(databaseFile(), name, values)}\n`);
    return 0;
  });
}
