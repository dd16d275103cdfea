/** Names of projects (compose-spec 04-version-and-name.md). */
import { ComposeError } from './errors.ts';

const NAME = /^[a-z0-9][a-z0-9_-]*$/;
const MOST_LENGTH = 63;

/** Of a directory: what is left of it in lower case. Empty: nothing. */
export function normalizedName(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9_-]/g, '').replace(/^[_-]+/, '').slice(0, MOST_LENGTH);
}

/** One that somebody has given. @throws ComposeError */
export function checkedName(text: string): string {
  if (!NAME.test(text) || text.length > MOST_LENGTH) throw new ComposeError(`invalid project name "${text.slice(0, MOST_LENGTH)}": it must consist only of lowercase alphanumeric characters, hyphens, and underscores, and start with a letter or number`, `such as "${normalizedName(text) || 'app'}"`);
  return text;
}
