/**
 * Records what the Dockerfiles of the corpus must give: by buildah, where it has what they use; the others are printed, to be
 * read against the Dockerfile reference.
 *
 *   node --import tsx test/build/record.ts
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandIn } from '../images/fixtures.ts';
import { CORPUS } from './corpus.ts';
import { Buildah, baseLayout, configOf, makeContext, openStore, treeOf, writeRecorded } from './harness.ts';
import type { Recorded } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-record-'));
chmodSync(scratch, 0o755); // what buildah runs has no right to pass by
const home = join(scratch, 'store');
const { mustRun } = commandIn({ CAISSON_HOME: home });
const buildah = Buildah.open(join(scratch, 'buildah'));
if (buildah === undefined) throw new Error('buildah is not here, or this is not root');

await mustRun(['load', '-i', baseLayout()]);
const base = new Set(treeOf(openStore(home), openStore(home).find('busybox:1')));
const recorded: Record<string, Recorded> = {};
for (const entry of CORPUS) {
  const context = makeContext(scratch, entry);
  const store = openStore(home);
  const isPeer = entry.buildah !== false;
  try {
    const name = `${isPeer ? 'peer/' : ''}${entry.name}:1`;
    if (isPeer) await mustRun(['load', '-i', buildah.build(context, entry.args ?? [], entry.name)]);
    else await mustRun(['build', '-t', name, ...(entry.args ?? []), context], { cwd: context });
    const image = store.find(name);
    recorded[entry.name] = { by: isPeer ? 'buildah 1.28.2' : 'the Dockerfile reference', tree: treeOf(store, image, base), config: configOf(image) };
    if (!isPeer) console.log(entry.name, recorded[entry.name]);
  } catch (error) {
    console.log(`FAILED ${entry.name}: ${(error as Error).message.slice(0, 600)}`);
  }
}
writeRecorded(recorded);
rmSync(scratch, { recursive: true });
