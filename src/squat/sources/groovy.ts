/** Jenkins pipelines: `docker { image 'maven:3' }`, `docker.image('maven:3')`, `agent { docker 'maven:3' }`, and the commands in them. */
import { MOST_LINE_CHARACTERS } from '../limits.ts';
import { imagesInCommands, literalOf } from './shell.ts';
import type { FoundReference } from './types.ts';

const IMAGE = /\b(?:docker\.image|image|docker)\s{0,4}(?:\(\s{0,4}|\s{1,4})["']([^"'\s]{1,400})["']/g;

export function readGroovy(text: string): readonly FoundReference[] {
  const found: FoundReference[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.length > MOST_LINE_CHARACTERS || /^\s*(?:\/\/|\*)/.test(line)) continue;
    const named = [...line.matchAll(IMAGE)].map(([, word = '']) => ({ text: word, how: 'image' }));
    const commands = /\bsh\b/.test(line) ? imagesInCommands(line.replace(/^\s*sh\s*\(?\s*["']{1,3}/, '').replace(/["']{1,3}\s*\)?\s*$/, '')) : imagesInCommands(line.trim());
    for (const { text: word, how } of [...named, ...commands]) {
      const literal = literalOf(word);
      if (literal !== undefined) found.push({ text: literal, line: index + 1, how });
    }
  }
  return found;
}
