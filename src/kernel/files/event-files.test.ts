import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EAGAIN, EBADF, EEXIST, EINVAL, ELOOP, ENOENT } from '../../abi/errno.ts';
import { EPOLLET, EPOLLIN, EPOLLONESHOT, EPOLLOUT } from '../../abi/epoll.ts';
import { IN_CREATE, IN_IGNORED, IN_MODIFY, IN_ONESHOT } from '../../abi/inotify.ts';
import { AnonymousInode } from '../../fs/anonymous-inode.ts';
import { epollRows } from '../syscalls/epoll.ts';
import { eventRows } from '../syscalls/event.ts';
import { pipeRows } from '../syscalls/pipe.ts';
import { pollRows } from '../syscalls/poll.ts';
import { InotifyFile } from './inotify.ts';
import { specialFilesOf } from './special-files.ts';
import { fakeTask, type FakeTask } from './testing.ts';

const EVENTS = 0x3000;
const EVENT = 0x2000;
const [ADD, DEL, MOD] = [1, 2, 3];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function control(task: FakeTask, epoll: number, operation: number, fd: number, events: number, data = fd): number | 'blocked' {
  task.memory.writeU32(EVENT, events);
  task.memory.writeU32(EVENT + 4, data);
  task.memory.writeU32(EVENT + 8, 0);
  return task.call(epollRows, 'epoll_ctl', epoll, operation, fd, EVENT);
}
function wait(task: FakeTask, epoll: number, timeout = 0): number | 'blocked' {
  return task.call(epollRows, 'epoll_wait', epoll, EVENTS, 8, timeout);
}
/** Descriptors: 0 and 1 a pipe, 2 an epoll file. */
function setUp(): FakeTask {
  const task = fakeTask();
  task.call(pipeRows, 'pipe', 0x2000);
  assert.equal(task.call(epollRows, 'epoll_create1', 0), 2);
  return task;
}

test('epoll reports levels for as long as they last', () => {
  const task = setUp();
  assert.equal(control(task, 2, ADD, 0, EPOLLIN), 0);
  assert.equal(wait(task, 2), 0);
  task.files.get(1)!.write(bytes('ab'));
  assert.equal(wait(task, 2), 1);
  assert.equal(task.memory.readU32(EVENTS), EPOLLIN);
  assert.equal(task.memory.readU32(EVENTS + 4), 0);
  assert.equal(wait(task, 2), 1);
  task.files.get(0)!.read(new Uint8Array(8));
  assert.equal(wait(task, 2), 0);
});

test('epoll reports edges once, and again when more comes', () => {
  const task = setUp();
  control(task, 2, ADD, 0, EPOLLIN | EPOLLET);
  task.files.get(1)!.write(bytes('a'));
  assert.equal(wait(task, 2), 1);
  assert.equal(wait(task, 2), 0);
  task.files.get(0)!.read(new Uint8Array(0));
  assert.equal(wait(task, 2), 0);
  task.files.get(1)!.write(bytes('b'));
  assert.equal(wait(task, 2), 1);
});

test('EPOLLONESHOT sleeps until it is modified', () => {
  const task = setUp();
  control(task, 2, ADD, 0, EPOLLIN | EPOLLONESHOT);
  task.files.get(1)!.write(bytes('a'));
  assert.equal(wait(task, 2), 1);
  assert.equal(wait(task, 2), 0);
  assert.equal(control(task, 2, MOD, 0, EPOLLIN | EPOLLONESHOT), 0);
  assert.equal(wait(task, 2), 1);
});

test('epoll_wait blocks until something happens or its time is over', () => {
  const task = setUp();
  control(task, 2, ADD, 0, EPOLLIN);
  assert.equal(wait(task, 2, 1000), 'blocked');
  assert.equal(task.resume(), 'blocked');
  task.files.get(1)!.write(bytes('a'));
  assert.equal(task.resume(), 1);
  task.files.get(0)!.read(new Uint8Array(8));
  assert.equal(wait(task, 2, 1000), 'blocked');
  task.kernel.advance(1.1e9);
  assert.equal(task.resume(), 0);
});

test('epoll_ctl answers what Linux answers', () => {
  const task = setUp();
  assert.equal(control(task, 2, ADD, 2, EPOLLIN), -EINVAL);
  assert.equal(control(task, 2, ADD, 9, EPOLLIN), -EBADF);
  assert.equal(control(task, 2, DEL, 0, 0), -ENOENT);
  assert.equal(control(task, 2, ADD, 1, EPOLLOUT), 0);
  assert.equal(control(task, 2, ADD, 1, EPOLLOUT), -EEXIST);
  assert.equal(control(task, 0, ADD, 1, EPOLLOUT), -EINVAL);
  assert.equal(task.call(epollRows, 'epoll_create1', 0), 3);
  assert.equal(control(task, 2, ADD, 3, EPOLLIN), 0);
  assert.equal(control(task, 3, ADD, 2, EPOLLIN), -ELOOP);
});

