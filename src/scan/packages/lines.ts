/** The few forms of TOML and of the lock files' own formats that packages are written in. They are read by line, so that no file costs more than its length. */

/** Tables `[[package]]` of a TOML file, with their plain strings: Cargo.lock, poetry.lock, uv.lock, pdm.lock. Tables of other names within one end it. */
export function* tomlPackages(text: string): Generator<ReadonlyMap<string, string>> {
  let fields: Map<string, string> | undefined;
  let isOwn = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('[')) {
      isOwn = line.trim() === '[[package]]';
      if (isOwn) {
        if (fields !== undefined) yield fields;
        fields = new Map();
      }
    } else if (isOwn && fields !== undefined) {
      const [, name, value] = /^([A-Za-z0-9_-]{1,40})\s*=\s*(.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) fields.set(name, value.startsWith('"') ? plainString(value) : value.trim());
    }
  }
  if (fields !== undefined) yield fields;
}

function plainString(value: string): string {
  const end = value.indexOf('"', 1);
  return end < 0 ? '' : value.slice(1, end);
}

/** `"@babel/core@^7.0.0, @babel/core@^7.1.0":` to `@babel/core`. */
export function nameBeforeVersion(text: string): string {
  const at = text.indexOf('@', 1);
  return at < 0 ? text : text.slice(0, at);
}
