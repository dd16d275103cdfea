/** Finds the Compose files of a directory, the environment, and reads the project. */
import { closeSync, openSync, readSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { ComposeError, MOST_FILE_BYTES, checkedName, normalizedName, readEnvironmentFile, readProject } from '../../compose/index.ts';
import type { Note, Project, Service } from '../../compose/index.ts';
import { UserError, printable } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { dnsNote, loggingNote } from './service-flags.ts';

const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];
const STDIN = '-';
const STDIN_PATH = '/dev/stdin';
const READ_BYTES = 1 << 16;
/** As Docker Compose, where a file is wrong or not there. */
const EXIT_FAILED = 1;

export interface Found {
  readonly files: readonly string[];
  readonly directory: string;
  readonly name: string | undefined;
  lookUp(name: string): string | undefined;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === false;
}

/** It can be read once. */
let standardInput: string | undefined;

/** Whatever it is: a pipe or a device has no size that could be asked for. @throws ComposeError */
function readBounded(path: string): string {
  const handle = path === STDIN_PATH ? 0 : openSync(path, 'r');
  try {
    const chunks: Buffer[] = [];
    for (let length = 0; ;) {
      const chunk = Buffer.allocUnsafe(READ_BYTES);
      const count = readSync(handle, chunk);
      if (count === 0) return Buffer.concat(chunks).toString();
      chunks.push(chunk.subarray(0, count));
      length += count;
      if (length > MOST_FILE_BYTES) throw new ComposeError(`cannot read "${path}": it is longer than ${MOST_FILE_BYTES >> 20} MiB`, 'is it the right file?');
    }
  } finally {
    if (handle !== 0) closeSync(handle);
  }
}

