/** Names of a container's users and groups, as they were before its first program ran: what a guest writes into the files later renames nobody. */
import { MOST_NAMES } from './limits.ts';
import type { ContainerFacts } from './subject.ts';

const MOST_BYTES = 1 << 20;

function namesIn(bytes: Uint8Array | number): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (typeof bytes === 'number' || bytes.length > MOST_BYTES) return names;
  for (const line of latin1(bytes).split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (names.size >= MOST_NAMES) break;
    if (name !== '' && /^\d{1,10}$/.test(id) && !names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** `read` answers a file's bytes, or a negative errno. */
export function readNames(read: (path: string) => Uint8Array | number): Pick<ContainerFacts, 'userNames' | 'groupNames'> {
  return { userNames: namesIn(read('/etc/passwd')), groupNames: namesIn(read('/etc/group')) };
}
