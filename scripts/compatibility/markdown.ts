/** A table of Markdown: each row has as many cells as the head. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line), ''];
}

/** `a`, `b`. */
export function codes(names: Iterable<string>): string {
  return [...names].map((name) => `\`${name}\``).join(', ');
}
