/** Users and their passwords: a file of Apache's htpasswd with bcrypt (`htpasswd -B`). */
import { compare } from 'bcryptjs';
import { digestOf } from '../image/index.ts';
import type { HostCodecs } from '../host/types.ts';
import { MOST_KNOWN_PASSWORDS } from './limits.ts';

const BCRYPT = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
/** A password that was right stays so for this long, unless the file changes: a bcrypt takes 5 to 100 ms of the only thread. */
const KNOWN_MS = 600_000;
/** Salt and hash of nobody's password: who has no account waits as long as who has one. */
const NOBODY = '0123456789012345678901uHyS7NQZ8HUBP1Wy5bUKJ1V1FDvPxr2';
const DEFAULT_COST = '10';

/** What is wrong with a file of passwords; `line` counts from 1. */
export class AccountsError extends Error {
  override readonly name = 'AccountsError';
  readonly line: number;

  constructor(line: number, reason: string) {
    super(reason);
    this.line = line;
  }
}

export class Accounts {
  readonly #hashes: ReadonlyMap<string, string>;
  readonly #nobody: string;
  readonly #codecs: HostCodecs;
  readonly #now: () => number;
  readonly #salt = crypto.getRandomValues(new Uint8Array(32));
  /** Digests of names with passwords that were right, and until when. */
  readonly #known = new Map<string, number>();

  /** @throws AccountsError */
  constructor(text: string, codecs: HostCodecs, now: () => number) {
    this.#hashes = parse(text);
    const [first] = this.#hashes.values();
    this.#nobody = `$2y$${BCRYPT.exec(first ?? '')?.[1] ?? DEFAULT_COST}$${NOBODY}`;
    this.#codecs = codecs;
    this.#now = now;
  }

  async verify(name: string, password: string): Promise<boolean> {
    const key = this.#keyOf(name, password);
    if ((this.#known.get(key) ?? 0) > this.#now()) return true;
    const hash = this.#hashes.get(name);
    const isRight = await compare(password, hash ?? this.#nobody);
    if (!isRight || hash === undefined) return false;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MOST_KNOWN_PASSWORDS && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, this.#now() + KNOWN_MS);
    return true;
  }

  /** Passwords themselves are not kept in memory. */
  #keyOf(name: string, password: string): string {
    const text = new TextEncoder().encode(JSON.stringify([name, password]));
    const salted = new Uint8Array(this.#salt.length + text.length);
    salted.set(this.#salt);
    salted.set(text, this.#salt.length);
    return digestOf(this.#codecs, salted);
  }
}

function parse(text: string): ReadonlyMap<string, string> {
  const hashes = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const colon = line.indexOf(':');
    if (colon <= 0) throw new AccountsError(index + 1, 'it is not NAME:HASH');
    const hash = line.slice(colon + 1).trim();
    if (!BCRYPT.test(hash)) throw new AccountsError(index + 1, 'its hash is not of bcrypt');
    hashes.set(line.slice(0, colon), hash);
  }
  return hashes;
}
