/** Terminal settings: `struct ktermios`, termios(3), ioctl_tty(2). */
import {
  B38400, BOTHER, CBAUD, CREAD, CS8, ECHO, ECHOCTL, ECHOE, ECHOK, ECHOKE, HUPCL, ICANON, ICRNL, IEXTEN, ISIG, IXON, NCCS, ONLCR, OPOST,
  SIZEOF_TERMIOS2,
} from '../../abi/termios.ts';

/** `INIT_C_CC` (include/asm-generic/termios.h): ^C ^\ DEL ^U ^D, VTIME 0, VMIN 1, ^Q ^S ^Z ^R ^O ^W ^V. */
const DEFAULT_CHARACTERS = [3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0];

/** Baud rates by the value of `c_cflag & CBAUD` (drivers/tty/tty_baudrate.c). */
const BAUD_RATES = new Map<number, number>([
  [0, 0], [1, 50], [2, 75], [3, 110], [4, 134], [5, 150], [6, 200], [7, 300], [8, 600], [9, 1200], [10, 1800], [11, 2400], [12, 4800],
  [13, 9600], [14, 19_200], [15, 38_400], [0x1001, 57_600], [0x1002, 115_200], [0x1003, 230_400], [0x1004, 460_800], [0x1005, 500_000],
  [0x1006, 576_000], [0x1007, 921_600], [0x1008, 1_000_000], [0x1009, 1_152_000], [0x100a, 1_500_000], [0x100b, 2_000_000],
  [0x100c, 2_500_000], [0x100d, 3_000_000], [0x100e, 3_500_000], [0x100f, 4_000_000],
]);

export class Termios {
  iflag = ICRNL | IXON;
  oflag = OPOST | ONLCR;
  cflag = B38400 | CS8 | CREAD | HUPCL;
  lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
  line = 0;
  readonly characters = Uint8Array.from(DEFAULT_CHARACTERS);
  inputSpeed = 38_400;
  outputSpeed = 38_400;

  /** `struct termios` (36 bytes) or `struct termios2` (44). */
  store(target: Uint8Array): void {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    view.setUint32(0, this.iflag, true);
    view.setUint32(4, this.oflag, true);
    view.setUint32(8, this.cflag, true);
    view.setUint32(12, this.lflag, true);
    target[16] = this.line;
    target.set(this.characters, 17);
    if (target.length < SIZEOF_TERMIOS2) return;
    view.setUint32(36, this.inputSpeed, true);
    view.setUint32(40, this.outputSpeed, true);
  }
  load(source: Uint8Array): void {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.iflag = view.getUint32(0, true);
    this.oflag = view.getUint32(4, true);
    this.cflag = view.getUint32(8, true);
    this.lflag = view.getUint32(12, true);
    this.line = source[16]!;
    this.characters.set(source.subarray(17, 17 + NCCS));
    const rate = this.cflag & CBAUD;
    if (rate === BOTHER && source.length >= SIZEOF_TERMIOS2) {
      this.inputSpeed = view.getUint32(36, true);
      this.outputSpeed = view.getUint32(40, true);
    } else {
      this.outputSpeed = BAUD_RATES.get(rate) ?? this.outputSpeed;
      this.inputSpeed = this.outputSpeed;
    }
  }
  /** The old `struct termio` (18 bytes: 16-bit flags, 8 characters) of TCGETA and TCSETA. */
  storeOld(target: Uint8Array): void {
    const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
    [this.iflag, this.oflag, this.cflag, this.lflag].forEach((flags, index) => view.setUint16(2 * index, flags & 0xffff, true));
    target[8] = this.line;
    target.set(this.characters.subarray(0, 8), 9);
  }
  loadOld(source: Uint8Array): void {
    const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    const merge = (old: number, index: number): number => ((old & ~0xffff) | view.getUint16(2 * index, true)) >>> 0;
    this.iflag = merge(this.iflag, 0);
    this.oflag = merge(this.oflag, 1);
    this.cflag = merge(this.cflag, 2);
    this.lflag = merge(this.lflag, 3);
    this.line = source[8]!;
    this.characters.set(source.subarray(9, 17));
  }
}
