/** `--chmod`: octal, or chmod(1)'s letters (`u=rwX,go=rX`). */
import { BuildError } from './errors.ts';

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007, a: 0o7777 };

function bitsOf(letters: string, mode: number, isDirectory: boolean): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x' || (letter === 'X' && (isDirectory || (mode & 0o111) !== 0))) bits |= 0o111;
    else if (letter === 's') bits |= 0o6000;
    else if (letter === 't') bits |= 0o1000;
    else if (letter === 'u' || letter === 'g' || letter === 'o') {
      const three = (mode >> (letter === 'u' ? 6 : letter === 'g' ? 3 : 0)) & 7;
      bits |= (three << 6) | (three << 3) | three;
    }
  }
  return bits;
}

export type ModeChange = (mode: number, isDirectory: boolean) => number;

/** @throws BuildError for what is no mode. */
export function parseMode(text: string): ModeChange {
  if (/^[0-7]{1,4}$/.test(text)) {
    const value = Number.parseInt(text, 8);
    return () => value;
  }
  const clauses = text.split(',').map((clause) => /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/.exec(clause));
  if (clauses.some((clause) => clause === null)) throw new BuildError(`cannot use --chmod=${text}: it is no mode`, { advice: 'such as 755 or u=rwX,go=rX' });
  return (before, isDirectory) => {
    let mode = before;
    for (const clause of clauses) {
      const mask = [...(clause?.[1] || 'a')].reduce((sum, who) => sum | (WHO[who] ?? 0), 0);
      for (const [, operator = '', letters = ''] of (clause?.[2] ?? '').matchAll(/([-+=])([^-+=]*)/g)) {
        const bits = bitsOf(letters, mode, isDirectory) & mask;
        if (operator === '+') mode |= bits;
        else if (operator === '-') mode &= ~bits;
        else mode = (mode & ~(mask & 0o7777)) | bits;
      }
    }
    return mode & 0o7777;
  };
}
