/** Patterns of names: `*` stands for anything in one part, `**` for any number of parts, `{user}` for who asks. */

const ANY_USER = '{user}';

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

function compile(pattern: string, user: string): RegExp {
  const parts = pattern.split(/(\*\*|\*|\?|\{user\})/).map((part) => (part === '**' ? '.*' : part === '*' ? '[^/]*' : part === '?' ? '[^/]' : part === ANY_USER ? escape(user) : escape(part)));
  return new RegExp(`^(?:${parts.join('')})$`);
}

/** A user whose name could be a part of a repository's: nobody gets more by a name with slashes or stars. */
const PLAIN_USER = /^[a-z0-9]+(?:[._-]+[a-z0-9]+)*$/;

/**
 * @example
 * new Patterns(['team-a/**', 'home/{user}/*']).match('home/ann/app', 'ann') // true
 */
export class Patterns {
  readonly #fixed: readonly RegExp[];
  readonly #ofUser: readonly string[];

  constructor(patterns: readonly string[]) {
    this.#fixed = patterns.filter((pattern) => !pattern.includes(ANY_USER)).map((pattern) => compile(pattern, ''));
    this.#ofUser = patterns.filter((pattern) => pattern.includes(ANY_USER));
  }

  match(name: string, user?: string): boolean {
    if (this.#fixed.some((expression) => expression.test(name))) return true;
    return user !== undefined && PLAIN_USER.test(user) && this.#ofUser.some((pattern) => compile(pattern, user).test(name));
  }
}
