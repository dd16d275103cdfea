/** The Dockerfiles of the corpus give the tree and the configuration that buildah gives, or that the Dockerfile reference describes. */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { commandIn } from '../images/fixtures.ts';
import { CORPUS } from './corpus.ts';
import { Buildah, baseLayout, configOf, makeContext, openStore, readRecorded, treeOf } from './harness.ts';

const scratch = mkdtempSync(join(tmpdir(), 'caisson-corpus-'));
chmodSync(scratch, 0o755); // what buildah runs has no right to pass by
const home = join(scratch, 'store');
const { mustRun } = commandIn({ CAISSON_HOME: home });
const recorded = readRecorded();
let base: ReadonlySet<string>;
let buildah: Buildah | undefined;

before(async () => {
  await mustRun(['load', '-i', baseLayout()]);
  const store = openStore(home);
  base = new Set(treeOf(store, store.find('busybox:1')));
  buildah = Buildah.open(join(scratch, 'buildah'));
});

after(() => rmSync(scratch, { recursive: true, force: true }));

test('the corpus covers every instruction, and what is recorded is of it', () => {
  assert.ok(CORPUS.length >= 40);
  assert.deepEqual(Object.keys(recorded), CORPUS.map(({ name }) => name));
});

for (const entry of CORPUS) {
  test(`${entry.name} gives what ${entry.buildah === false ? 'the reference says' : 'buildah gives'}`, async () => {
    const context = makeContext(scratch, entry);
    const expected = recorded[entry.name];
    await mustRun(['build', '-t', `${entry.name}:1`, ...(entry.args ?? []), context], { cwd: context });
    const store = openStore(home);
    const image = store.find(`${entry.name}:1`);
    assert.deepEqual({ tree: treeOf(store, image, base), config: configOf(image) }, { tree: expected?.tree, config: expected?.config });
    if (entry.buildah === false || buildah === undefined) return;
    await mustRun(['load', '-i', buildah.build(context, entry.args ?? [], entry.name)]);
    const peer = store.find(`peer/${entry.name}:1`);
    assert.deepEqual({ tree: treeOf(store, peer, base), config: configOf(peer) }, { tree: expected?.tree, config: expected?.config });
  });
}
