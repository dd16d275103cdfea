/** `caisson run` and `caisson create`: a container of an image. */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { LayerPaths } from '../../container/index.ts';
import { EACCES, EDQUOT, EFBIG, ENOSPC, EROFS } from '../../abi/errno.ts';
import { ImageError, NoSuchImageError, StoreError, formatPlatform } from '../../image/index.ts';
import type { ImageStore, StoredImage } from '../../image/index.ts';
import { CREATED, Containers, Life, Networks, randomId, runningState } from '../../lifecycle/index.ts';
import type { ContainerRecord, ContainerState, NetworkRecord, WholeContainer } from '../../lifecycle/index.ts';
import { readCommand } from '../command.ts';
import { CREATE, RUN } from './container-specs.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { runForeground } from './foreground.ts';
import { toUserError, withStore } from '../images/image-store.ts';
import { terminalFacts } from './launch.ts';
import { oneOf } from '../option-values.ts';
import type { TerminalFacts } from '../option-values.ts';
import { nameOf, recordOf } from './run-record.ts';
import { refuseTraps } from '../squat/squat-settings.ts';

/** Layers that are prepared within a few hundredths of a second are not spoken of. */
const SHOWN_FROM_BYTES = 4 * 2 ** 20;

type UsedImage = ReturnType<ImageStore['use']>;

/** The image: here, or from its registry where the policy says so. */
async function imageFor(store: ImageStore, name: string, values: FlagValues): Promise<UsedImage> {
  const policy = oneOf(values, 'pull', ['always', 'missing', 'never']) ?? 'missing';
  const fetch = async (): Promise<unknown> => (await import('../registry/registry-commands.ts')).pull(store, name, values, { quiet: values.has('quiet') });
  await refuseTraps(name, 'run', values);
  if (policy === 'always') await fetch();
  try {
    return store.use(name);
  } catch (error) {
    if (policy !== 'missing' || !(error instanceof NoSuchImageError)) throw error;
    // A name that is near one that is here is a slip, more often than not: who made it need not wait for the registry to hear of it.
    if (error.nearest !== undefined && !values.has('quiet')) process.stderr.write(`caisson: ${error.message} (${error.advice ?? ''}); looking for it in its registry\n`);
    await fetch().catch((failure: unknown) => {
      throw error.nearest !== undefined && failure instanceof ImageError ? error : failure;
    });
    return store.use(name);
  }
}

/** What a container mounts. What a `pull` has left to be done is shown, where it takes long enough to be seen. */
async function mountable(store: ImageStore, image: StoredImage, quiet: boolean): Promise<readonly LayerPaths[]> {
  if (quiet || store.unpreparedBytes(image) < SHOWN_FROM_BYTES) return store.mountable(image);
  const { BlobProgress } = await import('../progress.ts');
  return store.mountable(image, new BlobProgress(false, 'preparing'));
}

interface FoundImage extends UsedImage {
  readonly store: ImageStore;
  readonly layers: readonly LayerPaths[];
}

async function findImage(values: FlagValues): Promise<FoundImage> {
  const [name = ''] = values.command;
  return withStore(`run "${name}"`, async (store) => {
    const { image, use } = await imageFor(store, name, values);
    const { os, architecture } = image.config.platform;
    if (os !== 'linux' || architecture !== 'amd64') throw new UserError(`cannot run "${name}": it is made for ${formatPlatform(image.config.platform)}`, 'only linux/amd64 can be run');
    return { store, image, use, layers: await mountable(store, image, values.has('quiet')) };
  });
}

/** `--cidfile`: made before the container, so that two cannot have the same one. Answers what writes the id. */
function openIdFile(values: FlagValues): ((id: string) => void) | undefined {
  const file = values.last('cidfile');
  if (file === undefined) return undefined;
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o644);
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code === 'EEXIST';
    throw new UserError(`cannot write the id to "${file}": ${isThere ? "container ID file found, make sure the other container isn't running or delete it" : (error as Error).message}`, isThere ? undefined : 'check --cidfile', undefined, { cause: error });
  }
  return (id) => {
    writeSync(handle, id);
    closeSync(handle);
  };
}

/** A store that cannot be written: a container that goes at its end does without it. */
function isUnwritable(error: unknown): boolean {
  return error instanceof StoreError && [EROFS, EACCES, ENOSPC, EDQUOT, EFBIG].includes(error.errno);
}

