/** All techniques, by kind. */
import { ENGINE_TECHNIQUES } from './techniques/engine.ts';
import { KERNEL_TECHNIQUES } from './techniques/kernel.ts';
import { BOUNDARY_TECHNIQUES } from './techniques/boundary.ts';
import { CONFIGURATION_TECHNIQUES } from './techniques/configuration.ts';
import { MOUNT_TECHNIQUES } from './techniques/mounts.ts';
import { NAMESPACE_TECHNIQUES } from './techniques/namespaces.ts';
import type { Technique } from './types.ts';

export const TECHNIQUES: readonly Technique[] = [...CONFIGURATION_TECHNIQUES, ...MOUNT_TECHNIQUES, ...NAMESPACE_TECHNIQUES, ...ENGINE_TECHNIQUES, ...KERNEL_TECHNIQUES, ...BOUNDARY_TECHNIQUES];
