/** `scan --graph`: the images of the store, or of a registry, by inheritance. */
import { writeFileSync } from 'node:fs';
import { ImageError, ImageFormatError } from '../../image/index.ts';
import type { ImageStore, StoredImage } from '../../image/index.ts';
import { familyAsDot, familyAsSvg, familyOf, relativesOf, scan } from '../../scan/index.ts';
import type { AdvisoryDatabase, FamilyMember, Subject } from '../../scan/index.ts';
import { UserError, printable } from '../errors.ts';
import { openAdvisories } from './scan-database.ts';
import { imagesOfRegistry, isOfRegistry } from './scan-graph-registry.ts';
import { ScanProgress } from './scan-progress.ts';
import { scanOptions } from './scan-options.ts';
import type { ScanRequest } from './scan-options.ts';
import { nameOfImage, openSubject, subjectOfImage } from './scan-subject.ts';

interface GraphContext {
  readonly request: ScanRequest;
  readonly store: ImageStore;
  readonly database: AdvisoryDatabase | undefined;
  readonly progress: ScanProgress;
}

async function memberOf(subject: Subject, { request, database, progress }: GraphContext): Promise<FamilyMember> {
  const { merged, vulnerabilities } = await scan(subject, scanOptions({ ...request, analysers: [], scanners: ['vuln'] }, subject, undefined, database, progress));
  return { name: subject.target, diffIds: subject.layers.map(({ diffId }) => diffId), packages: merged.packages, vulnerabilities };
}

async function membersOfStore(own: string | undefined, context: GraphContext): Promise<readonly FamilyMember[]> {
  const members: FamilyMember[] = [];
  for (const image of imagesOf(context.store, own)) members.push(await memberOf(subjectOfImage(context.store, image, nameOfImage(image)), context));
  return members;
}

/** What a tag of a registry leads to may be no image: a chart, a signature, a database. It is told, and left out. */
async function membersOfRegistry(names: readonly string[], context: GraphContext): Promise<readonly FamilyMember[]> {
  const { request: { values }, store } = context;
  const members: FamilyMember[] = [];
  const note = (text: string): void => void process.stderr.write(`caisson: ${printable(text)}\n`);
  for (const name of names) {
    try {
      const opened = await openSubject(`docker://${name}`, { values, store, note });
      try {
        members.push(await memberOf({ ...opened.subject, target: name }, context));
      } finally {
        opened.close();
      }
    } catch (error) {
      // Of this class itself: no image for the platform. What a registry refuses has a class of its own.
      if (!(error instanceof ImageFormatError) && (!(error instanceof ImageError) || error.constructor !== ImageError)) throw error;
      note(`${name} is left out: ${error.message}`);
    }
  }
  return members;
}

/** `word`: an image of the store, or a registry, a repository or an image there. @throws UserError */
export async function drawGraph(file: string, word: string | undefined, request: ScanRequest, store: ImageStore): Promise<number> {
  const { values } = request;
  const progress = new ScanProgress(values.has('quiet'));
  const database = openAdvisories(values);
  if (database === undefined) process.stderr.write('caisson: no advisories are here, so the picture has packages only: "caisson db import" takes some\n');
  const context: GraphContext = { request, store, database, progress };
  try {
    const there = word !== undefined && isOfRegistry(word) ? await imagesOfRegistry(word, values) : undefined;
    const own = there === undefined ? (word === undefined ? undefined : nameOfImage(store.find(word))) : there.own;
    const all = familyOf(there === undefined ? await membersOfStore(own, context) : await membersOfRegistry(there.names, context));
    const nodes = own === undefined ? all : relativesOf(all, own);
    const text = file === '-' || /\.(?:dot|gv)$/.test(file) ? familyAsDot(nodes) : familyAsSvg(nodes);
    if (file === '-') process.stdout.write(text);
    else writeFileSync(file, text);
    return 0;
  } catch (error) {
    if (typeof (error as NodeJS.ErrnoException).syscall === 'string') throw new UserError(`cannot write --graph ${file}: ${(error as Error).message}`, 'check the path', undefined, { cause: error });
    throw error;
  } finally {
    progress.end();
    database?.close();
  }
}

/** The image that is asked for comes last, so that its name counts where several have the same layers. */
function imagesOf(store: ImageStore, own: string | undefined): readonly StoredImage[] {
  const images = store.list();
  return own === undefined ? images : [...images].sort((left, right) => (nameOfImage(left) === own ? 1 : 0) - (nameOfImage(right) === own ? 1 : 0));
}
