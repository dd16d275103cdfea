/** The store's lock: one at a time, and who was killed with it loses it. */
import assert from 'node:assert/strict';
import { readdirSync, symlinkSync, utimesSync, writeFileSync, lutimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { withTemporaryStore } from '../../test/images/layer-testing.ts';
import { createImageHost } from '../host/node/image-host.ts';
import { ownerHasEnded, processOwner } from '../host/node/process-owner.ts';
import { Disk } from './disk.ts';
import { ImageError } from './errors.ts';
import { StoreLock } from './lock.ts';

/** A process with this number that ran in this place, and does no more. */
const ended = processOwner().replace(/\.\d+\.\d+$/, '.4194305.1');
const elsewhere = 'ffffffffffffn1.77.5';

test('processOwner() names a process that runs; ownerHasEnded() tells it from one with the same number', () => {
  assert.match(processOwner(), /^[0-9a-z]+\.\d+\.\d+$/);
  assert.equal(ownerHasEnded(processOwner()), false);
  assert.equal(ownerHasEnded(processOwner().replace(/\.\d+$/, '.1')), true);
  assert.equal(ownerHasEnded(ended), true);
  assert.equal(ownerHasEnded(elsewhere), undefined);
  for (const strange of ['', '1', 'a.b.c', processOwner().replace(/\.\d+\./, '.x.')]) assert.equal(ownerHasEnded(strange), undefined, strange);
});

test('hold() runs inside itself, and gives the lock back after an error', () =>
  withTemporaryStore((store, directory) => {
    assert.equal(store.lock.hold(() => store.lock.hold(() => 1)), 1);
    assert.throws(() => store.lock.hold(() => {
      throw new RangeError('x');
    }), RangeError);
    assert.ok(!readdirSync(directory).includes('lock'));
  }));

test('a lock whose process was killed is taken over, also where that was killed while it took one over', () =>
  withTemporaryStore((store, directory) => {
    for (const others of [[], ['lock.11']]) {
      symlinkSync(`${ended}-11`, join(directory, 'lock'));
      for (const other of others) symlinkSync(`${ended}-22`, join(directory, other));
      let takenOver = 0;
      const lock = new StoreLock(store.disk, 'lock', () => takenOver++);
      assert.equal(lock.hold(() => takenOver), 1);
      assert.equal(lock.hold(() => takenOver), 1);
      assert.deepEqual(readdirSync(directory).filter((name) => name.startsWith('lock')), []);
      assert.deepEqual(readdirSync(join(directory, 'tmp')), []);
    }
  }));

/** A host whose clock goes on when it waits. */
function hurried(directory: string): Disk {
  const host = createImageHost();
  let now = Date.now();
  return new Disk({ ...host, owner: host.owner, now: () => now, pause: (ms) => void (now += 1000 * ms) }, directory);
}

test('a lock that another process has is waited for, not for ever', () =>
  withTemporaryStore((_store, directory) => {
    symlinkSync(`${processOwner()}-33`, join(directory, 'lock'));
    assert.throws(() => new StoreLock(hurried(directory), 'lock', () => {}).hold(() => 1), (error) => error instanceof ImageError && /another process \(.*\) has had the store locked/.test(error.message));
  }));

test('a lock from a place that cannot be seen from here counts as abandoned after ten minutes', () =>
  withTemporaryStore((store, directory) => {
    symlinkSync(`${elsewhere}-44`, join(directory, 'lock'));
    assert.throws(() => new StoreLock(hurried(directory), 'lock', () => {}).hold(() => 1), ImageError);
    const old = Date.now() / 1000 - 601;
    lutimesSync(join(directory, 'lock'), old, old);
    assert.equal(store.lock.hold(() => 1), 1);
  }));

test('leftovers() are files of ended processes, and of unknown ones that are a day old', () =>
  withTemporaryStore((store, directory) => {
    const make = (name: string, ageSeconds: number): void => {
      writeFileSync(join(directory, 'tmp', name), '12345');
      utimesSync(join(directory, 'tmp', name), Date.now() / 1000 - ageSeconds, Date.now() / 1000 - ageSeconds);
    };
    for (const [name, age] of [[`${ended}-1`, 0], [`${ended}-2.adding`, 0], [`${elsewhere}-3`, 100], [`${elsewhere}-4`, 90_000], ['strange', 100], ['123-5', 90_000], [`${processOwner()}-6`, 90_000]] as const) make(name, age);
    assert.deepEqual(store.claims.leftovers().map(({ name }) => name).sort(), [`${ended}-1`, `${ended}-2.adding`, `${elsewhere}-4`, '123-5'].sort());
    assert.equal(store.claims.removeLeftovers(), 20);
    assert.equal(readdirSync(join(directory, 'tmp')).length, 3);
  }));