function keep(containers: Containers, record: ContainerRecord, state: ContainerState, values: FlagValues): WholeContainer | undefined {
  try {
    return containers.create(record, state, nameOf(values));
  } catch (error) {
    if (isUnwritable(error) && record.autoRemove && !values.has('detach')) return undefined;
    const known = toUserError(error, `keep a container of "${record.image.name}"`);
    if (!(known instanceof UserError) || !isUnwritable(error)) throw known;
    throw new UserError(`cannot keep the container: ${known.message}`, `${known.advice ?? ''}${record.autoRemove ? '' : '; --rm keeps nothing'}`, undefined, { cause: error });
  }
}

function findNetwork(store: ImageStore, name: string): NetworkRecord {
  try {
    return new Networks(store).find(name);
  } catch (error) {
    throw toUserError(error, `use --network ${name}`);
  }
}

interface MadeContainer {
  readonly containers: Containers;
  readonly record: ContainerRecord;
  readonly container: WholeContainer | undefined;
}

async function make({ store, image }: FoundImage, values: FlagValues, facts: TerminalFacts | undefined, stateOf: (containers: Containers) => ContainerState): Promise<MadeContainer> {
  const containers = new Containers(store);
  const { host } = store.disk;
  const randomName = (): string => randomId((buffer) => host.random(buffer));
  const { record, copied } = recordOf(values, image, { id: randomName(), nowMs: host.now(), terminal: facts, findNetwork: (name) => findNetwork(store, name), randomName });
  if (record.watch !== undefined) await (await import('../detect/watching.ts')).checkWatch(record.watch, true);
  const writeId = openIdFile(values);
  const container = keep(containers, record, stateOf(containers), values);
  const named = record.volumes?.find(({ isAnonymous }) => !isAnonymous);
  if (container === undefined && named !== undefined) throw new UserError(`cannot use the volume ${named.name}: the store cannot be written`, 'check CAISSON_HOME');
  if (container?.record.volumes !== undefined) await makeVolumes(containers, container, copied);
  writeId?.(record.id);
  return { containers, record, container };
}

/** A container whose volumes cannot be made is not kept. */
async function makeVolumes(containers: Containers, container: WholeContainer, copied: ReadonlySet<string>): Promise<void> {
  try {
    await (await import('../volumes/volume-files.ts')).prepareVolumes(containers, container, copied);
  } catch (error) {
    containers.locked(container.id, () => containers.remove(container.id));
    try {
      (await import('../../lifecycle/volumes.ts')).removeAnonymous(containers, container.record.volumes);
    } catch (other) {
      // The first one says more.
      if (!(other instanceof ImageError)) throw other;
    }
    throw toUserError(error, 'make its volumes');
  }
}

/** In the foreground, with a process of its own: it may go on when we do not. */
function outlivesUs(values: FlagValues): boolean {
  return values.has('detach-keys') || (values.last('restart') ?? 'no') !== 'no';
}

/** What is said to a terminal when the command has ended. */
function refuseDetached(values: FlagValues, because: string): void {
  const flag = ['strace', 'stats', 'changes', 'export-changes'].find((name) => values.has(name));
  const stream = ['events', 'alerts'].find((name) => values.last(name) === '-');
  if (stream !== undefined) throw new UserError(`cannot use --${stream} - with --${because}: nobody is there to read it`, 'name a file');
  if (flag !== undefined) throw new UserError(`cannot use --${flag} with --${because}: nobody is there to read it`, flag === 'changes' || flag === 'export-changes' ? 'use "caisson diff" or "caisson export"' : 'leave one of them out');
}

export async function runCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RUN, args);
  if (values === undefined) return 0;
  const found = await findImage(values);
  try {
    const isDetached = values.has('detach');
    const isAttached = !isDetached && outlivesUs(values);
    if (isDetached || isAttached) refuseDetached(values, isDetached ? 'detach' : values.has('detach-keys') ? 'detach-keys' : 'restart');
    const { containers, record, container } = await make(found, values, isDetached ? undefined : await terminalFacts(), (all) => (isDetached || isAttached ? CREATED : runningState(all, process.pid)));
    if (isAttached) return await (await import('./container-attach.ts')).startAttached(containers, containers.findWhole(record.id), values, record.process.input);
    if (isDetached) {
      await (await import('./detached.ts')).startDetached(record.id);
      process.stdout.write(`${record.id}\n`);
      return 0;
    }
    const life = container === undefined ? undefined : Life.begun(containers, container);
    return await runForeground({ containers, record, layers: found.layers, life, input: record.process.input, values });
  } finally {
    found.use.end();
  }
}

export async function createCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(CREATE, args);
  if (values === undefined) return 0;
  const found = await findImage(values);
  try {
    const { record } = await make(found, values, undefined, () => CREATED);
    process.stdout.write(`${record.id}\n`);
    return 0;
  } finally {
    found.use.end();
  }
}
