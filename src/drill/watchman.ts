/** The program that is the canary among the host's processes, and the one in the other guest: it holds secrets where neighbours look for them. */
import { Program } from './guest/program.ts';
import { unixAddress } from './guest/moves.ts';

const PR_SET_PTRACER = 0x5961_6d61;
const IPC_CREAT = 0o1000;
const IPC_RMID = 0;
const PAGE = 4096;
/** Of the user: also processes that do not possess it may read it (keyctl_setperm(3)). */
const KEY_FOR_ITS_USER = 0x3f3f_0000;
const KEY_SPEC_SESSION_KEYRING = -3;
const KEYCTL_SETPERM = 5;
const KEYCTL_REVOKE = 3;
export const KEY_DESCRIPTION = 'caisson-drill';
/** What it says to "are you there". */
export const WORD = 'as it was';

export interface WatchmanSecrets {
  /** Kept in memory, in a segment and in a key. */
  readonly memory: string;
  readonly segment: string;
  readonly key: string;
  readonly segmentKey: number;
  /** Listens there, and on the abstract socket. */
  readonly port?: number;
  readonly abstractSocket?: string;
}

export interface Watchman {
  readonly elf: Uint8Array;
  readonly secretAddress: number;
  readonly wordAddress: number;
}

function holdSegment(guest: Program, { segment, segmentKey }: WatchmanSecrets): ReturnType<Program['sys']> {
  const id = guest.sys('shmget', segmentKey, PAGE, IPC_CREAT | 0o600);
  guest.when(id, '>=', 0, () => {
    const address = guest.sys('shmat', id, 0, 0);
    for (const [index, byte] of new TextEncoder().encode(segment).entries()) guest.save(1, guest.plus(address, index), byte);
  });
  return id;
}

function holdKey(guest: Program, { key }: WatchmanSecrets): ReturnType<Program['sys']> {
  const serial = guest.sys('add_key', guest.text('user'), guest.text(KEY_DESCRIPTION), guest.text(key), key.length, KEY_SPEC_SESSION_KEYRING);
  guest.when(serial, '>', 0, () => void guest.sys('keyctl', KEYCTL_SETPERM, serial, KEY_FOR_ITS_USER, 0, 0));
  return serial;
}

/** Listens, and says with a line on standard error that somebody came. */
function listen(guest: Program, family: number, [address, length]: readonly [number, number], what: string, greeting: string): void {
  const fd = guest.sys('socket', family, 1, 0);
  guest.sys('bind', fd, address, length);
  guest.sys('listen', fd, 16);
  guest.thread(() => {
    guest.repeatWhile(0, '==', 0, () => {
      const peer = guest.sys('accept', fd, 0, 0);
      guest.when(peer, '>=', 0, () => {
        guest.loot(guest.text(`${what}\n`), what.length + 1);
        guest.sys('write', peer, guest.text(greeting), greeting.length);
        guest.sys('close', peer);
      });
    });
  });
}

/** Says `ready` with the number of its key; then answers each byte with its word and its secret, until the end of its input. */
export function makeWatchman(secrets: WatchmanSecrets): Watchman {
  const guest = new Program();
  const secretAddress = guest.text(secrets.memory);
  const wordAddress = guest.bytes(new TextEncoder().encode(WORD));
  guest.sys('prctl', PR_SET_PTRACER, -1, 0, 0, 0);
  const segment = holdSegment(guest, secrets);
  const serial = holdKey(guest, secrets);
  if (secrets.port !== undefined) listen(guest, 2, [guest.bytes([2, 0, secrets.port >> 8, secrets.port & 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 16], 'a connection', secrets.memory);
  if (secrets.abstractSocket !== undefined) listen(guest, 1, unixAddress(guest, secrets.abstractSocket), 'a connection to its abstract socket', secrets.memory);
  guest.measure('ready', serial);
  const input = guest.buffer(8);
  const got = guest.variable(1);
  guest.repeatWhile(got, '>', 0, () => {
    guest.set(got, guest.sys('read', 0, input, 1));
    guest.when(got, '>', 0, () => {
      guest.sys('write', 1, wordAddress, WORD.length);
      guest.sys('write', 1, secretAddress, secrets.memory.length);
      guest.say('\n');
    });
  });
  guest.sys('shmctl', segment, IPC_RMID, 0);
  guest.sys('keyctl', KEYCTL_REVOKE, serial, 0, 0, 0);
  return { elf: guest.toElf(), secretAddress, wordAddress };
}

/** Takes a segment away that a watchman has left, because it was killed. */
export function makeSweeper(segmentKey: number): Uint8Array {
  const guest = new Program();
  guest.sys('shmctl', guest.sys('shmget', segmentKey, PAGE, 0o600), IPC_RMID, 0);
  return guest.toElf();
}
