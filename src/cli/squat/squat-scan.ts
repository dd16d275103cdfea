/** `squat --scan`: the references in the files of a project. */
import { closeSync, lstatSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { BuildError, imageUses, parseDockerfile } from '../../build/index.ts';
import type { Finding } from '../../findings/index.ts';
import { InvalidReferenceError } from '../../image/index.ts';
import { MOST_SOURCE_BYTES, isPassedOver, readSource, sourceKind } from '../../squat/index.ts';
import type { FoundReference, SourceKind } from '../../squat/index.ts';
import { UserError } from '../errors.ts';
import { findingOf, suspicionOf } from './squat-judge.ts';
import { note, squatReport } from './squat-run.ts';
import type { SquatRun } from './squat-run.ts';

const SLASH = Buffer.from('/');
/** Of a tree: more is no project, or one that is best looked at in parts. */
const MOST_FILES = 200_000;
const MOST_DEPTH = 100;
const START_BYTES = 256;
/** Of a line, for the report. */
const SHOWN_CHARACTERS = 300;

interface SourceFile {
  /** Bytes: names need not be UTF-8. */
  readonly path: Buffer;
  /** As text, relative to what is looked through. */
  readonly shown: string;
  readonly kind: SourceKind;
}

function startOf(path: Buffer): string {
  const handle = openSync(path, 'r');
  try {
    const start = Buffer.alloc(START_BYTES);
    return start.toString('latin1', 0, readSync(handle, start, 0, START_BYTES, 0));
  } finally {
    closeSync(handle);
  }
}

/** Links are not followed: what they lead to is looked at where it is. */
class Tree {
  readonly files: SourceFile[] = [];
  unread = 0;
  #seen = 0;

  add(path: Buffer, name: string, shown: string): void {
    try {
      const kind = sourceKind(name, () => startOf(path));
      if (kind !== undefined) this.files.push({ path, shown, kind });
    } catch {
      this.unread++;
    }
  }

  walk(directory: Buffer, shown: string, depth: number): void {
    if (depth > MOST_DEPTH) return;
    let entries;
    try {
      entries = readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
    } catch {
      this.unread++;
      return;
    }
    entries.sort((left, right) => Buffer.compare(left.name, right.name));
    for (const entry of entries) {
      if (++this.#seen > MOST_FILES) throw new UserError(`cannot scan "${directory.toString()}": there are more than ${MOST_FILES} files`, 'scan a part of it');
      const name = entry.name.toString('utf8');
      const path = Buffer.concat([directory, SLASH, entry.name]);
      const below = shown === '' ? name : `${shown}/${name}`;
      if (entry.isDirectory() && !isPassedOver(name)) this.walk(path, below, depth + 1);
      else if (entry.isFile()) this.add(path, name, below);
    }
  }
}

function filesIn(target: string): Tree {
  const tree = new Tree();
  const path = Buffer.from(target);
  let isDirectory: boolean;
  try {
    isDirectory = lstatSync(target).isDirectory();
  } catch (error) {
    throw new UserError(`cannot scan "${target}": ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file or directory' : (error as Error).message}`, 'check the path', undefined, { cause: error });
  }
  if (isDirectory) tree.walk(path, '', 0);
  else tree.add(path, target.slice(target.lastIndexOf('/') + 1), target);
  if (!isDirectory && tree.files.length === 0) throw new UserError(`cannot scan "${target}": it is no file that names images`, 'Dockerfiles, YAML, JSON, scripts, Makefiles and Jenkinsfiles are read');
  return tree;
}

function referencesIn({ kind, shown }: SourceFile, bytes: Buffer): readonly FoundReference[] {
  if (kind !== 'dockerfile') return readSource(kind, bytes.toString('utf8'), shown);
  return imageUses(parseDockerfile(bytes.toString('latin1'), shown)).map(({ text, lines, how }) => ({ text, line: lines.start, how }));
}

/** Of one file; undefined: it cannot be read. */
function readFile(file: SourceFile): { readonly references: readonly FoundReference[]; readonly lines: readonly string[] } | undefined {
  try {
    const bytes = readFileSync(file.path);
    if (bytes.length > MOST_SOURCE_BYTES) return undefined;
    return { references: referencesIn(file, bytes), lines: bytes.toString('utf8').split('\n') };
  } catch (error) {
    if (error instanceof BuildError || (error instanceof Error && 'code' in error)) return undefined;
    throw error;
  }
}

export function scanCommand(target: string, { options, names, allow, kinds }: SquatRun): number {
  const tree = filesIn(target);
  const findings: Finding[] = [];
  const found: object[] = [];
  const unreadable: string[] = [];
  for (const file of tree.files) {
    const source = readFile(file);
    if (source === undefined) {
      unreadable.push(file.shown);
      continue;
    }
    for (const { text, line, how } of source.references) {
      try {
        const suspicion = suspicionOf(text, names, allow);
        found.push({ reference: text, file: file.shown, line, how });
        if (suspicion !== undefined && kinds?.has(suspicion.suspicion.kind) !== false) findings.push(findingOf(suspicion, { file: file.shown, line, source: (source.lines[line - 1] ?? '').replace(/\r$/, '').slice(0, SHOWN_CHARACTERS) }));
      } catch (error) {
        // A word that only looks like a reference: of a template, or of another language.
        if (!(error instanceof InvalidReferenceError)) throw error;
      }
    }
  }
  if (unreadable.length + tree.unread > 0) note(`${unreadable.length + tree.unread} files or directories could not be read${unreadable[0] === undefined ? '' : `, the first is ${unreadable[0]}`}`);
  const nothing = `${found.length} ${found.length === 1 ? 'reference' : 'references'} in ${tree.files.length} ${tree.files.length === 1 ? 'file' : 'files'}, and nothing is known against them`;
  return options.finish(squatReport(target, findings, { nothing, data: { references: found, unread: unreadable } }));
}
