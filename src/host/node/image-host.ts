/** Node.js as the host of a store of images. */
import { isAbsolute, join, resolve } from 'node:path';
import type { HostHttp, ImageHost } from '../types.ts';
import { nodeCodecs } from './codecs.ts';
import { nodeAsyncFiles } from './async-files.ts';
import { nodeFiles } from './files.ts';
import { ownerHasEnded, processOwner } from './process-owner.ts';
import { fillRandom } from './random.ts';

/** The user's store: `CAISSON_HOME`, or below the user's data directory (XDG Base Directory Specification). Undefined: no home. */
export function storeDirectory(): string | undefined {
  const { CAISSON_HOME: own, XDG_DATA_HOME: dataHome, HOME: home } = process.env;
  if (own !== undefined && own !== '') return resolve(own);
  const base = dataHome !== undefined && isAbsolute(dataHome) ? dataHome : home !== undefined && isAbsolute(home) ? join(home, '.local/share') : undefined;
  return base === undefined ? undefined : join(base, 'caisson');
}

export function createImageHost(options: { readonly http?: HostHttp } = {}): ImageHost {
  return {
    files: nodeFiles,
    asyncFiles: nodeAsyncFiles,
    codecs: nodeCodecs,
    random: fillRandom,
    now: () => Date.now(),
    get owner() {
      return processOwner();
    },
    hasEnded: ownerHasEnded,
    pause: (milliseconds) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds),
    ...(options.http === undefined ? {} : { http: options.http }),
  };
}
