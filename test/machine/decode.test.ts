/**
 * The decoder and the disassembler against binutils: every row in every form, and real programs.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { decode } from '../../src/machine/isa/decode.ts';
import { disassemble } from '../../src/machine/isa/disassemble.ts';
import type { InstructionRow } from '../../src/machine/isa/instruction.ts';
import { ROWS } from '../../src/machine/isa/table.ts';
import { canBeMemory, canBeRegister, encode, hasModrm, operandSizes } from './encode.ts';
import type { Addressing, Choice } from './encode.ts';
import { isBeyondBaseline, normalise, objdump, parseObjdump } from './objdump.ts';
import type { ObjdumpLine } from './objdump.ts';

const hasObjdump = spawnSync('objdump', ['--version']).status === 0;

/** What is wrong with our reading of a line, or undefined. */
function difference(line: ObjdumpLine): string | undefined {
  const bytes = Buffer.from(line.bytes).toString('hex');
  const instruction = decode(line.bytes, 0, line.bytes.length, line.address);
  if (instruction.row === undefined) return `${bytes} ${line.text}: ${instruction.reason}`;
  if (instruction.length !== line.bytes.length) return `${bytes} ${line.text}: length ${instruction.length}`;
  const ours = normalise(disassemble(instruction));
  return ours === normalise(line.text) ? undefined : `${bytes} ${line.text}: ${ours}`;
}

const memory = (base: number, index: number, scale: number, displacement: number, displacementBytes: 0 | 1 | 4, ripRelative = false): Addressing => ({
  base, index, scale, displacement, displacementBytes, ripRelative,
});

const ADDRESSINGS: readonly Addressing[] = [
  memory(0, -1, 0, 0, 0),
  memory(4, -1, 0, 8, 1),
  memory(5, -1, 0, -8, 1),
  memory(12, 1, 3, 0x12345, 4),
  memory(13, 12, 1, -2, 1),
  memory(-1, 9, 2, 0x100, 4),
  memory(-1, -1, 0, 0x7fff0000, 4),
  memory(-1, -1, 0, 0x1000, 4, true),
];

function choices(row: InstructionRow): Choice[] {
  const result: Choice[] = [];
  const base = { reg: 3, opcodeRegister: 2, vexRegister: 11, immediates: [[0x12, 0], [0x34, 0]] as const };
  for (const size of operandSizes(row)) {
    if (!hasModrm(row)) {
      result.push({ ...base, size, rm: 0 });
      if (row.opcodeRegister) for (const opcodeRegister of [1, 5, 8, 15]) result.push({ ...base, size, rm: 0, opcodeRegister });
    }
    const regs = row.operands.some((code) => code[0] === 'S') ? [0, 3] : [3, 4, 15];
    if (canBeRegister(row)) for (const reg of regs) for (const rm of [0, 6, 9]) result.push({ ...base, size, reg, rm });
    const hasIndexes = row.operands.some((code) => code[0] === 'X');
    if (canBeMemory(row)) for (const rm of hasIndexes ? ADDRESSINGS.filter(({ index }) => index >= 0) : ADDRESSINGS) result.push({ ...base, size, reg: regs.at(-1)!, rm });
  }
  for (const repeat of row.repeat === undefined ? [] : ['rep' as const, 'repne' as const]) {
    if (repeat === 'rep' || row.repeat === 'repe-repne') result.push({ ...base, size: 4, rm: 0, repeat });
  }
  if (row.lockable) result.push({ ...base, size: 4, rm: ADDRESSINGS[0]!, lock: true });
  return result;
}

