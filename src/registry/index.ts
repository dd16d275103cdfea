/** A registry of images: the door of the room. */
export { createApp } from './app.ts';
export { DEFAULT_REGISTRY_LIMITS, IDLE_TIMEOUT_MS, MOST_CONNECTIONS, MOST_HEADER_BYTES } from './limits.ts';
export type { RegistryLimits } from './limits.ts';
export { Registry } from './service.ts';
export { RegistryStorage } from './storage.ts';
