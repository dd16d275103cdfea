/** The memory of a traced task, whatever its protection says (FOLL_FORCE): breakpoints are written into code. */
import { PROT_WRITE } from '../../abi/mman.ts';
import type { Mm } from '../mm/mm.ts';

const PAGE = 4096;

/** Calls `use` for each page's part of [address, address + length); how many bytes were done before one is not there. */
function eachPage(mm: Mm, address: number, length: number, use: (at: number, done: number, part: number) => boolean): number {
  let done = 0;
  while (done < length) {
    const at = address + done;
    const part = Math.min(length - done, PAGE - (at % PAGE));
    const exists = at >= 0 && at + part <= 0x1_0000_0000 && mm.vmas.find(at) !== undefined && !mm.isSecret(at);
    if (!exists || !use(at, done, part)) break;
    done += part;
  }
  return done;
}

/** Reads mapped bytes, also those that the program may not; how many. */
export function forceRead(mm: Mm, address: number, target: Uint8Array): number {
  return eachPage(mm, address, target.length, (at, done, part) => {
    const vma = mm.vmas.find(at)!;
    if (at >= vma.fileEnd) return false;
    mm.memory.readable(at, part);
    const { space } = mm;
    const offset = space.offset(at);
    target.set(space.u8.subarray(offset, offset + part), done);
    return true;
  });
}

/** Writes mapped bytes, also those that the program may not write unless they are shared; how many. Code that was made from them goes. */
export function forceWrite(mm: Mm, address: number, bytes: Uint8Array): number {
  return eachPage(mm, address, bytes.length, (at, done, part) => {
    const source = bytes.subarray(done, done + part);
    const own = mm.memory.writable(at, part);
    if (own !== undefined) {
      own.set(source);
      return true;
    }
    const vma = mm.vmas.find(at)!;
    const { space } = mm;
    const offset = space.offset(at);
    if ((vma.isShared && (vma.prot & PROT_WRITE) === 0) || at >= vma.fileEnd || offset + part > space.u8.length) return false;
    space.invalidateCode(at, at + part);
    space.u8.set(source, offset);
    return true;
  });
}