/** Encodings that objdump names otherwise than the processor reads them. */
function isNamedOtherwise(line: ObjdumpLine, row: InstructionRow): boolean {
  // objdump: mov to and from segment, control and system registers by 32-bit names; undocumented x87 aliases;
  // the memory forms of far jumps; ud0; the reserved prefetches.
  if (['mov-from-segment', 'mov-to-segment'].includes(row.semantics)) return true;
  if (row.semantics === 'privileged' || ['lar', 'lsl', 'verr', 'verw', 'rdpid'].includes(row.semantics)) return true;
  if (row.semantics === 'nop' && row.opcode !== 0x90) return true;
  // 66 63 reads 16 bits (SDM), not 32.
  if (row.semantics === 'ud' || (row.semantics === 'movsxd' && line.bytes[0] === 0x66)) return true;
  return row.feature === 'x87' && /\(bad\)|only|^f\w+[0-9]$|^f(xch|stp|com|comp)[0-9]/.test(line.text);
}

test('every row in every operand form decodes to itself, and reads as objdump reads it', { skip: !hasObjdump }, () => {
  const entries: { row: InstructionRow; bytes: Uint8Array; address: number }[] = [];
  const image: number[] = [];
  for (const row of ROWS) {
    for (const choice of choices(row)) {
      const bytes = encode(row, choice);
      entries.push({ row, bytes, address: image.length });
      image.push(...bytes);
      while (image.length % 32 !== 0) image.push(0x90);
    }
  }
  for (const { row, bytes } of entries) {
    const instruction = decode(bytes, 0, bytes.length, 0);
    const text = `${row.mnemonic} ${row.operands.join(',')} ${Buffer.from(bytes).toString('hex')}`;
    assert.equal(instruction.row?.id, row.id, `${text}: ${instruction.row === undefined ? instruction.reason : instruction.row.mnemonic}`);
    assert.equal(instruction.length, bytes.length, text);
  }
  const directory = mkdtempSync(join(tmpdir(), 'caisson-isa-'));
  try {
    writeFileSync(join(directory, 'rows.bin'), Uint8Array.from(image));
    const lines = new Map(objdump(join(directory, 'rows.bin'), ['-D', '-b', 'binary', '-m', 'i386:x86-64']).map((line) => [line.address, line]));
    const differences: string[] = [];
    for (const { row, address } of entries) {
      const line = lines.get(address);
      if (line === undefined || isNamedOtherwise(line, row)) continue;
      const wrong = difference(line);
      if (wrong !== undefined) differences.push(`${row.mnemonic} ${row.operands.join(',')}: ${wrong}`);
    }
    assert.deepEqual(differences, []);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

/** Paths, and the part that is read unless `CAISSON_FULL` is set. */
const PROGRAMS: readonly (readonly [path: string, start: number, stop: number])[] = [
  ['/usr/bin/bash', 0x30000, 0x70000],
  ['/lib/x86_64-linux-gnu/libm.so.6', 0xe000, 0x40000],
  ['/lib/x86_64-linux-gnu/libc.so.6', 0x26000, 0x60000],
  ['/usr/bin/openssl', 0x30000, 0x60000],
  ['/usr/bin/python3.11', 0x420000, 0x460000],
  [process.execPath, 0x1000000, 0x1040000],
];

for (const [path, start, stop] of PROGRAMS) {
  test(`decode() and disassemble() agree with objdump on ${path}`, { skip: !hasObjdump || !existsSync(path) }, () => {
    const range = [`--start-address=${start}`, `--stop-address=${stop}`];
    // The last instruction of a range may be cut.
    const lines = objdump(path, process.env['CAISSON_FULL'] === undefined ? range : []).slice(0, -8);
    const compared = lines.filter((line) => !isBeyondBaseline(line) && !line.text.includes('(bad)'));
    const differences = compared.map(difference).filter((wrong) => wrong !== undefined);
    assert.deepEqual(differences.slice(0, 20), []);
  });
}

test('parseObjdump() splits off the wait of fstcw', () => {
  const lines = parseObjdump('  10:\t9b d9 7c 24 02       \tfstcw  WORD PTR [rsp+0x2]\n');
  assert.deepEqual(lines.map((line) => [line.address, line.bytes.length, line.text]), [[16, 1, 'fwait'], [17, 4, 'fnstcw  WORD PTR [rsp+0x2]']]);
});
