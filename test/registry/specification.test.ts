/** Each requirement of the distribution specification, of our registry on a directory and on a bucket and, to see that the tests are fair, of docker-registry. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serveBucket, startS3rver } from './buckets.ts';
import { TestClient } from './client.ts';
import { REQUIREMENTS } from './requirements.ts';
import { Scratch } from './servers.ts';
import { specificationPage } from './specification-page.ts';

const scratch = new Scratch('registry-specification');
let ours: TestClient;
let onBucket: TestClient;
let theirs: TestClient;

before(async () => {
  ours = new TestClient((await scratch.serve()).url);
  onBucket = new TestClient((await serveBucket(scratch, await startS3rver(scratch))).url);
  theirs = new TestClient((await scratch.serveDocker()).url);
});

after(() => scratch.clean());

for (const { id, section, level, text, docker, show } of REQUIREMENTS) {
  test(`${id}: ${section}: ${level}: ${text}`, () => show(ours, `spec/${id}`));
  test(`${id} on a bucket`, () => show(onBucket, `spec/${id}`));
  test(`${id} of docker-registry${docker === undefined ? '' : `: it ${docker}`}`, async () => {
    if (docker === undefined) await show(theirs, `spec/${id}`);
    else await assert.rejects(show(theirs, `spec/${id}`));
  });
}

test('docs/distribution-spec.md lists these requirements, as they are', () => {
  assert.equal(readFileSync(fileURLToPath(new URL('../../docs/distribution-spec.md', import.meta.url)), 'utf8'), specificationPage());
});
