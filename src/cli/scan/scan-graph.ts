/** `scan --graph`: the images of the store by inheritance. */
import { writeFileSync } from 'node:fs';
import type { ImageStore, StoredImage } from '../../image/index.ts';
import { familyAsDot, familyAsSvg, familyOf, relativesOf, scan } from '../../scan/index.ts';
import type { FamilyMember } from '../../scan/index.ts';
import { UserError } from '../errors.ts';
import { openAdvisories } from './scan-database.ts';
import { ScanProgress } from './scan-progress.ts';
import { scanOptions } from './scan-options.ts';
import type { ScanRequest } from './scan-options.ts';
import { nameOfImage, subjectOfImage } from './scan-subject.ts';

/** @throws UserError */
export async function drawGraph(file: string, word: string | undefined, request: ScanRequest, store: ImageStore): Promise<number> {
  const { values } = request;
  const progress = new ScanProgress(values.has('quiet'));
  const database = openAdvisories(values);
  if (database === undefined) process.stderr.write('caisson: no advisories are here, so the picture has packages only: "caisson db import" takes some\n');
  const packagesOnly: ScanRequest = { ...request, analysers: [], scanners: ['vuln'] };
  const own = word === undefined ? undefined : nameOfImage(store.find(word));
  try {
    const members: FamilyMember[] = [];
    for (const image of imagesOf(store, own)) {
      const subject = subjectOfImage(store, image, nameOfImage(image));
      const { merged, vulnerabilities } = await scan(subject, scanOptions(packagesOnly, subject, undefined, database, progress));
      members.push({ name: subject.target, diffIds: image.config.diffIds, packages: merged.packages, vulnerabilities });
    }
    const all = familyOf(members);
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

/** The image that is asked for comes first, so that its name counts where several have the same layers. */
function imagesOf(store: ImageStore, own: string | undefined): readonly StoredImage[] {
  const images = store.list();
  return own === undefined ? images : [...images].sort((left, right) => (nameOfImage(left) === own ? 1 : 0) - (nameOfImage(right) === own ? 1 : 0));
}
