/** signalfd(2), Linux fs/signalfd.c: reads the signals of whoever reads. */
import { EAGAIN, EINVAL, ESPIPE } from '../../abi/errno.ts';
import { POLLIN } from '../../abi/poll.ts';
import { StreamFile } from '../../fs/stream-file.ts';
import { WaitQueue, type Inode } from '../../fs/types.ts';
import type { Kernel, SignalInfo, SignalMask } from '../types.ts';

/** Bytes of `struct signalfd_siginfo`. */
const INFO_SIZE = 128;

export class SignalFile extends StreamFile {
  readonly #kernel: Kernel;
  readonly #nobody = new WaitQueue();
  mask: SignalMask;

  constructor(kernel: Kernel, inode: Inode, flags: number, mask: SignalMask) {
    super(inode, 'anon_inode:[signalfd]', flags);
    this.#kernel = kernel;
    this.mask = mask;
  }
  /** Signals arrive at tasks, so whoever asks waits on its own queue, as on Linux. */
  override get waitQueue(): WaitQueue {
    return this.#kernel.current?.signalQueue ?? this.#nobody;
  }
  override read(buffer: Uint8Array, offset?: number): number {
    if (offset !== undefined) return -ESPIPE;
    if (buffer.length < INFO_SIZE) return -EINVAL;
    const task = this.#kernel.current;
    let done = 0;
    while (task !== undefined && done + INFO_SIZE <= buffer.length) {
      const info = task.dequeueSignal(this.mask);
      if (info === undefined) break;
      storeSignalfdInfo(buffer.subarray(done, done + INFO_SIZE), info);
      done += INFO_SIZE;
    }
    return done === 0 ? -EAGAIN : done;
  }
  poll(): number {
    const pending = this.#kernel.current?.pendingSignals;
    if (pending === undefined) return 0;
    return ((pending.low & this.mask.low) | (pending.high & this.mask.high)) === 0 ? 0 : POLLIN;
  }
  fdInfo(): string {
    const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');
    return `sigmask:\t${hex(this.mask.high)}${hex(this.mask.low)}\n`;
  }
}

/** `struct signalfd_siginfo`. */
function storeSignalfdInfo(target: Uint8Array, info: SignalInfo): void {
  target.fill(0);
  const view = new DataView(target.buffer, target.byteOffset, INFO_SIZE);
  view.setUint32(0, info.signal, true);
  view.setInt32(4, info.errno ?? 0, true);
  view.setInt32(8, info.code, true);
  view.setUint32(12, info.pid ?? 0, true);
  view.setUint32(16, info.uid ?? 0, true);
  view.setInt32(20, info.fd ?? 0, true);
  view.setUint32(24, info.timerId ?? 0, true);
  view.setUint32(28, info.band ?? 0, true);
  view.setUint32(32, info.overrun ?? 0, true);
  view.setUint32(36, info.trapNumber ?? 0, true);
  view.setInt32(40, info.status ?? 0, true);
  const value = info.value ?? 0n;
  view.setInt32(44, Number(BigInt.asIntN(32, value)), true);
  view.setBigUint64(48, BigInt.asUintN(64, value), true);
  view.setBigUint64(56, BigInt(info.utime ?? 0), true);
  view.setBigUint64(64, BigInt(info.stime ?? 0), true);
  view.setBigUint64(72, BigInt(info.address ?? 0), true);
}