test('a closed file leaves the set by itself, and a nested set is ready when its members are', () => {
  const task = setUp();
  control(task, 2, ADD, 0, EPOLLIN);
  task.call(epollRows, 'epoll_create1', 0);
  control(task, 3, ADD, 2, EPOLLIN);
  task.files.get(1)!.write(bytes('a'));
  assert.equal(wait(task, 3), 1);
  task.files.close(0);
  assert.equal(wait(task, 3), 0);
  assert.equal(wait(task, 2), 0);
});

test('eventfd counts, and as a semaphore gives one at a time', () => {
  const task = fakeTask();
  assert.equal(task.call(eventRows, 'eventfd2', 3, 0), 0);
  assert.equal(task.call(eventRows, 'eventfd2', 2, 1), 1);
  const buffer = new Uint8Array(8);
  assert.equal(task.files.get(0)!.read(buffer), 8);
  assert.equal(buffer[0], 3);
  assert.equal(task.files.get(0)!.read(buffer), -EAGAIN);
  task.files.get(1)!.read(buffer);
  assert.equal(buffer[0], 1);
  assert.equal(task.files.get(1)!.poll() & 5, 5);
  assert.equal(task.files.get(0)!.write(new Uint8Array(8).fill(255)), -EINVAL);
});

test('timerfd counts expirations', () => {
  const task = fakeTask();
  assert.equal(task.call(eventRows, 'timerfd_create', 1, 0), 0);
  // it_interval 10 ms, it_value 20 ms
  [0, 10e6, 0, 20e6].forEach((value, index) => task.memory.writeI64(0x2000 + 8 * index, value));
  assert.equal(task.call(eventRows, 'timerfd_settime', 0, 0, 0x2000, 0), 0);
  const file = task.files.get(0)!;
  const buffer = new Uint8Array(8);
  assert.equal(file.read(buffer), -EAGAIN);
  task.kernel.advance(45e6);
  assert.equal(file.poll(), 1);
  assert.equal(file.read(buffer), 8);
  assert.equal(buffer[0], 3);
  assert.equal(file.read(buffer), -EAGAIN);
  task.kernel.advance(6e6);
  assert.equal(file.read(buffer), 8);
  assert.equal(buffer[0], 1);
});

test('poll and select see the same, with time limits', () => {
  const task = setUp();
  task.memory.writeU32(0x4000, 0);
  task.memory.writeU16(0x4004, 1);
  assert.equal(task.call(pollRows, 'poll', 0x4000, 1, 0), 0);
  assert.equal(task.call(pollRows, 'poll', 0x4000, 1, 50), 'blocked');
  task.files.get(1)!.write(bytes('a'));
  assert.equal(task.resume(), 1);
  assert.equal(task.memory.readU16(0x4006), 1);
  task.memory.writeI64(0x5000, 0b11);
  task.memory.writeI64(0x5008, 0b10);
  assert.equal(task.call(pollRows, 'select', 2, 0x5000, 0x5008, 0, 0), 2);
  assert.equal(task.memory.readI64(0x5000), 0b01);
  task.files.get(0)!.read(new Uint8Array(8));
  task.memory.writeI64(0x5000, 0b01);
  task.memory.writeI64(0x5010, 0);
  task.memory.writeI64(0x5018, 100_000);
  assert.equal(task.call(pollRows, 'select', 1, 0x5000, 0, 0, 0x5010), 'blocked');
  task.kernel.advance(60e6);
  task.files.get(1)!.write(bytes('b'));
  assert.equal(task.resume(), 1);
  assert.equal(task.memory.readI64(0x5018), 40_000);
  task.memory.writeU32(0x4000, 55);
  assert.equal(task.call(pollRows, 'poll', 0x4000, 1, -1), 1);
  assert.equal(task.memory.readU16(0x4006), 32);
});

test('inotify queues events, joins equal ones and ends with IN_IGNORED', () => {
  const special = specialFilesOf(fakeTask().kernel.asKernel());
  const file = new InotifyFile(special.anonymousInode, 0);
  const directory = new AnonymousInode(special.sockets, 5, 0o40_755);
  assert.equal(file.watch(directory, IN_CREATE | IN_MODIFY), 1);
  directory.watch!.notify(IN_CREATE, 'name', 0);
  directory.watch!.notify(IN_MODIFY, 'name', 0);
  directory.watch!.notify(IN_MODIFY, 'name', 0);
  const buffer = new Uint8Array(256);
  assert.equal(file.read(buffer.subarray(0, 8)), -EINVAL);
  assert.equal(file.read(buffer), 64);
  assert.equal(buffer[12], 16);
  assert.equal(String.fromCharCode(...buffer.subarray(16, 20)), 'name');
  assert.equal(file.read(buffer), -EAGAIN);
  assert.equal(file.watch(directory, IN_CREATE | IN_ONESHOT), 1);
  directory.watch!.notify(IN_CREATE, 'x', 0);
  assert.equal(directory.watch, undefined);
  assert.equal(file.read(buffer), 48);
  assert.equal(new DataView(buffer.buffer).getUint32(36, true), IN_IGNORED);
});
