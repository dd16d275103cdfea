import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { EEXIST, EINVAL, ELOOP, ENOENT, ENOTDIR, ENOTEMPTY } from '../../abi/errno.ts';
import { nodeFiles } from './files.ts';

let directory = '';
before(() => {
  directory = fs.mkdtempSync(join(tmpdir(), 'caisson-files-'));
});
after(() => fs.rmSync(directory, { recursive: true, force: true }));

function openFile(path: string, flags: number): number {
  const handle = nodeFiles.open(path, flags, 0o644);
  assert.ok(handle >= 0, `open answers ${handle}`);
  return handle;
}

test('open(), write(), read(), truncate() and fstat() agree', () => {
  const { O_RDWR, O_CREAT } = fs.constants;
  const handle = openFile(`${directory}/plain`, O_RDWR | O_CREAT);
  assert.equal(nodeFiles.write(handle, new Uint8Array([1, 2, 3, 4]), 2), 4);
  const buffer = new Uint8Array(16);
  assert.equal(nodeFiles.read(handle, buffer, 1), 5);
  assert.deepEqual([...buffer.subarray(0, 5)], [0, 1, 2, 3, 4]);
  assert.equal(nodeFiles.truncate(handle, 3), 0);
  const stat = nodeFiles.fstat(handle);
  assert.ok(typeof stat !== 'number');
  assert.equal(stat.size, 3);
  nodeFiles.close(handle);
});

test('names that are not UTF-8 survive', () => {
  const name = 'n\xff\xe9';
  assert.equal(nodeFiles.mkdir(`${directory}/bytes`, 0o755), 0);
  nodeFiles.close(openFile(`${directory}/bytes/${name}`, fs.constants.O_CREAT | fs.constants.O_WRONLY));
  const entries = nodeFiles.readDirectory(`${directory}/bytes`);
  assert.ok(typeof entries !== 'number');
  assert.deepEqual(entries, [{ name, type: fs.constants.S_IFREG }]);
  assert.ok(typeof nodeFiles.lstat(`${directory}/bytes/${name}`) !== 'number');
  assert.equal(nodeFiles.symlink(name, `${directory}/bytes/link`), 0);
  assert.equal(nodeFiles.readLink(`${directory}/bytes/link`), name);
});

test('failures are negative errno values', () => {
  assert.equal(nodeFiles.lstat(`${directory}/none`), -ENOENT);
  fs.writeFileSync(`${directory}/file`, 'x');
  assert.equal(nodeFiles.lstat(`${directory}/file/below`), -ENOTDIR);
  assert.equal(nodeFiles.readLink(`${directory}/file`), -EINVAL);
  assert.equal(nodeFiles.mkdir(`${directory}/file`, 0o755), -EEXIST);
  assert.equal(nodeFiles.rmdir(directory), -ENOTEMPTY);
});

test('open() does not follow a link and does not wait for a FIFO', () => {
  fs.symlinkSync('/etc/passwd', `${directory}/alias`);
  assert.equal(nodeFiles.open(`${directory}/alias`, fs.constants.O_RDONLY, 0), -ELOOP);
  execFileSync('mkfifo', [`${directory}/fifo`]);
  nodeFiles.close(openFile(`${directory}/fifo`, fs.constants.O_RDONLY));
});

test('utimes() keeps at least microseconds', () => {
  fs.writeFileSync(`${directory}/times`, '');
  assert.equal(nodeFiles.utimes(`${directory}/times`, 1_600_000_000_123_456_000n, 1_700_000_000_000_000_000n), 0);
  const stat = nodeFiles.lstat(`${directory}/times`);
  assert.ok(typeof stat !== 'number');
  assert.equal(stat.atimeNs / 10_000n, 160_000_000_012_345n);
  assert.equal(stat.mtimeNs, 1_700_000_000_000_000_000n);
});
