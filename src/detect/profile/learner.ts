/** Sees what a container does, and makes a profile of it. */
import { ECONNREFUSED, EHOSTUNREACH, EINPROGRESS, ENOENT, ETIMEDOUT } from '../../abi/errno.ts';
import { SYSCALL_ROWS } from '../../kernel/syscalls/table.ts';
import type { SystemEvent } from '../../kernel/watch/types.ts';
import { ADDRESSES_TO_GENERALISE, MOST_PROFILE_IMAGES, MOST_PROFILE_LINES } from '../limits.ts';
import type { Seer } from '../use.ts';
import { capabilityName } from './capabilities.ts';
import { DEED_CALLS, deedsOf } from './deeds.ts';
import { generalise, temporaryPattern, withoutNumbers } from './generalise.ts';
import { literal } from './patterns.ts';
import { PATH_SECTIONS, SECTIONS } from './profile.ts';
import type { Deed, Profile, Section } from './profile.ts';

/** A connection that these end was meant all the same. ENOENT: a socket in a file system that is not there, such as nscd's. */
const TRIED: ReadonlySet<number> = new Set([-EINPROGRESS, -ECONNREFUSED, -ETIMEDOUT, -EHOSTUNREACH, -ENOENT]);

/** Sections that nothing can be said of where not all calls are seen. */
const NOT_IN_STREAMS: ReadonlySet<Section> = new Set<Section>(['calls', 'capabilities']);

const succeeded = ({ type, result }: SystemEvent): boolean => result >= 0 || (type === 'connect' && TRIED.has(result));

function lineOf({ section, value }: Deed): string {
  if (section === 'read' || section === 'write') return withoutNumbers(value);
  return section === 'programs' ? literal(value) : value;
}

/** Many addresses with one port become any address with that port. */
function generaliseAddresses(lines: Iterable<string>): readonly string[] {
  const byPort = new Map<string, string[]>();
  for (const line of lines) {
    const [, protocol, port] = /^(tcp|udp|raw) .*(:[^:]*)$/.exec(line) ?? [];
    const group = protocol === undefined ? line : `${protocol} *${port}`;
    byPort.set(group, [...(byPort.get(group) ?? []), line]);
  }
  return [...byPort].flatMap(([group, found]) => (found.length >= ADDRESSES_TO_GENERALISE || found.includes(group) ? [group] : found)).sort();
}

export class ProfileLearner implements Seer {
  readonly calls = DEED_CALLS;
  /** The others: that they are made is enough. */
  readonly firstCalls: ReadonlySet<string> = new Set(SYSCALL_ROWS.map(({ name }) => name).filter((name) => !DEED_CALLS.has(name)));
  readonly #lines: ReadonlyMap<Section, Set<string>>;
  readonly #pending = new WeakMap<SystemEvent, readonly Deed[]>();
  readonly #knowsCalls: boolean;
  /** Lines beyond the bound. */
  leftOut = 0;

  /** `knowsCalls`: false where not all calls are seen, as in a recorded stream, so that nothing can be said of the others. */
  constructor(knowsCalls: boolean) {
    this.#knowsCalls = knowsCalls;
    this.#lines = new Map(SECTIONS.map((section) => [section, new Set<string>()]));
  }

  /** What it is about is told as it was before the call, as whoever forbids will see it. */
  before(event: SystemEvent): void {
    this.#pending.set(event, deedsOf(event));
  }

  happened(event: SystemEvent): void {
    this.#add('calls', event.type);
    if (!succeeded(event)) return;
    for (const deed of this.#pending.get(event) ?? deedsOf(event)) this.#add(deed.section, lineOf(deed));
  }

  first(call: string): void {
    this.#add('calls', call);
  }

  capability(capability: number): void {
    this.#add('capabilities', capabilityName(capability));
  }

  #add(section: Section, line: string): void {
    const lines = this.#lines.get(section)!;
    if (lines.has(line)) return;
    if (lines.size >= MOST_PROFILE_LINES) this.leftOut++;
    else lines.add(line);
  }

  /** With what was learned before. */
  profile(before: Profile | undefined, seen: readonly string[]): Profile {
    const images = [...new Set([...(before?.images ?? []), ...seen.filter((image) => image !== '')])].sort().slice(0, MOST_PROFILE_IMAGES);
    const sections = new Map<Section, readonly string[]>();
    for (const section of SECTIONS) {
      const known = before?.sections.get(section);
      // What is not restricted stays so.
      if (before === undefined ? NOT_IN_STREAMS.has(section) && !this.#knowsCalls : known === undefined) continue;
      sections.set(section, this.#joined(section, new Set([...(known ?? []), ...this.#lines.get(section)!])));
    }
    return { runs: (before?.runs ?? 0) + 1, images, sections };
  }

  #joined(section: Section, lines: Set<string>): readonly string[] {
    if (section === 'connect') return generaliseAddresses(lines);
    if (!PATH_SECTIONS.has(section) || section === 'programs') return [...lines].sort();
    const written = this.#temporary();
    return generalise([...lines].map((line) => {
      const wide = temporaryPattern(line);
      return wide !== undefined && written.has(wide) ? wide : line;
    }));
  }

  /** Directories for what is temporary, in which something was made. */
  #temporary(): ReadonlySet<string> {
    return new Set([...this.#lines.get('write')!].flatMap((line) => temporaryPattern(line) ?? []));
  }
}
