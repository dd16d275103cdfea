/** Images, their store and where they come from: the door of the room. */
export { openArchive, openArchiveStream } from './archive-source.ts';
export type { ArchiveSource } from './archive-source.ts';
export type { HistoryEntry, ImageConfig, ProcessDefaults } from './config.ts';
export { DigestMismatchError, ImageError, ImageFormatError, ImageLimitError, InvalidReferenceError, NoSuchImageError, StoreError } from './errors.ts';
export { importRoot } from './import.ts';
export { DEFAULT_LAYER_LIMITS } from './limits.ts';
export type { LayerLimits } from './limits.ts';
export { loadArchive } from './load.ts';
export { OWN_PLATFORM, formatPlatform } from './manifest.ts';
export type { Descriptor, Platform } from './manifest.ts';
export { removeImage } from './remove.ts';
export { saveArchive } from './save.ts';
export { ImageStore } from './store.ts';
export type { StoredImage } from './store.ts';
