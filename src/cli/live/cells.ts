/** Texts in columns of a terminal. Whatever they hold, they neither steer it nor take more columns than they are given. */
import { eastAsianWidth } from 'get-east-asian-width';
import { printable } from '../errors.ts';

const PLAIN = /^[\x20-\x7e]*$/;
/** Drawn above the character before. Guests may pile them up: they are left out. */
const COMBINING = /[\p{Mn}\p{Me}]/gu;
/** A half of a character, or a byte that is none. */
const STRAY = /\p{Cs}/gu;
const CUT = '~';

/** For a terminal, as it is measured here. `most`: characters that can be of use. */
export function shown(text: string, most: number): string {
  const piece = text.slice(0, most);
  return PLAIN.test(piece) ? piece : printable(piece.replace(STRAY, '?').replace(COMBINING, ''));
}

export function widthOf(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += eastAsianWidth(character.codePointAt(0)!);
  return width;
}

/** As much of it as fits. */
function start(text: string, width: number): string {
  let taken = '';
  let used = 0;
  for (const character of text) {
    used += widthOf(character);
    if (used > width) break;
    taken += character;
  }
  return taken;
}

/** Exactly so many columns; `~` at the end says that it is cut. */
export function fit(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  if (width <= 0) return '';
  const whole = shown(text, 2 * width + 2);
  const isCut = widthOf(whole) > width || text.length > 2 * width + 2;
  const piece = isCut ? `${start(whole, width - 1)}${CUT}` : whole;
  const padding = ' '.repeat(Math.max(0, width - widthOf(piece)));
  return align === 'left' ? piece + padding : padding + piece;
}

/** Lines of at most so many columns. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (let rest = shown(text, text.length); rest !== '';) {
    const line = start(rest, Math.max(2, width));
    lines.push(line);
    rest = rest.slice(line.length);
  }
  return lines.length === 0 ? [''] : lines;
}
