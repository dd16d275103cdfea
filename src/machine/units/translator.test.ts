import assert from 'node:assert/strict';
import test from 'node:test';
import type { Region } from '../translator/region.ts';
import { TimeShare } from './time-share.ts';
import { Translator, type UnitHost } from './translator.ts';
import type { UnitRegistry } from './unit-registry.ts';

const HANDLERS = [0x40_1000, 0x40_1010];
const REGION = { entry: { start: HANDLERS[0] } } as unknown as Region;
/** An indirect jump that went to both. */
const JUMP = 0x40_1004;
/** More than any block reports itself: nothing is translated while the program runs. */
const NEVER = 1 << 20;

/** What the registry of a program, of which so many bytes are kept, is asked for when it ends after so many reports of one block. */
function finishAfter(reports: number, keptBytes = 0): readonly unknown[] {
  const asked: unknown[] = [];
  const compiler = {
    findHandlers: (_: unknown, jumps: Iterable<readonly [number, readonly number[]]>) => {
      asked.push([...jumps]);
      return [HANDLERS];
    },
    discoverDispatcher: (_: unknown, handlers: readonly number[]) => (handlers === HANDLERS ? REGION : undefined),
    discover: (_: unknown, address: number) => void asked.push(address),
  };
  const registry = {
    keeps: true, keptBytes,
    image: { handlers: new Uint16Array(0) },
    get compiler() {
      asked.push('compiler');
      return compiler;
    },
    find: () => undefined,
    replace: (_: unknown, region: Region) => asked.push(region),
  };
  const host = { u8: new Uint8Array(0), pages: new Uint8Array(0), checked: false, isFork: false, entries: () => 0 };
  const translator = new Translator(host as unknown as UnitHost, registry as unknown as UnitRegistry, new TimeShare(() => 0, 0, 0), NEVER);
  for (const target of HANDLERS) translator.jumped(JUMP, target);
  for (let count = 0; count < reports; count++) translator.hot(HANDLERS[0] ?? 0);
  translator.finish(() => true);
  return asked;
}

test('when a program ends that has run long, the handlers of its interpreter become one unit', () => {
  assert.deepEqual(finishAfter(1000).slice(0, 3), ['compiler', [[JUMP, HANDLERS]], REGION]);
});

test('for a program that has done little the compiler is not even loaded', () => {
  assert.deepEqual(finishAfter(999), []);
});

test('where much is kept, more must be worth it: all of it is written again', () => {
  assert.equal(finishAfter(1000).at(-1), HANDLERS[0]);
  assert.equal(finishAfter(1500, 10_000_000).includes(HANDLERS[0]), false);
  assert.equal(finishAfter(2000, 10_000_000).at(-1), HANDLERS[0]);
});
