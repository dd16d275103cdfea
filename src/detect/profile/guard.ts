/** Holds calls against a profile, before they are made. */
import { EACCES, EPERM } from '../../abi/errno.ts';
import { SYSCALL_ROWS } from '../../kernel/syscalls/table.ts';
import type { SystemEvent } from '../../kernel/watch/types.ts';
import { MOST_TOLD_REFUSALS } from '../limits.ts';
import { capabilityName, capabilitySet } from './capabilities.ts';
import { DEED_CALLS, deedsOf, failsWith } from './deeds.ts';
import { literal, PatternSet } from './patterns.ts';
import { ALWAYS_ALLOWED } from './seccomp.ts';
import { PATH_SECTIONS } from './profile.ts';
import type { Deed, Profile, Section } from './profile.ts';

export type ProfileMode = 'enforce' | 'complain';

export interface Refusal {
  readonly section: Deed['section'];
  /** The line that would allow it. */
  readonly line: string;
  readonly errno: number;
  /** It has not been told yet. */
  readonly isNew: boolean;
  /** The call would have failed by itself, as what it is about is not there: nobody needs to know. */
  readonly isQuiet: boolean;
}

interface Allowed {
  has(value: string): boolean;
}

/** Addresses, of which one part may be `*`: `tcp *:443`, `tcp 127.0.0.1:*`. */
class AddressSet implements Allowed {
  readonly #lines: ReadonlySet<string>;

  constructor(lines: readonly string[]) {
    this.#lines = new Set(lines);
  }

  has(value: string): boolean {
    if (this.#lines.has(value)) return true;
    const [, protocol = '', address = '', port = ''] = /^(\S+) (.*):([^:]*)$/.exec(value) ?? [];
    return protocol !== 'unix' && [`${protocol} *:${port}`, `${protocol} ${address}:*`, `${protocol} *:*`].some((line) => this.#lines.has(line));
  }
}

function allowedBy(section: Section, lines: readonly string[]): Allowed {
  if (PATH_SECTIONS.has(section)) return new PatternSet(lines);
  return section === 'calls' ? new Set([...ALWAYS_ALLOWED, ...lines]) : new AddressSet(lines);
}

export class ProfileGuard {
  readonly mode: ProfileMode;
  readonly judgedCalls: ReadonlySet<string>;
  readonly #allowed: ReadonlyMap<Section, Allowed>;
  readonly #told = new Set<string>();
  /** Of programs that come from outside: they are taken away before the first instruction, as --cap-drop does. Undefined: none is. */
  readonly keptCapabilities: bigint | undefined;
  readonly #capabilities: readonly string[] | undefined;
  /** Used, and not in the profile: where nothing is refused. */
  readonly missedCapabilities = new Set<string>();
  /** Calls that were refused, or would have been. */
  refused = 0;

  constructor({ sections }: Profile, mode: ProfileMode) {
    this.mode = mode;
    this.#allowed = new Map([...sections].map(([section, lines]) => [section, allowedBy(section, lines)]));
    this.#capabilities = sections.get('capabilities');
    this.keptCapabilities = this.#capabilities === undefined || mode === 'complain' ? undefined : capabilitySet(this.#capabilities);
    const calls = this.#allowed.get('calls');
    const others = calls === undefined ? [] : SYSCALL_ROWS.map(({ name }) => name).filter((name) => !calls.has(name));
    this.judgedCalls = new Set([...DEED_CALLS, ...others]);
  }

  /** It was asked for, and is there. */
  capability(capability: number): void {
    const name = capabilityName(capability);
    if (this.#capabilities?.includes(name) === false) this.missedCapabilities.add(name);
  }

  /** Undefined: it is allowed. */
  judge(event: SystemEvent): Refusal | undefined {
    if (!this.judgedCalls.has(event.type)) return undefined;
    const deed = deedsOf(event).find(({ section, value }) => this.#allowed.get(section)?.has(value) === false);
    const isMixed = event.recipient === 'mixed' && this.#allowed.has('connect');
    if (deed === undefined && !isMixed) return undefined;
    return this.#refusal(event, deed ?? { section: 'connect', value: 'one recipient for each call' });
  }

  #refusal(event: SystemEvent, { section, value }: Deed): Refusal {
    const absence = PATH_SECTIONS.has(section) ? failsWith(event) : undefined;
    const line = PATH_SECTIONS.has(section) ? literal(value) : value;
    const key = `${section}\0${line}`;
    if (absence !== undefined) return { section, line, errno: absence, isNew: false, isQuiet: true };
    this.refused++;
    const isNew = !this.#told.has(key) && this.#told.size < MOST_TOLD_REFUSALS;
    if (isNew) this.#told.add(key);
    return { section, line, errno: section === 'calls' ? EPERM : EACCES, isNew, isQuiet: false };
  }
}
