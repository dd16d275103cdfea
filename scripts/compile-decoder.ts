/** Compiles the block decoder (src/machine/decoder/assembly, AssemblyScript) to Wasm. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import asc from 'assemblyscript/asc';

const SOURCE = 'src/machine/decoder/assembly/block-decoder.ts';

/** The module's bytes. `root`: the repository. Throws with the compiler's report where the source has a mistake. */
export async function compileDecoder(root: string): Promise<Uint8Array<ArrayBuffer>> {
  let wasm: Uint8Array<ArrayBuffer> | undefined;
  const { error, stderr } = await asc.main(
    [SOURCE, '--runtime', 'stub', '-O3', '--converge', '--importMemory', '--outFile', 'decoder.wasm'],
    {
      readFile: (name: string, base: string) => {
        try {
          return readFileSync(join(root, base, name), 'utf8');
        } catch {
          return null;
        }
      },
      writeFile: (_name: string, contents: Uint8Array | string) => {
        if (typeof contents !== 'string') wasm = Uint8Array.from(contents);
      },
      listFiles: () => [],
    },
  );
  if (error !== null || wasm === undefined) throw new Error(`the block decoder does not compile:\n${stderr.toString()}`);
  return wasm;
}
