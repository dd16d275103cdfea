/** A sandbox from an image of the user's store. */
import { UnknownAccountError, processOf } from '../container/index.ts';
import type { LayerPaths } from '../container/index.ts';
import { createImageHost, storeDirectory } from '../host/node/image-host.ts';
import { ImageError, ImageStore } from '../image/index.ts';
import type { Claim, StoredImage } from '../image/index.ts';
import { SandboxError } from './client.ts';
import type { CommandDefaults } from './commands.ts';
import type { Files } from './files.ts';
import type { SandboxOptions } from './options.ts';
import { environmentOf } from './remote.ts';
import { toByteString, toText } from './text.ts';

export interface SandboxImage {
  readonly image: StoredImage;
  readonly layers: readonly LayerPaths[];
  /** That a container runs on it. */
  readonly use: Claim;
}

/** @throws SandboxError with the code ENOENT where there is no such image here. */
export async function findImage(name: string): Promise<SandboxImage> {
  const directory = storeDirectory();
  if (directory === undefined) throw new SandboxError('cannot find a place for images: HOME is not set', 'ENOENT');
  try {
    const store = ImageStore.open(createImageHost(), toByteString(directory));
    const { image, use } = store.use(name);
    return { image, use, layers: await store.mountable(image) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new SandboxError(`cannot use the image "${name}": ${error.message}`, error.name === 'NoSuchImageError' ? 'ENOENT' : 'EINVAL', { cause: error });
  }
}

async function readOptional(files: Files, path: string): Promise<string | undefined> {
  try {
    return toByteString(await files.read(path));
  } catch (error) {
    if (error instanceof SandboxError) return undefined;
    throw error;
  }
}

/** What commands start with: the image's configuration, and the options over it. */
export async function imageDefaults({ image }: SandboxImage, options: SandboxOptions, files: Files): Promise<CommandDefaults> {
  const texts = new Map([['/etc/passwd', await readOptional(files, '/etc/passwd')], ['/etc/group', await readOptional(files, '/etc/group')]]);
  try {
    const { env, cwd, user } = processOf(image.config.defaults, { command: [], hostname: toByteString(options.hostname ?? 'sandbox'), terminal: false }, (path) => texts.get(path));
    const own = environmentOf(env);
    return { env: { ...own, ...options.env }, cwd: options.cwd ?? toText(cwd), user: options.user ?? user };
  } catch (error) {
    if (!(error instanceof UnknownAccountError)) throw error;
    throw new SandboxError(`cannot use the image: ${error.message} (${error.account})`, 'EINVAL', { cause: error });
  }
}
