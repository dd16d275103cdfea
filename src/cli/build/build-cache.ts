/** `--cache-from` and `--cache-to`: where steps come from and go to. */
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { ExportedSteps, ImportedSteps } from '../../build/index.ts';
import type { BuildReporter, BuildResult } from '../../build/index.ts';
import { createImageHost } from '../../host/node/image-host.ts';
import { Disk, ImageError, LayoutSource, LayoutTarget, OWN_PLATFORM, RegistrySource, RegistryTarget, copyImage, openArchive } from '../../image/index.ts';
import type { CopySource, CopyTarget, ImageStore } from '../../image/index.ts';
import { nearest } from '../../image/nearest.ts';
import { formatReference, parseReference } from '../../image/reference.ts';
import type { Reference } from '../../image/reference.ts';
import { fieldsOf } from './build-inputs.ts';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { BlobProgress } from '../progress.ts';
import { clientFor } from '../registry/registry-commands.ts';

const EXIT_NOT_EXPORTED = 1;
const DEFAULT_TAG = 'latest';

type CachePlace =
  | { readonly type: 'registry'; readonly reference: Reference }
  /** `directory`: an OCI layout. */
  | { readonly type: 'local'; readonly directory: string; readonly tag: string }
  /** In the configuration of the image itself. */
  | { readonly type: 'inline' };

interface CacheTarget {
  readonly place: CachePlace;
  readonly text: string;
  /** Steps of all stages, not only those whose layers the image has. */
  readonly all: boolean;
  readonly ignoreError: boolean;
}

type Flag = 'cache-from' | 'cache-to';
const TYPES: Readonly<Record<Flag, readonly string[]>> = { 'cache-from': ['registry', 'local'], 'cache-to': ['registry', 'local', 'inline'] };
const KEYS: Readonly<Record<Flag, Readonly<Record<string, readonly string[]>>>> = {
  'cache-from': { registry: ['ref'], local: ['src', 'tag'] },
  'cache-to': { registry: ['ref', 'mode', 'ignore-error', 'oci-mediatypes', 'image-manifest'], local: ['dest', 'tag', 'mode', 'ignore-error', 'oci-mediatypes', 'image-manifest'], inline: [] },
};

/** @throws UserError, InvalidReferenceError */
function parsePlace(flag: Flag, text: string): { readonly place: CachePlace; readonly fields: ReadonlyMap<string, string> } {
  // As in Docker: a name alone is one in a registry.
  const fields = text.includes('=') ? fieldsOf(text) : new Map([['type', 'registry'], ['ref', text]]);
  const wrong = (why: string, advice: string): UserError => new UserError(`cannot use --${flag} ${text}: ${why}`, advice);
  const type = fields.get('type') ?? '';
  if (!TYPES[flag].includes(type)) throw wrong(type === '' ? 'type= is missing' : type === 'inline' ? 'a cache in an image is read with type=registry' : 'there is no such type', `there are ${TYPES[flag].join(' and ')}, such as type=registry,ref=localhost:5000/app:cache`);
  const known = KEYS[flag][type] ?? [];
  for (const key of fields.keys()) {
    if (key === 'type' || known.includes(key)) continue;
    const guess = nearest(key, known);
    throw wrong(`it has no field "${key}"`, guess === undefined ? `there are ${['type', ...known].join(', ')}` : `did you mean ${guess}?`);
  }
  for (const key of ['oci-mediatypes', 'image-manifest']) if ((fields.get(key) ?? 'true') !== 'true') throw wrong(`${key} is always true`, 'leave it out');
  const needed = type === 'registry' ? 'ref' : flag === 'cache-from' ? 'src' : 'dest';
  const value = fields.get(needed) ?? '';
  if (type === 'inline') return { place: { type }, fields };
  if (value === '') throw wrong(`${needed}= is missing`, type === 'registry' ? 'such as ref=localhost:5000/app:cache' : `such as ${needed}=cache`);
  if (type === 'registry') return { place: { type, reference: parseReference(value) }, fields };
  return { place: { type: 'local', directory: resolve(value), tag: fields.get('tag') ?? DEFAULT_TAG }, fields };
}

