import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { afterEach, beforeEach } from 'node:test';
import { PartFile } from './part-file.ts';

let directory = '';
let path = '';
const PARTS = [Buffer.from('first'), Buffer.alloc(0), Buffer.from('the third part')];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'parts-'));
  path = join(directory, 'cache', 'units-1.parts');
});
afterEach(() => rmSync(directory, { recursive: true }));

function contents(): (string | undefined)[] {
  const file = new PartFile(path);
  return Array.from({ length: file.count }, (_, part) => {
    const bytes = file.read(part);
    return bytes && Buffer.from(bytes).toString();
  });
}

test('parts come back as they were written, from a file that only its user can read', () => {
  new PartFile(path).replace(PARTS);
  assert.deepEqual(contents(), ['first', '', 'the third part']);
  assert.deepEqual(readdirSync(join(directory, 'cache')), ['units-1.parts']);
  assert.throws(() => readFileSync(join(path, 'x')));
});

test('what is not there has no parts, and what cannot be written leaves nothing behind', () => {
  assert.deepEqual(contents(), []);
  writeFileSync(join(directory, 'cache'), 'a file where the directory should be');
  new PartFile(path).replace(PARTS);
  assert.deepEqual(readdirSync(directory), ['cache']);
});

test('a spoiled part is left aside, others are not', () => {
  new PartFile(path).replace(PARTS);
  const bytes = readFileSync(path);
  bytes[bytes.length - 3]! ^= 1;
  writeFileSync(path, bytes);
  assert.deepEqual(contents(), ['first', '', undefined]);
});

test('a file that was cut anywhere gives what is whole and never an exception', () => {
  new PartFile(path).replace(PARTS);
  for (let size = readFileSync(path).length - 1; size >= 0; size--) {
    truncateSync(path, size);
    for (const part of contents()) assert.ok(part === undefined || ['first', '', 'the third part'].includes(part));
  }
});

test('a file that others can write, and a link, are not ours', () => {
  new PartFile(path).replace(PARTS);
  chmodSync(path, 0o620);
  assert.deepEqual(contents(), []);
  chmodSync(path, 0o600);
  renameSync(path, `${path}.real`);
  symlinkSync(`${path}.real`, path);
  assert.deepEqual(contents(), []);
});

test('a file knows when another one has its name', () => {
  assert.equal(new PartFile(path).isCurrent, false);
  new PartFile(path).replace(PARTS);
  const file = new PartFile(path);
  assert.equal(file.isCurrent, true);
  new PartFile(path).replace(PARTS);
  assert.equal(file.isCurrent, false);
  assert.equal(new PartFile(path).isCurrent, true);
  rmSync(path);
  assert.equal(file.isCurrent, false);
});
