/** What the commands that fetch or send images have, as data: what to do about names that may be traps. */
import type { Flag } from '../flags.ts';

const TRAPS = 'Names that may be a trap';
export const ALLOWED_NAMES = 'names that are meant, with * for any characters';

export const SQUAT_FLAGS: readonly Flag[] = [
  { group: TRAPS, name: 'squat', kind: 'string', placeholder: 'warn|refuse|off', help: 'about a name near a well-known one (default: CAISSON_SQUAT, squat.json, or warn)' },
  { group: TRAPS, name: 'squat-allow', kind: 'string', multiple: true, placeholder: 'PATTERN', help: ALLOWED_NAMES },
];
