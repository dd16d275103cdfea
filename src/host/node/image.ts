/** The interpreter image that the build wrote: beside the bundle, or, from source, in `dist/`. */
import { existsSync, readFileSync } from 'node:fs';

const PLACES = ['./interpreter.bin', '../../../dist/interpreter.bin'];

export function readInterpreterImage(): Uint8Array {
  for (const place of PLACES) {
    const url = new URL(place, import.meta.url);
    if (existsSync(url)) return readFileSync(url);
  }
  throw new Error('cannot find interpreter.bin: build first (npm run build)');
}
