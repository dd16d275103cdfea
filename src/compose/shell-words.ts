/** A command that is written as one text: words as a shell takes them apart, without variables or anything else of a shell. */
import { ComposeError } from './errors.ts';

/** @throws ComposeError where a quote is not closed. */
export function shellWords(text: string, where: string): readonly string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    const next = text[at + 1];
    if (quote === '\'' && character !== '\'') word += character;
    else if (character === quote) quote = '';
    else if (character === '\\' && next !== undefined && (quote === '' || '"\\$`\n'.includes(next))) {
      if (next !== '\n') word = (word ?? '') + next;
      at++;
    } else if (quote !== '') word += character;
    else if (character === '"' || character === '\'') {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + character;
  }
  if (quote !== '') throw new ComposeError(`${where}: a quote is not closed in "${text.slice(0, 100)}"`, 'close it, or write a list');
  return word === undefined ? words : [...words, word];
}
