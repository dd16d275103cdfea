/** The program that a call of execve would start, before it does. */
import { AT_FDCWD } from '../../abi/fcntl.ts';
import { isScript, HEADER_BYTES, parseScriptLine } from '../exec/script.ts';
import { openExecutable, type ExecutableFile } from '../syscalls/file-exec.ts';
import type { KernelTask } from '../task/task.ts';
import type { CallEvent } from './event.ts';
import { MOST_COMMAND_BYTES } from './limits.ts';
import { programFacts } from './programs.ts';
import type { ProgramFacts } from './types.ts';

/** The arguments as far as they are kept. */
function copiedArguments(task: KernelTask, address: number): string[] {
  const texts: string[] = [];
  let room = MOST_COMMAND_BYTES;
  for (let at = address; address !== 0 && room > 0; at += 8) {
    const pointer = task.memory.readI64(at);
    if (pointer === undefined || pointer === 0) break;
    const text = task.memory.readString(pointer, task.kernel.limits.argumentLength);
    if (typeof text === 'number') break;
    texts.push(text);
    room -= text.length + 1;
  }
  return texts;
}

/** Undefined: no program can be started by the call. */
export function programToBe(event: CallEvent, args: readonly number[], caller: ProgramFacts): ProgramFacts | undefined {
  const { task, pathArgument } = event;
  if (pathArgument?.text === undefined) return undefined;
  const isAt = event.type === 'execveat';
  const flags = isAt ? args[4]! : 0;
  let texts = copiedArguments(task, args[isAt ? 2 : 1]!);
  let file: ExecutableFile | number = openExecutable(task, pathArgument.directory, pathArgument.text, flags);
  let name = pathArgument.text;
  for (let depth = 0; depth <= task.kernel.limits.scriptDepth; depth++) {
    if (typeof file === 'number') return undefined;
    const header = new Uint8Array(HEADER_BYTES);
    const bytes = header.subarray(0, Math.max(0, file.inode.readAt(header, 0)));
    if (!isScript(bytes)) break;
    const line = parseScriptLine(bytes);
    if (typeof line === 'number') return undefined;
    texts = [line.interpreter, ...(line.argument === undefined ? [] : [line.argument]), name, ...texts.slice(1)];
    name = line.interpreter;
    file = openExecutable(task, AT_FDCWD, line.interpreter, 0);
  }
  if (typeof file === 'number') return undefined;
  return programFacts(task.process, { requested: pathArgument.text, arguments: texts, file: { inode: file.inode, path: file.description, location: file.location } }, caller.parent);
}
