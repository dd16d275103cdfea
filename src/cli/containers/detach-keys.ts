/** The keys that end the connection to a container and not the container: `ctrl-p,ctrl-q`, as in Docker's `--detach-keys`. */
import { UserError } from '../errors.ts';

export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

/** What stands behind `ctrl-`: letters, and the others of ASCII's control characters. */
const CONTROLS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

function keyOf(word: string, text: string): number {
  if (word.length === 1 && word.charCodeAt(0) < 128) return word.charCodeAt(0);
  const control = /^ctrl-(.)$/i.exec(word)?.[1]?.toLowerCase();
  const code = control === undefined ? -1 : CONTROLS.indexOf(control);
  if (code < 0) throw new UserError(`Invalid detach keys (${text}) provided: "${word}" is no key`, 'such as ctrl-p,ctrl-q or ctrl-],x');
  return code;
}

/** Bytes, one after the other. @throws UserError */
export function parseDetachKeys(text: string): readonly number[] {
  // An empty one is the default, as in Docker.
  return (text === '' ? DEFAULT_DETACH_KEYS : text).split(',').map((word) => keyOf(word, text));
}

/** Finds the keys in what is typed. What only begins like them is passed on when it does not go on like them. */
export class DetachKeys {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** What is to be passed on, and whether all the keys have come; what is behind them is nobody's. */
  feed(bytes: Uint8Array): { readonly passed: Uint8Array; readonly isDetached: boolean } {
    const passed: number[] = [];
    for (const byte of bytes) {
      if (byte !== this.#keys[this.#matched]) {
        passed.push(...this.#keys.slice(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) {
        passed.push(byte);
        continue;
      }
      this.#matched++;
      if (this.#matched === this.#keys.length) return { passed: Uint8Array.from(passed), isDetached: true };
    }
    return { passed: Uint8Array.from(passed), isDetached: false };
  }
}
