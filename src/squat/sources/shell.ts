/**
 * Commands that name images, in scripts and in the lines of other files that hold commands: `docker run -d --name x IMAGE`. A shell is not run and
 * not parsed: words are split as far as quotes go, and what variables would give is not known.
 */
import { MOST_LINE_CHARACTERS } from '../limits.ts';
import type { FoundReference } from './types.ts';

const ENGINES: ReadonlySet<string> = new Set(['docker', 'podman', 'nerdctl', 'caisson', 'buildah', 'finch']);
/** Where the image stands behind the command: the first word that is no flag; all of them; behind a flag. */
const COMMANDS: ReadonlyMap<string, 'first' | 'all' | 'tags'> = new Map([['run', 'first'], ['create', 'first'], ['pull', 'all'], ['push', 'all'], ['from', 'first'], ['rmi', 'all'], ['tag', 'all'], ['build', 'tags'], ['scan', 'first'], ['inspect', 'first']]);
/** Flags of `run` and `create` that have no value; all others take the next word, unless they have a `=`. */
const WITHOUT_VALUE: ReadonlySet<string> = new Set([
  '--rm', '--detach', '--interactive', '--tty', '--privileged', '--read-only', '--init', '--publish-all', '--no-healthcheck', '--oom-kill-disable', '--quiet', '--sig-proxy', '--disable-content-trust', '--all-tags', '--tls-verify',
  '--changes', '--stats', '--apply', '--yes', '--plain-http', '--replace', '--no-hosts', '--force', '--no-prune', '--rmi', '--env-host', '--no-trunc', '--all',
]);
const SHORT_WITHOUT_VALUE = /^-[ditPqfa]+$/;
const TAG_FLAGS: ReadonlySet<string> = new Set(['-t', '--tag', '--cache-from']);
/** Words before which a command may begin anew. */
const BEGINS: ReadonlySet<string> = new Set([';', '&&', '||', '|', '&', '(', ')', '{', '}', 'then', 'do', 'else', '!', 'time', 'sudo', 'exec', 'env', 'xargs', '`']);
const MOST_WORDS = 500;

/** Commands in commands in commands. */
const MOST_DEPTH = 5;

/** Where the bracket closes that opens at `open`; the end if it does not. */
function closingOf(line: string, open: number): number {
  let depth = 0;
  for (let at = open; at < line.length; at++) {
    if (line[at] === '(') depth++;
    else if (line[at] === ')' && --depth === 0) return at;
  }
  return line.length;
}

/** The words of a line; operators are words of their own. What stands in `$( )` is a part of its word, and comes once more behind all. */
export function splitShell(line: string, depth = 0): readonly string[] {
  const words: string[] = [];
  const inner: string[] = [];
  let word = '';
  let quote = '';
  let isWord = false;
  const end = (): void => {
    if (isWord) words.push(word);
    word = '';
    isWord = false;
  };
  for (let at = 0; at < line.length && words.length < MOST_WORDS; at++) {
    const letter = line[at] ?? '';
    if (quote !== '') {
      if (letter === quote) quote = '';
      else word += letter;
      continue;
    }
    if (letter === '"' || letter === '\'') {
      quote = letter;
      isWord = true;
    } else if (letter === ' ' || letter === '\t') {
      end();
    } else if (letter === '#' && !isWord) {
      break;
    } else if (letter === '$' && line[at + 1] === '(') {
      const close = closingOf(line, at + 1);
      if (depth < MOST_DEPTH) inner.push(line.slice(at + 2, close));
      word += '$()';
      isWord = true;
      at = close;
    } else if (';&|()`'.includes(letter)) {
      end();
      if ((letter === '&' || letter === '|') && line[at + 1] === letter) at++;
      words.push(letter);
    } else {
      word += letter;
      isWord = true;
    }
  }
  end();
  return [...words, ...inner.flatMap((text) => [';', ...splitShell(text, depth + 1)])].slice(0, MOST_WORDS);
}

/** `${IMAGE:-debian:12}` gives what it has if nothing is set; a variable alone gives nothing. */
export function literalOf(word: string): string | undefined {
  const text = word.replace(/\$\{[A-Za-z_]\w{0,100}:?-([^{}$]{1,300})\}/g, '$1');
  // A tag that varies leaves the name.
  const name = /^([^${}]+)[:@]\$(?:\{[^{}]*\}|\w+|\{\{[^{}]*\}\})?.*$/.exec(text)?.[1];
  const found = name ?? text;
  return found === '' || /[${}<>*?\\%]/.test(found) ? undefined : found;
}

function skipFlags(words: readonly string[], start: number): number {
  let at = start;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (word === '--') return at + 1;
    if (!word.startsWith('-') || word === '-') return at;
    at += word.includes('=') || WITHOUT_VALUE.has(word) || SHORT_WITHOUT_VALUE.test(word) || (/^-[a-z]./i.test(word) && !word.startsWith('--') && /^-[vepulmwhc].{2,}$/.test(word)) ? 1 : 2;
  }
  return at;
}

