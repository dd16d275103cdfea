/** What is on the disk when a push is answered, and in which order it came there. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { durableNames } from '../../test/images/durable-names.ts';
import { createImageHost } from '../host/node/image-host.ts';
import type { HostAsyncFiles } from '../host/types.ts';
import type { Digest } from '../image/index.ts';
import { DirectorySync } from './directory-sync.ts';
import { readManifest } from './documents.ts';
import { DirectoryStorage } from './directory-storage.ts';
import { DirectoryUploads } from './directory-uploads.ts';

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const sha256 = (bytes: Uint8Array): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function inDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-repository-'));
  try {
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('putManifest() names a tag when all that it leads to would outlive a power cut, and ends when the tag would', () =>
  inDirectory(async (directory) => {
    const lostAtTag: string[][] = [];
    const { files, serverFiles, unsynced } = durableNames((path, lost) => {
      if (path.includes('/_tags/')) lostAtTag.push([...lost].filter((name) => !/\/(?:_tags|tmp|_uploads|oci-layout)/.test(name.slice(directory.length))));
    });
    const storage = DirectoryStorage.open({ ...createImageHost(), files }, serverFiles, directory);
    storage.disk.syncDirectory(directory);
    const repository = storage.repository('team/app');
    const uploads = new DirectoryUploads(storage);
    const push = async (text: string): Promise<{ mediaType: string; digest: string; size: number }> => {
      const upload = uploads.begin(repository);
      await uploads.receive(upload, (async function* () { yield utf8(text); })(), () => {});
      await uploads.finish(upload, sha256(utf8(text)), () => {});
      return { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: sha256(utf8(text)), size: text.length };
    };
    for (const tag of ['1', '2']) {
      const subject = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: sha256(utf8('subject')), size: 7 };
      const bytes = utf8(JSON.stringify({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: await push(`config ${tag}`), layers: [await push(`layer ${tag}`)], subject }));
      await repository.putManifest({ digest: sha256(bytes), bytes, document: readManifest(bytes, undefined), tags: [tag], confirm: () => {} });
      assert.deepEqual([...unsynced].map((name) => name.slice(directory.length)).filter((name) => !/^\/tmp|_uploads|^\/oci-layout/.test(name)), [], tag);
    }
    assert.deepEqual(lostAtTag, [[], []]);
  }));

test('DirectorySync.sync() is shared by those who ask while one runs, and never by one that began before', async () =>
  inDirectory(async (directory) => {
    const running: (() => void)[] = [];
    const files: HostAsyncFiles = { read: async () => 0, write: async () => 0, sync: () => new Promise((resolve) => running.push(() => resolve(0))) };
    const storage = DirectoryStorage.open(createImageHost(), files, directory);
    const names = new DirectorySync(storage.disk, files);
    const ended: number[] = [];
    const asked = [0, 1, 2, 3].map((number) => names.sync([directory]).then(() => ended.push(number)));
    assert.equal(running.length, 1);
    running[0]!();
    await asked[0];
    while (running.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ended, [0]);
    running[1]!();
    await Promise.all(asked);
    assert.deepEqual([ended, running.length], [[0, 1, 2, 3], 2]);
    await names.sync([join(directory, 'nowhere')]);
  }));
