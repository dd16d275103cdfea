/**
 * x87 helpers against the host CPU, or against what one answered where the host has none. `X87_COUNT` and
 * `X87_SEED` make longer runs; `X87_RECORD=1` on an x86-64 host writes the recorded answers anew.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { hostIsOracle, REQUEST_FSAVE, REQUEST_SIGNAL, REQUEST_SIZE } from './oracle.ts';
import { Random } from '../../src/machine/helpers/testing.test-support.ts';
import { TRANSCENDENTAL_CASES, X87_CASES } from './x87-cases.ts';
import type { Case } from './x87-cases.ts';
import { answerBytes, answersHere, answersOfHost, differences, makeRequests } from './x87-host.ts';

const COUNT = Number(process.env['X87_COUNT'] ?? 200);
const SEED = Number(process.env['X87_SEED'] ?? 1);
const RECORDED_COUNT = 40;
const RECORDED_TRANSCENDENTAL_COUNT = 8;
const RECORDED = new URL('x87-recorded.json', import.meta.url);

const REGISTERS = REQUEST_FSAVE + 28;

/** A register as an integer that grows by one from each value to the next. */
function ordinal(request: DataView, offset: number): bigint {
  const word = request.getUint16(offset + 8, true);
  const magnitude = (BigInt(word & 0x7fff) << 63n) + (request.getBigUint64(offset, true) & 0x7fffffffffffffffn);
  return word >>> 15 ? -magnitude : magnitude;
}

/** Equal words, flags but C1 and tags, and registers within one unit in the last place. */
function equalWithinUlp(mine: DataView, theirs: DataView): boolean {
  const signal = theirs.getUint32(REQUEST_SIGNAL, true);
  if (signal !== mine.getUint32(REQUEST_SIGNAL, true)) return false;
  if (signal !== 0) return true;
  const words = (request: DataView): number[] => [
    request.getUint16(REQUEST_FSAVE, true),
    request.getUint16(REQUEST_FSAVE + 4, true) & ~0x200,
    request.getUint16(REQUEST_FSAVE + 8, true),
  ];
  if (words(mine).join() !== words(theirs).join()) return false;
  for (let index = 0; index < 8; index++) {
    const distance = ordinal(mine, REGISTERS + index * 10) - ordinal(theirs, REGISTERS + index * 10);
    if (distance > 1n || distance < -1n) return false;
  }
  return true;
}

const CASES: readonly Case[] = [...X87_CASES, ...TRANSCENDENTAL_CASES];

if (hostIsOracle) {
  const requests = CASES.map((instruction) => makeRequests(instruction, COUNT, new Random(SEED)));
  const answers = answersOfHost(CASES, requests);
  CASES.forEach((instruction, index) => {
    const exact = index < X87_CASES.length;
    test(`${instruction.name} is as on the host CPU${exact ? '' : ', within one unit in the last place'}`, () => {
      const found = differences(instruction, requests[index]!, answers[index]!, exact ? undefined : equalWithinUlp);
      assert.equal(found.length, 0, `${found.length} of ${COUNT} differ\n${found.slice(0, 3).join('\n')}`);
    });
  });
}

/** Digests of exact answers, and whole answers of the transcendental instructions, by instruction. */
interface Recorded {
  readonly digests: Readonly<Record<string, string>>;
  readonly answers: Readonly<Record<string, string>>;
}

function recordedRequests(instruction: Case): Uint8Array {
  const exact = X87_CASES.includes(instruction);
  return makeRequests(instruction, exact ? RECORDED_COUNT : RECORDED_TRANSCENDENTAL_COUNT, new Random(1));
}

function digest(answers: readonly DataView[]): string {
  const hash = createHash('sha256');
  for (const answer of answers) hash.update(answerBytes(answer));
  return hash.digest('hex').slice(0, 16);
}

function wholeAnswers(answers: readonly DataView[]): Buffer {
  return Buffer.concat(answers.map((answer) => Buffer.from(answer.buffer, answer.byteOffset, REQUEST_SIZE)));
}

if (process.env['X87_RECORD'] === '1') {
  const answers = answersOfHost(CASES, CASES.map(recordedRequests));
  const digests = X87_CASES.map(({ name }, index) => [name, digest(answers[index]!)] as const);
  const whole = TRANSCENDENTAL_CASES.map(
    ({ name }, index) => [name, wholeAnswers(answers[X87_CASES.length + index]!).toString('base64')] as const,
  );
  const recorded: Recorded = { digests: Object.fromEntries(digests), answers: Object.fromEntries(whole) };
  writeFileSync(RECORDED, `${JSON.stringify(recorded, undefined, 1)}\n`);
}

test('x87 instructions are as recorded from a processor', () => {
  const recorded = JSON.parse(readFileSync(RECORDED, 'utf8')) as Recorded;
  for (const instruction of X87_CASES) {
    assert.equal(digest(answersHere(instruction, recordedRequests(instruction))), recorded.digests[instruction.name], instruction.name);
  }
  for (const instruction of TRANSCENDENTAL_CASES) {
    const ours = wholeAnswers(answersHere(instruction, recordedRequests(instruction)));
    const theirs = Buffer.from(recorded.answers[instruction.name] ?? '', 'base64');
    assert.equal(theirs.length, ours.length);
    for (let at = 0; at < ours.length; at += REQUEST_SIZE) {
      const view = (from: Buffer): DataView => new DataView(from.buffer, from.byteOffset + at, REQUEST_SIZE);
      assert.ok(equalWithinUlp(view(ours), view(theirs)), `${instruction.name}, answer ${at / REQUEST_SIZE}`);
    }
  }
});
