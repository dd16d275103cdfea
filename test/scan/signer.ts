/** A key of GnuPG's own, and what it signs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { peer } from '../images/fixtures.ts';

/** Lines of the armored form that hold no key. */
const ARMOR = /^-.*$|^=.{4}$|^\w+:.*$/gm;

export interface SignerSettings {
  /** The clock when the key is made and when it signs: `20200101T000000`. */
  readonly time?: string;
  /** How long the key is good: `1y`. */
  readonly validity?: string;
}

export class Signer {
  readonly #home: string;
  readonly #clock: readonly string[];
  /** The public key, in the binary form. */
  readonly key: Buffer;
  readonly armoredKey: string;
  readonly fingerprint: string;

  /** `home`: a directory for GnuPG, made here. Whoever makes one ends it. */
  constructor(home: string, { time, validity = 'never' }: SignerSettings = {}) {
    mkdirSync(home, { mode: 0o700 });
    this.#home = home;
    this.#clock = time === undefined ? [] : ['--faked-system-time', time];
    this.#gpg(['--passphrase', '', '--quick-gen-key', 'Mirror <mirror@example.com>', 'ed25519', 'sign', validity]);
    this.armoredKey = this.#gpg(['--armor', '--export']);
    this.key = Buffer.from(this.armoredKey.replace(ARMOR, ''), 'base64');
    this.fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(this.#gpg(['--with-colons', '--fingerprint']))?.[1] ?? '';
  }

  #gpg(args: readonly string[], input = ''): string {
    return peer('gpg', ['--homedir', this.#home, '--batch', '--quiet', '--no-tty', '--pinentry-mode', 'loopback', ...this.#clock, ...args], { input: Buffer.from(input) }).stdout;
  }

  /** RFC 9580 7. */
  clearSigned(text: string): string {
    return this.#gpg(['--passphrase', '', '--clearsign'], text);
  }

  /** A signature to lie beside the text, armored. */
  detached(text: string): string {
    const file = join(this.#home, 'text');
    writeFileSync(file, text);
    return this.#gpg(['--passphrase', '', '--armor', '--detach-sign', '--output', '-', file]);
  }

  /** The same key, good for ever from now on. */
  renewed(): Buffer {
    this.#gpg(['--passphrase', '', '--quick-set-expire', this.fingerprint, '0']);
    return Buffer.from(this.#gpg(['--armor', '--export']).replace(ARMOR, ''), 'base64');
  }

  end(): void {
    peer('gpgconf', ['--homedir', this.#home, '--kill', 'all']);
  }
}
