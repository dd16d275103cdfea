/** Looks for bytes that have changed on the disk: each blob is read and must have its digest. */
import { algorithmOf, hexOf, isDigest } from '../image/index.ts';
import type { DirectoryStorage } from './directory-storage.ts';
import { streamFile } from './directory-uploads.ts';
import type { ScrubReport } from './storage.ts';

/** A spoiled blob is moved to `spoiled/`: then it is missing, which the next push of it repairs. */
export async function scrubDirectory(storage: DirectoryStorage): Promise<ScrubReport> {
  const { disk, blobs } = storage;
  const report: ScrubReport = { blobs: 0, bytes: 0, spoiled: [] };
  for (const algorithm of disk.list(disk.path('blobs'))) {
    for (const hex of disk.list(disk.path('blobs', algorithm))) {
      const digest = `${algorithm}:${hex}`;
      if (!isDigest(digest) || !blobs.has(digest)) continue;
      const hash = disk.host.codecs.createDigest(algorithmOf(digest));
      for await (const chunk of streamFile(storage, blobs.pathOf(digest))) {
        hash.update(chunk);
        report.bytes += chunk.length;
      }
      report.blobs++;
      if (hash.hex() === hexOf(digest)) continue;
      report.spoiled.push(digest);
      disk.makeDirectory(disk.path('spoiled'));
      disk.files.rename(blobs.pathOf(digest), disk.path('spoiled', digest.replace(':', '-')));
    }
  }
  return report;
}
