import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EAGAIN, EIO, ENOTTY, ERESTARTSYS } from '../../abi/errno.ts';
import { O_NOCTTY, O_RDWR } from '../../abi/fcntl.ts';
import { POLLHUP, POLLIN } from '../../abi/poll.ts';
import { SIGCONT, SIGHUP, SIGINT, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH } from '../../abi/signal.ts';
import {
  ECHO, ICANON, TCGETS, TCSETS, TIOCGPGRP, TIOCGPTN, TIOCGWINSZ, TIOCPKT, TIOCSPGRP, TIOCSPTLCK, VMIN, VTIME,
} from '../../abi/termios.ts';
import { AnonymousInode } from '../../fs/anonymous-inode.ts';
import type { HostTerminal } from './pty.ts';
import { specialFilesOf } from './special-files.ts';
import { FakeKernel, FakeProcess, FakeTask } from './testing.ts';
import type { TtyFile } from './tty-file.ts';

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
const textOf = (data: Uint8Array): string => String.fromCharCode(...data);

function openHostTerminal(): { kernel: FakeKernel; task: FakeTask; terminal: HostTerminal; file: TtyFile; shown: () => string } {
  const kernel = new FakeKernel();
  const task = new FakeTask(kernel, new FakeProcess(100));
  kernel.current = task;
  let output = '';
  const terminal = specialFilesOf(kernel.asKernel()).ptys.createHostTerminal({
    onOutput: (data) => {
      output += textOf(data);
      return true;
    },
  });
  assert.ok(typeof terminal !== 'number');
  const file = terminal.open(O_RDWR);
  assert.ok(typeof file !== 'number');
  return { kernel, task, terminal, file: file as TtyFile, shown: () => output };
}

function readText(file: TtyFile, size = 4096): string | number {
  const buffer = new Uint8Array(size);
  const count = file.read(buffer);
  return count < 0 ? count : textOf(buffer.subarray(0, count));
}

test('canonical mode gives whole lines and edits them', () => {
  const { terminal, file, shown } = openHostTerminal();
  assert.equal(readText(file), -EAGAIN);
  terminal.input(bytes('helo\x7flo\r'));
  assert.equal(shown(), 'helo\b \blo\r\n');
  assert.equal(readText(file, 3), 'hel');
  assert.equal(readText(file), 'lo\n');
  terminal.input(bytes('one two\x17x\n'));
  assert.equal(readText(file), 'one x\n');
  terminal.input(bytes('junk\x15ok\n'));
  assert.equal(readText(file), 'ok\n');
  terminal.input(bytes('\x16\x03\n'));
  assert.equal(readText(file), '\x03\n');
});

test('^D ends a line without a newline, and alone is the end of file', () => {
  const { terminal, file } = openHostTerminal();
  terminal.input(bytes('ab\x04'));
  assert.equal(readText(file), 'ab');
  terminal.input(bytes('\x04'));
  assert.equal(readText(file), '');
  assert.equal(readText(file), -EAGAIN);
});

test('^C and ^Z signal the foreground group and throw input away', () => {
  const { task, terminal, file, shown } = openHostTerminal();
  terminal.input(bytes('half\x03'));
  assert.deepEqual(task.process.signals, [SIGINT]);
  assert.equal(shown(), 'half^C');
  terminal.input(bytes('\x1a'));
  assert.deepEqual(task.process.signals, [SIGINT, SIGTSTP]);
  terminal.input(bytes('x\n'));
  assert.equal(readText(file), 'x\n');
});

test('output gets ONLCR, and ^S holds it back', () => {
  const { terminal, file, shown } = openHostTerminal();
  assert.equal(file.write(bytes('a\nb')), 3);
  assert.equal(shown(), 'a\r\nb');
  terminal.input(bytes('\x13'));
  assert.equal(file.write(bytes('c')), -EAGAIN);
  terminal.input(bytes('\x11'));
  assert.equal(file.write(bytes('c')), 1);
});

test('erasing a tab goes back to the column before it', () => {
  const { terminal, shown } = openHostTerminal();
  terminal.input(bytes('ab\t\x7f'));
  assert.equal(shown(), 'ab\t' + '\b'.repeat(6));
});

