/** The user's database of advisories: where it is, its digest, opening it. */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createImageHost, storeDirectory } from '../../host/node/image-host.ts';
import { AdvisoryDatabase } from '../../scan/index.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';

/** @throws UserError */
export function databaseFile(): string {
  const directory = storeDirectory();
  if (directory === undefined) throw new UserError('cannot find a place for advisories: HOME is not set', 'set HOME or CAISSON_HOME');
  return join(directory, 'advisories', 'advisories.db');
}

/** Where `db update` finds addresses that nobody says again: one a line, `#` begins a comment. @throws UserError */
export function addressesFile(): string {
  return join(dirname(databaseFile()), 'addresses');
}

const PIECE_BYTES = 1 << 20;

/** `sha256:HEX` of a file. */
export function digestOfFile(file: string): string {
  const hash = createHash('sha256');
  const handle = openSync(file, 'r');
  try {
    const piece = Buffer.alloc(PIECE_BYTES);
    for (let count = readSync(handle, piece); count > 0; count = readSync(handle, piece)) hash.update(piece.subarray(0, count));
  } finally {
    closeSync(handle);
  }
  return `sha256:${hash.digest('hex')}`;
}

/** That of `--db`, which has to be there, or the user's own, which need not. @throws UserError, ScanInputError */
export function openAdvisories(values: FlagValues): AdvisoryDatabase | undefined {
  const named = values.last('db');
  const database = openDatabase(named ?? databaseFile(), values.last('db-digest'));
  if (named !== undefined && database === undefined) throw new UserError(`cannot use --db ${named}: no such file`, 'check the path');
  return database;
}

/** Undefined: there is none. `digest`: what it has to be. @throws UserError, ScanInputError */
function openDatabase(file: string, digest: string | undefined): AdvisoryDatabase | undefined {
  const database = AdvisoryDatabase.open(createImageHost().files, toByteString(file));
  if (digest !== undefined) {
    const actual = database === undefined ? 'missing' : digestOfFile(file);
    if (actual !== digest) {
      database?.close();
      throw new UserError(`cannot use the database of advisories: it is ${actual}, and ${digest} was asked for`, 'get that one with "caisson db update", or leave --db-digest out');
    }
  }
  return database;
}
