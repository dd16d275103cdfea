import assert from 'node:assert/strict';
import { test } from 'node:test';

import { decode, MAX_INSTRUCTION_LENGTH } from './decode.ts';
import { disassemble } from './disassemble.ts';

const ADDRESS = 0x401000;

function read(hex: string, address = ADDRESS): string {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const instruction = decode(bytes, 0, bytes.length, address);
  return instruction.row === undefined ? instruction.reason : disassemble(instruction);
}

const CASES: readonly (readonly [name: string, hex: string, text: string])[] = [
  ['REX counts only directly before the opcode', '4866 01d8', 'add ax,bx'],
  ['REX.W wins over 66', '664801d8', 'add rax,rbx'],
  ['high-byte registers without REX', '88e5', 'mov ch,ah'],
  ['low-byte registers with REX', '4088e5', 'mov bpl,spl'],
  ['the last of F2 and F3 is the mandatory prefix', 'f2f30f58c1', 'addss xmm0,xmm1'],
  ['F3 wins over 66', '66f30f58c1', 'addss xmm0,xmm1'],
  ['66 stays an operand size beside F3', '66f30fb8c1', 'popcnt ax,cx'],
  ['nop', '90', 'nop'],
  ['pause', 'f390', 'pause'],
  ['xchg r8 has the opcode of nop', '4190', 'xchg r8d,eax'],
  ['RIP-relative operands end after the immediate', '833d0000000001', 'cmp DWORD PTR [rip+0x0],0x1'],
  ['r13 as a base needs a displacement', '418b4500', 'mov eax,DWORD PTR [r13]'],
  ['r12 as an index', '428b0420', 'mov eax,DWORD PTR [rax+r12*1]'],
  ['no index', '8b0424', 'mov eax,DWORD PTR [rsp]'],
  ['absolute addresses', '8b042500100000', 'mov eax,DWORD PTR ds:0x1000'],
  ['thread-local addresses', '64488b042528000000', 'mov rax,QWORD PTR fs:0x28'],
  ['67 truncates addresses', '678b00', 'mov eax,DWORD PTR [eax]'],
  ['push and pop are 64 bits wide', '50', 'push rax'],
  ['push with 66', '6650', 'push ax'],
  ['near branches ignore 66', '66eb00', 'jmp 0x401003'],
  ['backward branches', 'ebfe', 'jmp 0x401000'],
  ['jecxz', '67e300', 'jecxz 0x401003'],
  ['movabs', '48b8efcdab8967452301', 'mov'],
  ['sign-extended immediates', '4883e4f0', 'and rsp,0xfffffffffffffff0'],
  ['lock', 'f0480fb13e', 'lock cmpxchg QWORD PTR [rsi],rdi'],
  ['lock on a register', 'f00fb1f7', 'invalid'],
  ['lock on mov', 'f08900', 'invalid'],
  ['lock on cmp', 'f03900', 'invalid'],
  ['memory form of a register instruction', '0ff700', 'invalid'],
  ['register form of lea', '8dc0', 'invalid'],
  ['segment registers 6 and 7', '8ef0', 'invalid'],
  ['VEX', 'c5f877', 'vzeroupper'],
  ['VEX of three bytes', 'c4e27d18c1', 'vbroadcastss ymm0,xmm1'],
  ['VEX behind REX', '48c5f877', 'invalid'],
  ['VEX behind 66', '66c5f877', 'invalid'],
  ['VEX with a register that is none', 'c5f077', 'invalid'],
  ['VEX of a length that there is not', 'c5fd6ec0', 'invalid'],
  ['VEX of no map', 'c4e07d18c1', 'invalid'],
  ['a vector of indexes', 'c4e2699004 0f', 'vpgatherdd xmm0,DWORD PTR [rdi+xmm1*1],xmm2'],
  ['indexes without SIB', 'c4e2699000', 'invalid'],
  ['EVEX', '62f17c4858c0', 'invalid'],
  ['EVEX', '62f1fd486fc0', 'invalid'],
  ['64-bit mode has no pusha', '60', 'invalid'],
  ['cut in a displacement', '8b0500', 'truncated'],
  ['cut in a prefix', '66', 'truncated'],
  ['cut in an escape', '0f', 'truncated'],
  ['15 bytes', '6666666666666666666666666666 90', 'xchg ax,ax'],
  ['16 bytes', '666666666666666666666666666666 90', 'too-long'],
  ['repeated strings', 'f348a5', 'rep movs QWORD PTR es:[rdi],QWORD PTR ds:[rsi]'],
  ['scas until found', 'f2ae', 'repnz scas al,BYTE PTR es:[rdi]'],
  ['endbr64', 'f30f1efa', 'endbr64'],
  ['hints', '0f1f440000', 'nop DWORD PTR [rax+rax*1]'],
  ['predicates of comparisons', '660fc2c102', 'cmplepd xmm0,xmm1'],
];

for (const [name, hex, text] of CASES) {
  test(`decode(): ${name}`, () => {
    const result = read(hex.replaceAll(' ', ''));
    if (name === 'movabs') assert.equal(result, 'movabs rax,0x123456789abcdef');
    else assert.equal(result, text);
  });
}

test('decode() does not throw and does not pass 15 bytes or the limit on random bytes', () => {
  let seed = 1;
  const bytes = new Uint8Array(1 << 16);
  for (let round = 0; round < 8; round++) {
    for (let index = 0; index < bytes.length; index++) {
      seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
      bytes[index] = seed >>> 24;
    }
    for (let offset = 0; offset < bytes.length; offset++) {
      const limit = Math.min(bytes.length, offset + 1 + (offset % 20));
      const instruction = decode(bytes, offset, limit, offset);
      assert.ok(instruction.length >= 1 && instruction.length <= Math.min(MAX_INSTRUCTION_LENGTH, limit - offset));
      if (instruction.row !== undefined) assert.ok(disassemble(instruction).length > 1);
    }
  }
});
