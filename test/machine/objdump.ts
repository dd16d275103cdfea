/** Runs binutils and brings `objdump -d -M intel` and our disassembler to one form. */

import { spawnSync } from 'node:child_process';

/** One line of a disassembly. */
export interface ObjdumpLine {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

const LINE = /^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*(?:\t(.*))?$/;

export function parseObjdump(output: string): ObjdumpLine[] {
  const lines: ObjdumpLine[] = [];
  for (const line of output.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const bytes = Uint8Array.from(match[2]!.trim().split(' '), (byte) => parseInt(byte, 16));
    const address = parseInt(match[1]!, 16);
    const text = match[3] ?? '';
    // `fstcw` and its like are two instructions, fwait and `fnstcw`.
    const waits = bytes[0] === 0x9b && bytes.length > 1;
    if (waits) lines.push({ address, bytes: bytes.subarray(0, 1), text: 'fwait' });
    if (waits) lines.push({ address: address + 1, bytes: bytes.subarray(1), text: text.replace(/^f/, 'fn') });
    else lines.push({ address, bytes, text });
  }
  return lines;
}

/** Disassembles a file's sections, or `[start, stop)` of it. */
export function objdump(path: string, args: readonly string[] = []): ObjdumpLine[] {
  const result = spawnSync('objdump', ['-d', '-M', 'intel', '--insn-width=16', ...args, path], {
    encoding: 'latin1',
    maxBuffer: 1 << 30,
  });
  if (result.status !== 0) throw new Error(`objdump ${path} failed: ${result.stderr}`);
  return parseObjdump(result.stdout);
}

/**
 * The normalisation: prefixes without effect are not compared (`cs`, `data16`, `rex.W`, `bnd`, `notrack`,
 * `addr32`, `repz ret`), nor are symbols, comments, a displacement of zero, `riz`, or names that
 * processors without CET and MPX give to the same bytes.
 */
export function normalise(text: string): string {
  let result = text
    .replace(/\s*#.*$/, '')
    .replace(/\s*<[^>]*>/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  let before = '';
  while (before !== result) {
    before = result;
    result = result.replace(/^(cs|ds|es|ss|fs|gs|data16|addr32|rex(\.[WRXB]+)?|bnd|notrack|xacquire|xrelease) /, '');
    if (!/^(rep|repz|repnz) (movs|cmps|stos|lods|scas|ins|outs) /.test(result)) result = result.replace(/^(rep|repz|repnz) /, '');
  }
  return result
    .replace(/^(j\w+|call|loop\w*) ([0-9a-f]+)$/, '$1 0x$2')
    .replace(/\+r[ie]z\*1/, '')
    .replace(/\+0x0\]/, ']')
    .replace(/,(pt|pn) /, ' ')
    .replace(/^wait$|^fwait$/, 'fwait');
}

/** Instructions that are not part of x86-64-v2: VEX, EVEX and what came later. */
export function isBeyondBaseline(line: ObjdumpLine): boolean {
  let at = 0;
  while (at < line.bytes.length && [0x66, 0x67, 0xf2, 0xf3, 0xf0, 0x2e, 0x36, 0x3e, 0x26, 0x64, 0x65].includes(line.bytes[at]!)) at++;
  if ([0xc4, 0xc5, 0x62].includes(line.bytes[at]!)) return true;
  return /\b(xabort|xbegin|xend|xtest|rdrand|rdseed|rd[fg]sbase|wr[fg]sbase|adcx|adox|xsaves|xrstors|clwb|clflushopt|clac|stac|rdpkru|wrpkru|incssp[dq]|rdssp[dq]|saveprevssp|rstorssp|vm\w+|monitor|mwait|tpause|umwait|umonitor|movdir\w+|gf2p8\w+|ptwrite|serialize|hreset|encls|enclu|femms|pf\w+|pi2f\w|pavgusb|xstore-rng|xcrypt-\w+|getsec|sysenter|sysexit|clui|stui|testui|uiret|senduipi|enqcmds?|invpcid|invept|invvpid|bnd\w+|wrss\w|wruss\w|setssbsy|clrssbsy|loadiwkey|aes(enc|dec)\w*kl|encodekey\w+|cldemote|rdsspq)\b/.test(
    line.text,
  );
}
