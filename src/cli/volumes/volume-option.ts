/** `-v` and `--mount` of `run` and `create`, as far as they are about volumes. */
import type { MountConfig } from '../../container/index.ts';
import type { VolumeUse } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import { guestPath, hostPath } from '../option-values.ts';

/** A volume that is to be in a container. */
export interface WantedVolume extends Omit<VolumeUse, 'name' | 'isAnonymous'> {
  /** Absent: a new one. */
  readonly name: string | undefined;
  /** What the image has at the place is put into it, where it is empty. */
  readonly copies: boolean;
}

export type WantedMount = { readonly kind: 'mount'; readonly mount: MountConfig } | { readonly kind: 'volume'; readonly volume: WantedVolume };

/** SELinux's labels, which this machine's files keep as they are. */
const MODES = ['ro', 'rw', 'nocopy', 'z', 'Z'];

/** What is no name is a path, as for Docker. */
function isPath(source: string): boolean {
  return /^[./~]/.test(source);
}

/** `[SRC:]DST[:MODE,...]`. @throws UserError */
export function parseVolumeFlag(text: string): WantedMount {
  const parts = text.split(':');
  const [source, destination = '', modes = '', ...rest] = parts.length === 1 ? ['', ...parts] : parts;
  const flags = modes === '' ? [] : modes.split(',');
  if (!destination.startsWith('/') || rest.length > 0 || (parts.length > 1 && source === '') || !flags.every((flag) => MODES.includes(flag))) {
    throw new UserError(`cannot use --volume ${text}: it is [SRC:]DST, with DST absolute, and :ro or :rw behind`, 'see the command\'s --help');
  }
  const inside = guestPath(destination);
  if (inside === '/') throw new UserError(`cannot use --volume ${text}: invalid specification: destination can't be '/'`, 'name a directory in it');
  const writable = !flags.includes('ro');
  if (isPath(source ?? '')) return { kind: 'mount', mount: { kind: 'bind', source: hostPath('volume', source ?? ''), destination: inside, writable } };
  return { kind: 'volume', volume: { name: source === '' ? undefined : source, destination: inside, writable, copies: !flags.includes('nocopy') } };
}
