/** All techniques, by kind. */
import { KERNEL_TECHNIQUES } from './techniques/kernel.ts';
import { MOUNT_TECHNIQUES, NAMESPACE_TECHNIQUES } from './techniques/namespaces.ts';
import type { Technique } from './types.ts';

export const TECHNIQUES: readonly Technique[] = [...MOUNT_TECHNIQUES, ...NAMESPACE_TECHNIQUES, ...KERNEL_TECHNIQUES];
