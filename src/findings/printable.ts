/** What others say (names, messages, files) does not steer the terminal: control and format characters, which also turn the direction of text, are shown as escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
  });
}

/** A line of a file: the same, but a tab stays. */
export function printableLine(text: string): string {
  return text.split('\t').map(printable).join('\t');
}

/** Rows with their columns aligned, three spaces between, as `docker images`. */
export function formatTable(cells: readonly (readonly string[])[]): string {
  const rows = cells.map((row) => row.map(printable));
  const widths: number[] = [];
  for (const row of rows) for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, text.length);
  return rows.map((row) => `${row.map((text, column) => (column === row.length - 1 ? text : text.padEnd(widths[column] ?? 0))).join('   ').trimEnd()}\n`).join('');
}

/** JSON in lines, whose texts are escaped so that a terminal may show it. */
export function printableJson(document: unknown): string {
  const text = JSON.stringify(document, undefined, 2);
  return `${text.replace(/(?!\n)[\p{Cc}\p{Cf}\u2028\u2029]/gu, (characters) => characters.split('').map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''))}\n`;
}
