/**
 * sshd_config as sshd reads it: the first value of a keyword counts, but for those that add up; `Match` opens a part that holds for connections of a kind, up to the next one or the
 * end of its file, and whose values go before those outside, wherever it stands; `Include` stands for the files that its globs name, in the order of their names. sshd_config(5);
 * OpenSSH, servconf.c, which reads everything once for all and once more for each connection.
 */
import { MOST_CONFIGURATION_LINES, MOST_INCLUDED_FILES, MOST_INCLUDE_DEPTH, MOST_LINE_LENGTH } from '../limits.ts';
import { matchesGlob, matchesList } from './glob.ts';

export interface SshdValue {
  readonly value: string;
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
}

export interface SshdMatch {
  /** `user bob address 10.0.0.0/8` */
  readonly criteria: string;
  readonly settings: ReadonlyMap<string, SshdValue>;
}

export interface SshdConfig {
  /** For everybody, by keyword in small letters. What is not there has sshd's own default. */
  readonly settings: ReadonlyMap<string, SshdValue>;
  /** Of keywords that add up: all values. */
  readonly lists: ReadonlyMap<string, readonly SshdValue[]>;
  readonly matches: readonly SshdMatch[];
}

/** A file that is there, by its absolute path. */
export interface SshdFiles {
  readonly paths: readonly string[];
  text(path: string): string;
}

/** Keywords of which every one counts. */
const ADDING = new Set(['port', 'listenaddress', 'hostkey', 'hostcertificate', 'acceptenv', 'allowusers', 'allowgroups', 'denyusers', 'denygroups', 'subsystem', 'permitlisten', 'permitopen', 'setenv', 'logverbose', 'persourcepenaltyexemptlist']);
/** Other names of the same. */
const SAME: ReadonlyMap<string, string> = new Map([
  ['challengeresponseauthentication', 'kbdinteractiveauthentication'], ['skeyauthentication', 'kbdinteractiveauthentication'], ['dsaauthentication', 'pubkeyauthentication'],
  ['pubkeyacceptedkeytypes', 'pubkeyacceptedalgorithms'], ['hostbasedacceptedkeytypes', 'hostbasedacceptedalgorithms'], ['authorizedkeysfile2', 'authorizedkeysfile'], ['keepalive', 'tcpkeepalive'],
]);

/** The words of a line: quotes keep spaces, `#` at the start of a word ends it. OpenSSH, misc.c:argv_split(). Undefined for a quote that does not end. */
export function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    while (line[at] === ' ' || line[at] === '\t') at++;
    if (at >= line.length || line[at] === '#') break;
    let word = '';
    let quote = '';
    for (; at < line.length; at++) {
      const letter = line[at]!;
      if (letter === '\\' && /["'\\ ]/.test(line[at + 1] ?? '') && (quote === '' || line[at + 1] !== ' ')) word += line[++at];
      else if (quote === '' && (letter === ' ' || letter === '\t')) break;
      else if (quote === '' && (letter === '"' || letter === '\'')) quote = letter;
      else if (letter === quote) quote = '';
      else word += letter;
    }
    if (quote !== '') return undefined;
    words.push(word);
  }
  return words;
}

/** Who connects, for `sshd -T -C`. Without it no `Match` but `all` holds. */
export interface Connection {
  readonly user?: string;
  readonly host?: string;
  readonly address?: string;
  readonly localaddress?: string;
  readonly localport?: string;
}

type Part = { readonly holds: true } | { readonly holds: false; readonly criteria: string; readonly settings: Map<string, SshdValue> };

class Reader {
  readonly settings = new Map<string, SshdValue>();
  readonly lists = new Map<string, SshdValue[]>();
  readonly matches: SshdMatch[] = [];
  readonly #files: SshdFiles;
  readonly #connection: Connection | undefined;
  #included = 0;
  #patterns = 0;
  #lines = 0;
  /** Of parts that hold. */
  readonly #overriding = new Map<string, SshdValue>();
  /** The part that a line is in; undefined outside of all. */
  #part: Part | undefined;
  /** In a file that a part that does not hold includes: no part of it does. */
  #neverHolds = false;

