import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EACCES, EINVAL } from '../../abi/errno.ts';
import { decode } from './instructions.ts';
import { run } from './run.ts';
import { verify } from './verify.ts';

type Words = readonly [opcode: number, target?: number, source?: number, offset?: number, immediate?: number];

function programOf(words: readonly Words[]): ReturnType<typeof decode> {
  const view = new DataView(new ArrayBuffer(words.length * 8));
  for (const [index, [opcode, target = 0, source = 0, offset = 0, immediate = 0]] of words.entries()) {
    view.setUint8(index * 8, opcode);
    view.setUint8(index * 8 + 1, target | (source << 4));
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, immediate, true);
  }
  return decode(new Uint8Array(view.buffer));
}

const EXIT: Words = [0x95];
const ONE: Words = [0xb7, 0, 0, 0, 1];

/** What Linux 6 answers to BPF_PROG_LOAD of such a program of type BPF_PROG_TYPE_CGROUP_DEVICE, as root. */
const ANSWERS: readonly (readonly [what: string, words: readonly Words[], errno: number])[] = [
  ['one that answers', [ONE, EXIT], 0], ['no end', [ONE], EINVAL], ['nothing to answer', [EXIT], EACCES],
  ['the context', [[0x61, 2, 1, 0], ONE, EXIT], 0], ['eight bytes of it', [[0x79, 2, 1, 0], ONE, EXIT], EACCES], ['half of the major number', [[0x69, 2, 1, 4], ONE, EXIT], EACCES],
  ['a byte of the access', [[0x71, 2, 1, 1], ONE, EXIT], 0], ['half of the access', [[0x69, 2, 1, 2], ONE, EXIT], 0], ['behind the context', [[0x61, 2, 1, 12], ONE, EXIT], EACCES],
  ['backwards', [ONE, [0x05, 0, 0, -2], EXIT], EINVAL], ['dead code', [ONE, [0x05, 0, 0, 1], ONE, EXIT], EINVAL], ['a pointer as answer', [[0xbf, 0, 1], EXIT], EINVAL],
  ['into the context', [[0x62, 1, 0, 0, 1], ONE, EXIT], EACCES], ['the stack', [[0x7a, 10, 0, -8, 1], [0x79, 2, 10, -8], ONE, EXIT], 0], ['below the stack', [[0x7a, 10, 0, -520, 1], ONE, EXIT], EACCES],
  ['a call of nothing', [[0x85, 0, 0, 0, 9999], ONE, EXIT], EINVAL], ['by zero', [ONE, [0x37, 0], EXIT], EINVAL], ['the frame pointer', [[0xb7, 10, 0, 0, 1], ONE, EXIT], EACCES],
  ['more than one', [[0xb7, 0, 0, 0, 2], EXIT], EINVAL], ['a bit of the access', [[0x61, 0, 1, 0], [0x57, 0, 0, 0, 1], EXIT], 0], ['any number', [[0x61, 0, 1, 4], EXIT], EINVAL], ['a shift too far', [ONE, [0x67, 0, 0, 0, 64], EXIT], EINVAL],
  ['no register', [[0xb7, 12, 0, 0, 1], ONE, EXIT], EINVAL], ['no instruction', [[0xff], ONE, EXIT], EINVAL], ['the middle of a wide one', [ONE, [0x05, 0, 0, 1], [0x18, 2], [0], EXIT], EINVAL],
];

test('a program is taken or refused as Linux does', () => {
  for (const [what, words, errno] of ANSWERS) assert.equal(verify(programOf(words), 12)?.errno ?? 0, errno, what);
});

test('what programs compute', () => {
  const context = new Uint8Array(12);
  new DataView(context.buffer).setUint32(0, (4 << 16) | 2, true);
  const answer = (...words: Words[]): bigint => {
    const program = programOf([...words, EXIT]);
    assert.equal(verify(programOf([...words, ONE, EXIT]), 12), undefined);
    return run(program, context);
  };
  assert.equal(answer([0x61, 0, 1, 0], [0x77, 0, 0, 0, 16]), 4n);
  assert.equal(answer([0x69, 0, 1, 0]), 2n);
  assert.equal(answer([0xb7, 0, 0, 0, -1]), 0xffff_ffff_ffff_ffffn);
  assert.equal(answer([0xb4, 0, 0, 0, -1]), 0xffff_ffffn);
  assert.equal(answer([0x18, 0, 0, 0, 5], [0, 0, 0, 0, 6]), (6n << 32n) | 5n);
  assert.equal(answer([0xb7, 0, 0, 0, -8], [0xc7, 0, 0, 0, 1]), 0xffff_ffff_ffff_fffcn);
  assert.equal(answer([0xb7, 0, 0, 0, 7], [0xb7, 2], [0x3f, 0, 2]), 0n);
  assert.equal(answer([0xb7, 0, 0, 0, 7], [0xb7, 2], [0x9f, 0, 2]), 7n);
  assert.equal(answer([0xb7, 0, 0, 0, 0x1234], [0xdc, 0, 0, 0, 16]), 0x3412n);
  assert.equal(answer([0x7a, 10, 0, -8, -2], [0x61, 0, 10, -8]), 0xffff_fffen);
  // -1 is above 1 without a sign, and below it with one.
  assert.equal(answer([0xb7, 2, 0, 0, -1], ONE, [0x25, 2, 0, 1, 1], [0xb7, 0]), 1n);
  assert.equal(answer([0xb7, 2, 0, 0, -1], ONE, [0x65, 2, 0, 1, 1], [0xb7, 0]), 0n);
});
