/**
 * Runs one program on the bare kernel, with the host's root below an overlay: the shortest way from a
 * program to its output, for work on the kernel and the machine.
 *
 *   node --import tsx scripts/run-static.ts [--strace] [--stats] [--tier interpreter|translator|both] PROGRAM ARGS...
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { HostFs } from '../src/fs/hostfs.ts';
import { MountNamespace } from '../src/fs/mounts.ts';
import { OverlayFs } from '../src/fs/overlay.ts';
import { TmpFs } from '../src/fs/tmpfs.ts';
import { createNodeHost, nodeFiles } from '../src/host/node/index.ts';
import { FileDescriptors } from '../src/kernel/fd-table.ts';
import { specialFilesOf } from '../src/kernel/files/special-files.ts';
import { StreamSink, StreamSource } from '../src/kernel/files/stream-ends.ts';
import { Kernel } from '../src/kernel/kernel.ts';
import { SyscallTracer } from '../src/kernel/strace/tracer.ts';
import { makeCredentials } from '../src/kernel/task/credentials.ts';
import { startProcess } from '../src/kernel/task/start.ts';
import { VfsContext } from '../src/kernel/vfs-context.ts';
import { createMachine } from '../src/machine/index.ts';

const args = process.argv.slice(2);
let strace = false;
let stats = false;
let tier: 'both' | 'interpreter' | 'translator' = 'both';
while (args[0]?.startsWith('--')) {
  const flag = args.shift();
  if (flag === '--strace') strace = true;
  else if (flag === '--stats') stats = true;
  else if (flag === '--tier') tier = args.shift() as typeof tier;
}
const path = args[0];
if (path === undefined) throw new Error('which program?');
const image = readFileSync(['.cache/interpreter.bin', 'dist/interpreter.bin'].find((file) => existsSync(file)) ?? '.cache/interpreter.bin');
const host = createNodeHost();
const lower = HostFs.open({ files: nodeFiles, root: '/', dev: 30, monotonicNs: host.clock.monotonicNs });
if (typeof lower === 'number') throw new Error(`cannot open /: ${lower}`);
const upper = new TmpFs({ dev: 31, now: host.clock.realtimeNs, firstInode: 2 ** 48, maxBytes: 2 ** 30 });
const root = new OverlayFs({ dev: 32, lower, upper });
const namespace = new MountNamespace(root);
const kernel = new Kernel({ host, createMachine: (options) => createMachine(image, options), tier });
const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
if (strace) kernel.tracer = new SyscallTracer({ write: (task, line) => writeSync(2, `[${task.tid}] ${line}\n`) });
kernel.onSignal = (task, info) => {
  if (strace) writeSync(2, `[${task.tid}] --- ${JSON.stringify(info)} --- rip=0x${task.mm.space.rip.toString(16)}\n`);
};
kernel.onUnknownSyscall = (number) => writeSync(2, `unknown syscall ${number}\n`);

const context = new VfsContext(namespace, namespace.rootLocation);
const files = new FileDescriptors(() => 1024);
const special = specialFilesOf(kernel);
const input = new StreamSource(special.pipeInode(), {
  onWant: () => {
    if (process.stdin.isTTY) input.end();
    else startInput();
  },
});
let started = false;
function startInput(): void {
  if (started) return;
  started = true;
  process.stdin.on('data', (data) => input.push(data));
  process.stdin.on('end', () => input.end());
}
const sink = (fd: number): StreamSink => new StreamSink(special.pipeInode(), (bytes) => {
  let done = 0;
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
  return true;
});
files.install(input, false);
files.install(sink(1), false);
files.install(sink(2), false);
const begun = performance.now();
const started2 = startProcess(kernel, {
  path: latin1(path), arguments: args.map(latin1), environment: Object.entries(process.env).map(([key, value]) => latin1(`${key}=${value}`)),
  files, fs: context, credentials: makeCredentials(process.getuid?.() ?? 0, process.getgid?.() ?? 0),
});
if (typeof started2 === 'number') throw new Error(`cannot start: ${started2}`);
const status = await kernel.run();
process.stdin.unref?.();
if (stats) {
  const { statistics } = kernel;
  writeSync(2, `${(performance.now() - begun).toFixed(1)} ms, ${statistics.syscalls} calls, ${statistics.taskSwitches} switches, ${JSON.stringify(kernel.machine.statistics)}\n`);
}
process.exit((status & 0x7f) !== 0 ? 128 + (status & 0x7f) : status >> 8);
