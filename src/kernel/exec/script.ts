/** The first line of a script (execve(2) "Interpreter scripts", Linux fs/binfmt_script.c). */
import { ENOEXEC } from '../../abi/errno.ts';
import { bytesToString } from '../mm/user-memory.ts';

/** BINPRM_BUF_SIZE: what is read of a file to see what it is. */
export const HEADER_BYTES = 256;

export interface ScriptLine {
  readonly interpreter: string;
  /** Everything after the interpreter, as one argument. */
  readonly argument: string | undefined;
}

export function isScript(header: Uint8Array): boolean {
  return header[0] === 0x23 && header[1] === 0x21;
}

/** Interpreter and argument, or -ENOEXEC. `header` is the start of the file, at most HEADER_BYTES. */
export function parseScriptLine(header: Uint8Array): ScriptLine | number {
  const text = bytesToString(header.subarray(2));
  const newline = text.indexOf('\n');
  // Without a newline the name may be cut off: only what ends within the buffer counts.
  const cut = newline < 0 && header.length >= HEADER_BYTES;
  let line = newline < 0 ? text : text.slice(0, newline);
  const nul = line.indexOf('\0');
  if (nul >= 0) line = line.slice(0, nul);
  line = line.replace(/^[ \t]+/, '');
  if (!cut) line = line.replace(/[ \t]+$/, '');
  const match = /^([^ \t]+)(?:([ \t]+)(.*))?$/s.exec(line);
  if (match === null || (cut && match[2] === undefined)) return -ENOEXEC;
  const argument = match[3];
  return { interpreter: match[1]!, argument: argument === undefined || argument === '' ? undefined : argument };
}