/** Undefined: there is none. @throws ComposeError */
function readText(path: string): string | undefined {
  try {
    return path === STDIN_PATH ? (standardInput ??= readBounded(path)) : readBounded(path);
  } catch (error) {
    if (error instanceof ComposeError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new ComposeError(`cannot read "${path}": ${code === 'EISDIR' ? 'it is a directory' : message}`, 'check the path', { cause: error });
  }
}

/** In this directory, or one above it: the first name that is there, and what overrides it. */
function discovered(from: string): readonly string[] {
  for (let directory = from; ; directory = dirname(directory)) {
    const found = NAMES.map((name) => join(directory, name)).find(isThere);
    if (found !== undefined) {
      const override = ['yaml', 'yml'].flatMap((ending) => [`compose.override.${ending}`, `docker-compose.override.${ending}`]).map((name) => join(directory, name)).find((path) => isThere(path) && basename(path).split('.')[0] === basename(found).split('.')[0]);
      return override === undefined ? [found] : [found, override];
    }
    if (directory === dirname(directory)) return [];
  }
}

/** `-f`, COMPOSE_FILE, or what is there. */
function filesOf(values: FlagValues, lookUp: (name: string) => string | undefined): readonly string[] {
  const given = values.all('file');
  const listed = lookUp('COMPOSE_FILE') ?? '';
  const names = given.length > 0 ? given : listed === '' ? [] : listed.split(lookUp('COMPOSE_PATH_SEPARATOR') ?? ':').filter((name) => name !== '');
  if (names.length === 0) return discovered(values.last('project-directory') === undefined ? process.cwd() : resolve(values.last('project-directory') ?? ''));
  return names.map((name) => (name === STDIN ? STDIN_PATH : resolve(name)));
}

function directoryOf(values: FlagValues, files: readonly string[]): string {
  const given = values.last('project-directory');
  const [first] = files;
  const directory = given !== undefined ? resolve(given) : first === undefined || first === STDIN_PATH ? process.cwd() : dirname(first);
  try {
    return realpathSync(directory);
  } catch (error) {
    throw new UserError(`cannot use the directory "${directory}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such directory' : (error as Error).message}`, 'check --project-directory and -f', EXIT_FAILED, { cause: error });
  }
}

/** Variables of the environment, and below them those of `.env` or `--env-file`. */
function environment(values: FlagValues): (name: string) => string | undefined {
  const own = (name: string): string | undefined => process.env[name];
  const files = values.has('env-file') ? values.all('env-file') : (own('COMPOSE_ENV_FILES') ?? '').split(',').filter((name) => name !== '');
  const variables = new Map<string, string>();
  const lookUp = (name: string): string | undefined => own(name) ?? variables.get(name);
  const start = directoryOf(values, filesOf(values, own));
  for (const file of files.length > 0 ? files.map((name) => resolve(name)) : [join(start, '.env')]) {
    const text = readText(file);
    if (text === undefined && files.length > 0) throw new UserError(`cannot read "${file}": no such file`, 'check --env-file', EXIT_FAILED);
    for (const [name, value] of readEnvironmentFile({ path: file, text: text ?? '', lookUp })) variables.set(name, value);
  }
  return lookUp;
}

/** @throws UserError */
function translated<Result>(body: () => Result): Result {
  try {
    return body();
  } catch (error) {
    throw error instanceof ComposeError ? new UserError(error.message, error.advice, EXIT_FAILED, { cause: error }) : error;
  }
}

/** `name` is what was said beside the files. @throws UserError */
export function findProject(values: FlagValues): Found {
  return translated(() => {
    const lookUp = environment(values);
    const files = filesOf(values, lookUp);
    const name = values.last('project-name') ?? (lookUp('COMPOSE_PROJECT_NAME') || undefined);
    return { files, directory: directoryOf(values, files), name: name === undefined ? undefined : checkedName(name), lookUp };
  });
}

export function warn(text: string): void {
  process.stderr.write(`caisson: warning: ${printable(text)}\n`);
}

/** The project of the files. `targets`: services that were named; `isForLooking`: nothing is made. @throws UserError */
export function loadProject(values: FlagValues, targets: readonly string[] = [], isForLooking = false): Project {
  const { files, directory, name, lookUp } = findProject(values);
  if (files.length === 0) throw new UserError('no configuration file provided: not found', `there is no ${NAMES.join(' or ')} here or above; name one with -f`, EXIT_FAILED);
  const profiles = values.has('profile') ? values.all('profile') : (lookUp('COMPOSE_PROFILES') ?? '').split(',').filter((profile) => profile !== '');
  return translated(() => readProject({ files, directory, name, profiles: profiles.flatMap((profile) => profile.split(',')), targets, isForLooking, lookUp, home: process.env['HOME'] ?? homedir(), read: readText, warn }));
}

/** The name alone: of a project whose files need not be there. @throws UserError */
export function projectName(values: FlagValues): string {
  const { files, directory, name } = findProject(values);
  if (name !== undefined) return name;
  if (files.length > 0) return loadProject(values, [], true).name;
  const own = normalizedName(basename(directory));
  throw new UserError('no configuration file provided: not found', `name the project with -p${own === '' ? '' : `, such as -p ${own}`}, or a file with -f`, EXIT_FAILED);
}

/** What of the files is not done: a line each. */
export function notesOf(project: Project, services: readonly Service[]): readonly Note[] {
  const others = services.flatMap((service) => [loggingNote(service) ?? [], dnsNote(service) ?? []].flat());
  return [...project.notes, ...services.flatMap((service) => service.notes), ...others.map((text) => ({ text, isRefused: false }))];
}

/** Before containers of these services are made: says what is left out, and refuses what would mean something else. @throws UserError */
export function checkSupported(project: Project, services: readonly Service[]): void {
  const notes = notesOf(project, services);
  const refused = notes.find(({ isRefused }) => isRefused);
  if (refused !== undefined) throw new UserError(refused.text, 'take it out, or override it with !reset in a second file', EXIT_FAILED);
  for (const { text } of notes) warn(text);
}
