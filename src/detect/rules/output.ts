/** Texts of alerts: `%field` stands for its value, and `<NA>` is shown where there is none. */
import { readerOf } from '../condition/compile.ts';
import { MOST_OUTPUT_LENGTH } from '../limits.ts';
import type { Subject } from '../subject.ts';
import { toText } from '../text.ts';

export interface Output {
  readonly text: (subject: Subject) => string;
  /** By field. */
  readonly fields: (subject: Subject) => Readonly<Record<string, string | number | boolean | null>>;
}

const FIELD = /%([A-Za-z_]\w*(?:\.\w+)*)(?:\[([^\]\n]*)\])?/g;

/** @throws ConditionError */
export function compileOutput(template: string): Output {
  const source = template.replace(/^\*/, '').replace(/\s+/g, ' ').trim();
  const parts: ((subject: Subject) => string)[] = [];
  const fields = new Map<string, (subject: Subject) => string | number | boolean | null>();
  let end = 0;
  for (const match of source.matchAll(FIELD)) {
    const [whole, name = '', argument] = match;
    const { get } = readerOf({ name, argument, transformers: [], offset: template.indexOf(whole) });
    const literal = source.slice(end, match.index);
    end = match.index + whole.length;
    const read = (subject: Subject): string | number | boolean | null => {
      const value = get(subject);
      return typeof value === 'string' ? toText(value) : (value ?? null);
    };
    fields.set(whole.slice(1), read);
    parts.push(() => literal, (subject) => String(read(subject) ?? '<NA>'));
  }
  const rest = source.slice(end);
  return {
    text: (subject) => {
      const text = parts.map((part) => part(subject)).join('') + rest;
      return text.length > MOST_OUTPUT_LENGTH ? `${text.slice(0, MOST_OUTPUT_LENGTH)}...` : text;
    },
    fields: (subject) => Object.fromEntries([...fields].map(([name, read]) => [name, read(subject)])),
  };
}
