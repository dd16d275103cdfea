/** Where this program keeps what makes the next run faster. A guest never sees it: it holds code. */
import { isAbsolute, join } from 'node:path';

/** Below the user's cache directory (XDG Base Directory Specification: a relative XDG_CACHE_HOME is ignored). Undefined: no home. */
export function cacheDirectory(): string | undefined {
  const { XDG_CACHE_HOME: cacheHome, HOME: home } = process.env;
  const base = cacheHome !== undefined && isAbsolute(cacheHome) ? cacheHome : home !== undefined && isAbsolute(home) ? join(home, '.cache') : undefined;
  return base === undefined ? undefined : join(base, 'caisson');
}