/** @throws UserError */
function parseTargets(texts: readonly string[]): readonly CacheTarget[] {
  return texts.map((text) => {
    const { place, fields } = parsePlace('cache-to', text);
    const mode = fields.get('mode') ?? 'max';
    const ignore = fields.get('ignore-error') ?? 'false';
    if (mode !== 'max' && mode !== 'min') throw new UserError(`cannot use --cache-to ${text}: mode is max or min`, 'leave it out');
    if (ignore !== 'true' && ignore !== 'false') throw new UserError(`cannot use --cache-to ${text}: ignore-error is true or false`, 'leave it out');
    return { place, text, all: mode === 'max', ignoreError: ignore === 'true' };
  });
}

async function openSource(place: CachePlace, values: FlagValues, progress: BlobProgress): Promise<CopySource> {
  if (place.type === 'registry') return new RegistrySource(clientFor(place.reference, values, progress), place.reference.digest ?? place.reference.tag ?? DEFAULT_TAG);
  if (place.type === 'inline') throw new UserError('a cache in an image is read with type=registry');
  const host = createImageHost();
  const archive = await openArchive(new Disk(host, toByteString(tmpdir()), '.'), toByteString(place.directory));
  return new LayoutSource(archive, host.codecs, place.tag);
}

function nameOf(place: CachePlace, text: string): string {
  return place.type === 'registry' ? formatReference(place.reference) : place.type === 'local' ? place.directory : text;
}

/** What cannot be read is warned of: the first build of all has no cache yet. @throws UserError for flags */
async function openSources(values: FlagValues, reporter: BuildReporter): Promise<readonly ImportedSteps[]> {
  const places = values.all('cache-from').map((text) => ({ ...parsePlace('cache-from', text), text }));
  const progress = new BlobProgress(true);
  const opened = await Promise.all(places.map(async ({ place, text }) => {
    const name = nameOf(place, text);
    try {
      return await ImportedSteps.open(name, await openSource(place, values, progress), createImageHost().codecs);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      reporter.note(`warning: cannot use the cache ${name}: ${error.message}`);
      return undefined;
    }
  }));
  return opened.flatMap((cache) => (cache === undefined ? [] : [cache]));
}

function openTarget(place: CachePlace, values: FlagValues, progress: BlobProgress): CopyTarget {
  if (place.type === 'registry') return new RegistryTarget(clientFor(place.reference, values, progress), place.reference, undefined);
  if (place.type === 'inline') throw new UserError('an inline cache goes with its image');
  return new LayoutTarget(new Disk(createImageHost(), toByteString(place.directory), `.caisson-${process.pid}`), place.tag);
}

/** @throws UserError */
async function writeTargets(targets: readonly CacheTarget[], values: FlagValues, store: ImageStore, { state, steps }: BuildResult, reporter: BuildReporter): Promise<void> {
  for (const { place, text, all, ignoreError } of targets) {
    if (place.type === 'inline') continue;
    const name = nameOf(place, text);
    try {
      const progress = new BlobProgress(true);
      await copyImage(new ExportedSteps(store, all ? steps : state.steps), openTarget(place, values, progress), { codecs: store.disk.host.codecs, all: false, platform: OWN_PLATFORM, progress });
      reporter.note(`cache written to ${name}`);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      if (!ignoreError) throw new UserError(`cannot write the cache to ${name}: ${error.message}`, error.advice ?? 'the image itself is made; ignore-error=true makes this a warning', EXIT_NOT_EXPORTED, { cause: error });
      reporter.note(`warning: cannot write the cache to ${name}: ${error.message}`);
    }
  }
}

/** All that the two flags ask for. */
export interface BuildCaches {
  readonly from: readonly ImportedSteps[];
  readonly isInline: boolean;
  /** @throws UserError */
  readonly write: (store: ImageStore, result: BuildResult) => Promise<void>;
}

/** @throws UserError */
export async function openCaches(values: FlagValues, reporter: BuildReporter): Promise<BuildCaches> {
  const targets = parseTargets(values.all('cache-to'));
  return {
    from: await openSources(values, reporter), isInline: targets.some(({ place }) => place.type === 'inline'),
    write: (store, result) => writeTargets(targets, values, store, result, reporter),
  };
}