  constructor(files: SshdFiles, connection: Connection | undefined) {
    [this.#files, this.#connection] = [files, connection];
  }

  read(path: string, depth = 0): void {
    const lines = this.#files.text(path).split('\n');
    for (let index = 0; index < lines.length && this.#lines++ < MOST_CONFIGURATION_LINES; index++) this.#line(lines[index]!.slice(0, MOST_LINE_LENGTH).trimEnd(), path, index + 1, depth);
  }

  #line(text: string, file: string, line: number, depth: number): void {
    // "Keyword=value" is a keyword as well.
    const words = wordsOf(text.replace(/^(\s*[A-Za-z0-9]+)\s*=\s*/, '$1 '));
    const keyword = words?.[0]?.toLowerCase();
    if (words === undefined || keyword === undefined || words.length < 2) return;
    if (keyword === 'include') this.#include(words.slice(1), depth);
    else if (keyword === 'match') this.#match(words.slice(1));
    else this.#set(SAME.get(keyword) ?? keyword, { value: words.slice(1).join(' '), file, line });
  }

  #set(keyword: string, value: SshdValue): void {
    const settings = this.#part === undefined ? this.settings : this.#part.holds ? this.#overriding : this.#part.settings;
    if (!settings.has(keyword)) settings.set(keyword, value);
    if ((this.#part === undefined || this.#part.holds) && ADDING.has(keyword)) this.lists.set(keyword, [...(this.lists.get(keyword) ?? []).slice(0, 1000), value]);
  }

  /** A `Match` in an included file ends with that file. */
  #include(patterns: readonly string[], depth: number): void {
    if (depth >= MOST_INCLUDE_DEPTH) return;
    const [outside, never] = [this.#part, this.#neverHolds];
    this.#neverHolds ||= outside?.holds === false;
    for (const pattern of patterns) {
      if (this.#patterns++ >= MOST_INCLUDED_FILES) break;
      const absolute = pattern.startsWith('/') ? pattern : `/etc/ssh/${pattern}`;
      const depthOfPattern = absolute.split('/').length;
      for (const path of this.#files.paths.filter((each) => each.split('/').length === depthOfPattern && each.split('/').every((part, index) => matchesPart(part, absolute.split('/')[index]!))).sort()) {
        if (this.#included++ >= MOST_INCLUDED_FILES) break;
        this.read(path, depth + 1);
        this.#part = outside;
      }
    }
    this.#neverHolds = never;
  }

  finish(): SshdConfig {
    return { settings: new Map([...this.settings, ...this.#overriding]), lists: this.lists, matches: this.matches };
  }

  #match(words: readonly string[]): void {
    if (!this.#neverHolds && this.#holds(words)) {
      this.#part = { holds: true };
      return;
    }
    const part = { holds: false as const, criteria: words.join(' '), settings: new Map<string, SshdValue>() };
    this.matches.push(part);
    this.#part = part;
  }

  /** `all`, or every criterion as the connection has it. */
  #holds(words: readonly string[]): boolean {
    if (words.length === 1 && words[0]!.toLowerCase() === 'all') return true;
    if (this.#connection === undefined || words.length % 2 !== 0) return false;
    for (let index = 0; index < words.length; index += 2) {
      const value = this.#connection[words[index]!.toLowerCase() as keyof Connection];
      if (value === undefined || !matchesList(value, words[index + 1]!)) return false;
    }
    return true;
  }
}

function matchesPart(part: string, pattern: string): boolean {
  return matchesGlob(part, pattern) && !(part.startsWith('.') && !pattern.startsWith('.'));
}

/** The configuration from `path` on. With a connection, what holds for it. */
export function readSshdConfig(path: string, files: SshdFiles, connection?: Connection): SshdConfig {
  const reader = new Reader(files, connection);
  reader.read(path);
  return reader.finish();
}
