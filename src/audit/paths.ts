/** All paths. */
import type { AttackPath } from './path.ts';
import { MOUNT_PATHS } from './paths-mounts.ts';
import { ENGINE_PATHS, RIGHTS_PATHS } from './paths-rights.ts';
import { SETTING_PATHS } from './paths-settings.ts';
import { VERSION_PATHS } from './paths-versions.ts';

export const PATHS: readonly AttackPath[] = [...ENGINE_PATHS, ...RIGHTS_PATHS, ...MOUNT_PATHS, ...SETTING_PATHS, ...VERSION_PATHS];
