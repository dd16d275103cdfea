/** Debian's control format (deb822(5)): paragraphs of `Field: value`, with continued lines. */

/** Paragraphs of a text, one after the other, with the fields that are asked for. Names of fields are compared without case. */
export function* paragraphs(text: string, wanted: readonly string[]): Generator<ReadonlyMap<string, string>> {
  const names = new Map(wanted.map((name) => [name.toLowerCase(), name]));
  let fields = new Map<string, string>();
  let current: string | undefined;
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end);
    const first = text.charCodeAt(start);
    if (line.trim() === '') {
      if (fields.size > 0) yield fields;
      fields = new Map();
      current = undefined;
    } else if (first === 0x20 || first === 0x09) {
      if (current !== undefined) fields.set(current, `${fields.get(current) ?? ''}\n${line.trim()}`);
    } else if (first !== 0x23) {
      const colon = line.indexOf(':');
      current = colon < 0 ? undefined : names.get(line.slice(0, colon).toLowerCase());
      if (current !== undefined) fields.set(current, line.slice(colon + 1).trim());
    }
    start = end + 1;
  }
  if (fields.size > 0) yield fields;
}
