/** Byte strings as strace(1) shows them. */

/** A C string literal of bytes. */
export function quote(text: string): string {
  let out = '"';
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const escape = { 9: '\\t', 10: '\\n', 11: '\\v', 12: '\\f', 13: '\\r', 34: '\\"', 92: '\\\\' }[code];
    if (escape !== undefined) out += escape;
    else if (code >= 32 && code < 127) out += text[i];
    else if (/[0-7]/.test(text[i + 1] ?? '')) out += `\\${code.toString(8).padStart(3, '0')}`;
    else out += `\\${code.toString(8)}`;
  }
  return `${out}"`;
}
