import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EAGAIN, ENXIO, EPIPE, EPERM } from '../../abi/errno.ts';
import { O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from '../../abi/fcntl.ts';
import { POLLERR, POLLHUP, POLLIN, POLLOUT } from '../../abi/poll.ts';
import { S_IFIFO } from '../../abi/stat.ts';
import { AnonymousInode } from '../../fs/anonymous-inode.ts';
import { pipeRows } from '../syscalls/pipe.ts';
import { FifoTable } from './pipe.ts';
import { specialFilesOf } from './special-files.ts';
import { FakeKernel, fakeTask } from './testing.ts';

function newPipe(flags = 0) {
  return specialFilesOf(new FakeKernel().asKernel()).createPipe(flags);
}
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('a pipe keeps the order of bytes and tells its ends apart', () => {
  const [reader, writer] = newPipe();
  assert.equal(reader.read(new Uint8Array(4)), -EAGAIN);
  assert.equal(writer.write(bytes('hello')), 5);
  assert.equal(reader.poll() & POLLIN, POLLIN);
  const buffer = new Uint8Array(3);
  assert.equal(reader.read(buffer), 3);
  assert.equal(new TextDecoder().decode(buffer), 'hel');
  writer.release();
  assert.equal(reader.read(buffer), 2);
  assert.equal(reader.read(buffer), 0);
  assert.equal(reader.poll(), POLLHUP);
});

test('writes up to PIPE_BUF are whole or nothing, larger ones are partial', () => {
  const [reader, writer] = newPipe();
  assert.equal(writer.write(new Uint8Array(65_537)), 65_536);
  assert.equal(writer.poll() & POLLOUT, 0);
  assert.equal(writer.write(bytes('x')), -EAGAIN);
  assert.equal(reader.read(new Uint8Array(4095)), 4095);
  assert.equal(writer.write(new Uint8Array(4096)), -EAGAIN);
  assert.equal(reader.read(new Uint8Array(1)), 1);
  assert.equal(writer.write(new Uint8Array(4096)), 4096);
});

test('a pipe without readers answers EPIPE and POLLERR', () => {
  const [reader, writer] = newPipe();
  reader.release();
  assert.equal(writer.write(bytes('x')), -EPIPE);
  assert.equal(writer.poll() & POLLERR, POLLERR);
});

test('O_DIRECT keeps packets apart and drops what does not fit', () => {
  const [reader, writer] = newPipe(O_DIRECT);
  writer.write(bytes('one'));
  writer.write(bytes('second'));
  const buffer = new Uint8Array(4);
  assert.equal(reader.read(buffer), 3);
  assert.equal(reader.read(buffer), 4);
  assert.equal(reader.read(buffer), -EAGAIN);
});

test('F_SETPIPE_SZ rounds up to pages and stays below the limit', () => {
  const [reader] = newPipe();
  assert.equal(reader.pipeSize(), 65_536);
  assert.equal(reader.pipeSize(5000), 8192);
  assert.equal(reader.pipeSize(0x20_0000), -EPERM);
});

test('a FIFO opens once both ends are there', () => {
  const table = new FifoTable();
  const fileSystem = specialFilesOf(new FakeKernel().asKernel()).pipeInode().fileSystem;
  const inode = new AnonymousInode(fileSystem, 77, S_IFIFO | 0o644);
  assert.equal(table.open(inode, O_WRONLY | O_NONBLOCK, '/fifo'), -ENXIO);
  const reader = table.open(inode, O_RDONLY, '/fifo');
  assert.ok(typeof reader !== 'number');
  assert.equal(reader.opened(), false);
  const writer = table.open(inode, O_WRONLY, '/fifo');
  assert.ok(typeof writer !== 'number');
  assert.equal(writer.opened(), true);
  assert.equal(reader.opened(), true);
  const both = table.open(inode, O_RDWR, '/fifo');
  assert.ok(typeof both !== 'number' && both.opened());
});

test('splice and tee move and copy between pipes', () => {
  const task = fakeTask();
  assert.equal(task.call(pipeRows, 'pipe', 0x2000), 0);
  assert.equal(task.call(pipeRows, 'pipe', 0x2008), 0);
  task.files.get(1)!.write(bytes('abcdef'));
  assert.equal(task.call(pipeRows, 'tee', 0, 3, 4, 0), 4);
  assert.equal(task.call(pipeRows, 'splice', 0, 0, 3, 0, 100, 0), 6);
  const buffer = new Uint8Array(32);
  assert.equal(task.files.get(2)!.read(buffer), 10);
  assert.equal(new TextDecoder().decode(buffer.subarray(0, 10)), 'abcdabcdef');
  assert.equal(task.call(pipeRows, 'splice', 0, 0, 3, 0, 100, 0), 'blocked');
  task.files.get(1)!.write(bytes('z'));
  assert.equal(task.resume(), 1);
});