test('raw mode follows VMIN and VTIME', () => {
  const { kernel, terminal, file } = openHostTerminal();
  const { termios } = terminal.tty;
  termios.lflag &= ~(ICANON | ECHO);
  termios.characters[VMIN] = 3;
  terminal.input(bytes('ab'));
  assert.equal(readText(file), -EAGAIN);
  terminal.input(bytes('c'));
  assert.equal(readText(file), 'abc');
  termios.characters[VMIN] = 0;
  assert.equal(readText(file), '');
  termios.characters[VTIME] = 5;
  assert.equal(readText(file), -EAGAIN);
  kernel.advance(600e6);
  assert.equal(readText(file), '');
});

test('the terminal is the controlling one of its session leader, and job control guards it', () => {
  const { kernel, task, terminal, file } = openHostTerminal();
  assert.equal(task.process.controllingTerminal, terminal.tty);
  assert.equal(file.ioctl(TIOCGPGRP, 0x2000, task.memory), 0);
  assert.equal(task.memory.readU32(0x2000), 100);
  const job = new FakeTask(kernel, new FakeProcess(101, 100));
  job.process.controllingTerminal = terminal.tty;
  kernel.current = job;
  assert.equal(readText(file), -ERESTARTSYS);
  assert.deepEqual(job.process.signals, [SIGTTIN]);
  job.memory.writeU32(0x2000, 101);
  assert.equal(file.ioctl(TIOCSPGRP, 0x2000, job.memory), -ERESTARTSYS);
  assert.deepEqual(job.process.signals, [SIGTTIN, SIGTTOU]);
  job.ignored.add(SIGTTOU);
  assert.equal(file.ioctl(TIOCSPGRP, 0x2000, job.memory), 0);
  terminal.resize(24, 80);
  assert.deepEqual(job.process.signals.at(-1), SIGWINCH);
  assert.equal(file.ioctl(TIOCGWINSZ, 0x2000, job.memory), 0);
  assert.equal(job.memory.readU16(0x2002), 80);
  job.ignored.add(SIGTTIN);
  kernel.current = task;
  assert.equal(readText(file), -ERESTARTSYS);
});

test('a terminal that goes away hangs up', () => {
  const { task, terminal, file } = openHostTerminal();
  terminal.hangUp();
  assert.deepEqual(task.process.signals, [SIGHUP, SIGCONT]);
  assert.equal(readText(file), '');
  assert.equal(file.write(bytes('x')), -EIO);
  assert.equal(file.poll() & POLLHUP, POLLHUP);
  assert.equal(task.process.controllingTerminal, undefined);
});

test('a pty passes bytes both ways and its master sees the last close', () => {
  const kernel = new FakeKernel();
  const task = new FakeTask(kernel, new FakeProcess(100));
  kernel.current = task;
  const { ptys } = specialFilesOf(kernel.asKernel());
  const node = new AnonymousInode(ptys.fileSystem, 9, 0o20_666);
  const master = ptys.openMaster(node, O_RDWR);
  assert.ok(typeof master !== 'number');
  assert.equal(master.ioctl(TIOCGPTN, 0x2000, task.memory), 0);
  const index = task.memory.readU32(0x2000)!;
  assert.equal(ptys.openSlave(index, node, O_RDWR), -EIO);
  task.memory.writeU32(0x2000, 0);
  assert.equal(master.ioctl(TIOCSPTLCK, 0x2000, task.memory), 0);
  const slave = ptys.openSlave(index, node, O_RDWR | O_NOCTTY);
  assert.ok(typeof slave !== 'number');
  assert.equal(master.write(bytes('hi\n')), 3);
  const buffer = new Uint8Array(64);
  assert.equal(slave.read(buffer), 3);
  assert.equal(master.read(buffer), 4);
  assert.equal(textOf(buffer.subarray(0, 4)), 'hi\r\n');
  slave.write(bytes('out'));
  assert.equal(master.poll() & POLLIN, POLLIN);
  assert.equal(master.read(buffer), 3);
  assert.equal(slave.ioctl(TCGETS, 0x3000, task.memory), 0);
  assert.equal(slave.ioctl(TCSETS, 0x3000, task.memory), 0);
  assert.equal(slave.ioctl(0x1234, 0x3000, task.memory), -ENOTTY);
  task.memory.writeU32(0x2000, 1);
  master.ioctl(TIOCPKT, 0x2000, task.memory);
  slave.write(bytes('p'));
  assert.equal(master.read(buffer), 2);
  assert.deepEqual([...buffer.subarray(0, 2)], [0, 112]);
  slave.release();
  assert.equal(master.read(buffer), -EIO);
  master.release();
  assert.equal(ptys.inode(index), undefined);
});