function endOf(words: readonly string[], start: number): number {
  let at = start;
  while (at < words.length && !BEGINS.has(words[at] ?? '')) at++;
  return at;
}

/** What one command of an engine names. */
function imagesOf(words: readonly string[], start: number, kind: 'first' | 'all' | 'tags'): readonly string[] {
  const end = endOf(words, start);
  if (kind === 'tags') return words.slice(start, end).flatMap((word, index) => (TAG_FLAGS.has(word) ? [words[start + index + 1] ?? ''] : /^--(?:tag|cache-from)=/.test(word) ? [word.slice(word.indexOf('=') + 1)] : []));
  const first = skipFlags(words.slice(0, end), start);
  if (kind === 'first') return words.slice(first, Math.min(end, first + 1));
  return words.slice(first, end).filter((word) => !word.startsWith('-') && !/^[12]?[<>]/.test(word));
}

interface Named {
  readonly text: string;
  readonly how: string;
}

/** What a line's commands name. */
export function imagesInCommands(line: string): readonly Named[] {
  if (line.length > MOST_LINE_CHARACTERS) return [];
  const found: Named[] = [];
  for (const { 0: text } of line.matchAll(/\bdocker:\/\/[A-Za-z0-9][\w./:@-]{0,400}/g)) found.push({ text: text.slice('docker://'.length), how: 'docker://' });
  if (!/docker|podman|nerdctl|caisson|buildah|finch|image/.test(line)) return found;
  const words = splitShell(line);
  for (const [at, word] of words.entries()) {
    const name = word.slice(word.lastIndexOf('/') + 1);
    const setImage = /^--image=(.+)$/.exec(word)?.[1] ?? (word === '--image' ? words[at + 1] : undefined);
    if (setImage !== undefined) found.push({ text: setImage, how: '--image' });
    if (!ENGINES.has(name)) continue;
    let next = skipFlags(words, at + 1);
    if (words[next] === 'image' || words[next] === 'container' || words[next] === 'buildx') next = skipFlags(words, next + 1);
    const kind = COMMANDS.get(words[next] ?? '');
    if (kind === undefined) continue;
    for (const image of imagesOf(words, next + 1, kind)) found.push({ text: image, how: `${name} ${words[next] ?? ''}` });
  }
  return found;
}

/** A line with those that it goes on with, because of a backslash at its end. `end`: the number of the last one, from 1 on. */
export function joinedLine(lines: readonly string[], index: number): { readonly whole: string; readonly end: number } {
  let whole = lines[index] ?? '';
  let end = index + 1;
  while (whole.endsWith('\\') && end < lines.length && whole.length < MOST_LINE_CHARACTERS) whole = `${whole.slice(0, -1)} ${(lines[end++] ?? '').trimStart()}`;
  return { whole, end };
}

export function readShell(text: string): readonly FoundReference[] {
  const found: FoundReference[] = [];
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const line = at + 1;
    const { whole, end } = joinedLine(lines, at);
    at = end - 1;
    if (/^\s*#/.test(whole)) continue;
    for (const { text: word, how } of [...imagesInCommands(whole), ...imagesInAssignments(whole)]) {
      const literal = literalOf(word);
      if (literal !== undefined) found.push({ text: literal, line: lineOf(lines, line, end, literal), how });
    }
  }
  return found;
}

/** Whether the text stands there by itself, and not as a part of a longer word. */
function hasWord(line: string, text: string): boolean {
  for (let at = line.indexOf(text); at >= 0; at = line.indexOf(text, at + 1)) {
    if (!/[\w./-]/.test(line[at - 1] ?? ' ') && !/[\w./-]/.test(line[at + text.length] ?? ' ')) return true;
  }
  return false;
}

/** Of lines that go on, the one that has the text. */
export function lineOf(lines: readonly string[], from: number, to: number, text: string): number {
  for (let line = from; line < to; line++) if (hasWord(lines[line - 1] ?? '', text)) return line;
  return to;
}

/** `IMAGE=debian:12`, `POSTGRES_IMAGE ?= postgres:15`. */
function imagesInAssignments(line: string): readonly Named[] {
  const match = /^\s{0,40}(?:export\s{1,4}|readonly\s{1,4}|ARG\s{1,4})?([A-Za-z_][A-Za-z0-9_]{0,100})\s{0,8}[?:]{0,2}=\s{0,8}["']?([^\s"']{1,400})["']?\s{0,40}(?:#.{0,400})?$/.exec(line);
  const [, name = '', value = ''] = match ?? [];
  return /(?:^|_)(?:image|base_image|baseimage)$/i.test(name) ? [{ text: value, how: name }] : [];
}
