/**
 * Names with wildcards: Go's `filepath.Match`, which COPY uses, and moby's `patternmatcher` above it, which `.dockerignore`,
 * `--exclude` and `--parents` use (`**`, exceptions, a directory stands for all that is in it).
 */
import { BuildError } from './errors.ts';
import { MOST_IGNORE_PATTERNS } from './limits.ts';

const quoted = (character: string): string => character.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** A shell's pattern for `${NAME#PATTERN}`: `*` and `?` take every character. */
export function patternSource(pattern: string, greedy: boolean): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') source += greedy ? '.*' : '.*?';
    else if (character === '?') source += '.';
    else if (character === '\\' && at + 1 < pattern.length) source += quoted(pattern[++at]!);
    else source += quoted(character);
  }
  return source;
}

/** `[a-z]`, `[^a]`: the expression and where it ends; undefined for one that is not closed. */
function characterClass(pattern: string, start: number): readonly [source: string, end: number] | undefined {
  let at = start + 1;
  let source = '[';
  if (pattern[at] === '^') {
    source += '^';
    at++;
  }
  const first = at;
  for (; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === ']' && at > first) return [`${source}]`, at];
    if (character === '\\' && at + 1 < pattern.length) source += quoted(pattern[++at]!);
    else source += character === '-' ? '-' : quoted(character);
  }
  return undefined;
}

/** @throws BuildError */
function globSource(pattern: string): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*' && pattern[at + 1] === '*') {
      at++;
      if (pattern[at + 1] === '/') at++;
      source += at + 1 === pattern.length ? '.*' : '(?:.*\\/)?';
    } else if (character === '*') source += '[^/]*';
    else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const found = characterClass(pattern, at);
      if (found === undefined) throw new BuildError(`cannot use the pattern "${pattern}": its [ is not closed`, { advice: 'close it with ], or write \\[' });
      source += found[0];
      at = found[1];
    } else if (character === '\\' && at + 1 < pattern.length) source += quoted(pattern[++at]!);
    else source += quoted(character);
  }
  return source;
}

export function hasWildcard(pattern: string): boolean {
  return /[*?[\\]/.test(pattern);
}

/** One name, or a whole path. @throws BuildError for a pattern that cannot be read. */
export function compilePattern(pattern: string): RegExp {
  try {
    return new RegExp(`^${globSource(pattern)}$`, 's');
  } catch (error) {
    if (error instanceof BuildError) throw error;
    throw new BuildError(`cannot use the pattern "${pattern}"`, { advice: 'see Go\'s filepath.Match', cause: error });
  }
}

interface Rule {
  readonly expression: RegExp;
  readonly isException: boolean;
  readonly source: string;
}

/** A path without `.`, doubled slashes and `..`, relative to the top. */
export function cleanPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return parts.join('/');
}

/** What is left out: later rules win, a directory takes with it what is in it. */
export class IgnoreRules {
  readonly #rules: readonly Rule[];

  /** @throws BuildError for a pattern that cannot be read. */
  constructor(patterns: readonly string[]) {
    if (patterns.length > MOST_IGNORE_PATTERNS) throw new BuildError(`there are more than ${MOST_IGNORE_PATTERNS} patterns of what to leave out`);
    this.#rules = patterns.flatMap((line) => {
      const trimmed = line.trim();
      if (trimmed === '') return [];
      const isException = trimmed.startsWith('!');
      const source = cleanPath(isException ? trimmed.slice(1).trim() : trimmed);
      if (source === '' && isException) return [];
      return [{ expression: compilePattern(source), isException, source }];
    });
  }

  /** Lines of a `.dockerignore`. */
  static read(text: string): IgnoreRules {
    return new IgnoreRules(text.replace(/^\xef\xbb\xbf/, '').split('\n').filter((line) => !line.startsWith('#')));
  }

  get isEmpty(): boolean {
    return this.#rules.length === 0;
  }
  get hasExceptions(): boolean {
    return this.#rules.some(({ isException }) => isException);
  }

  /** `parent`: whether the directory that it is in is left out. */
  excludes(path: string): boolean {
    const parts = path.split('/');
    let excluded = false;
    for (const { expression, isException } of this.#rules) {
      if (isException !== excluded) continue;
      let above = '';
      const matches = parts.some((part) => {
        above = above === '' ? part : `${above}/${part}`;
        return expression.test(above);
      });
      if (matches) excluded = !isException;
    }
    return excluded;
  }
}
