/** `caisson run`: a command in an image. */
import { accountReader, processOf } from '../container/index.ts';
import type { Container, ContainerConfig, LayerPaths, MountConfig, ProcessConfig } from '../container/index.ts';
import { ImageError, NoSuchImageError, formatPlatform } from '../image/index.ts';
import type { ImageStore, StoredImage } from '../image/index.ts';
import { hiddenPaths } from '../sandbox/hidden-paths.ts';
import { readAccounts, withAccounts } from './accounts.ts';
import { rawArguments, rawEnvironment, toByteString } from './bytes.ts';
import { readCommand } from './command.ts';
import { mergeEnvironment } from './environment.ts';
import { EXIT_NOT_FOUND, UserError } from './errors.ts';
import type { FlagValues } from './flags.ts';
import { RUN } from './image-specs.ts';
import { withStore } from './image-store.ts';
import { createContainer, exitCode, terminalFacts, traceCalls } from './launch.ts';
import { parseMount } from './mount-option.ts';
import { need, oneOf, parseCapabilities, parseLimits, parseNetwork, parseRlimit, parseTmpfs, parseVolume, terminalConfig } from './option-values.ts';
import type { TerminalFacts } from './option-values.ts';
import { parseCount, parseDuration } from './quantities.ts';
import { Session } from './session.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** Where Docker puts what a container is called. */
const HOSTS = '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n';

function mountsOf(values: FlagValues): readonly MountConfig[] {
  return [...values.all('volume').map((text) => parseVolume(text, 'rw')), ...values.all('mount').map(parseMount), ...values.all('tmpfs').map(parseTmpfs)];
}

function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function hostnameOf(values: FlagValues): string {
  const name = values.last('name');
  if (name !== undefined && !NAME.test(name)) throw new UserError(`cannot name the container "${name}"`, 'names are letters, digits, _ . and -, two at least');
  return values.last('hostname') ?? name ?? randomName();
}

function containerConfig(values: FlagValues, layers: readonly LayerPaths[], hostname: string): ContainerConfig {
  const seed = values.last('seed');
  const tier = oneOf(values, 'tier', ['both', 'interpreter', 'translator'] as const);
  const homes = readAccounts('').map((account) => account.home).filter((home) => home !== '');
  return {
    root: '/', layers, mounts: mountsOf(values),
    // A directory of the host that is shown has no more of its credentials than `do` would show.
    hide: values.has('volume') || values.has('mount') ? hiddenPaths('/', [...new Set(homes)], [], []) : [],
    readOnly: values.has('read-only'), hostname: toByteString(hostname), limits: parseLimits(values), network: parseNetwork(values, 'network'),
    ...(seed === undefined ? {} : { seed: need(parseCount(seed), 'seed', seed, 'it is not a number') }),
    ...(tier === undefined ? {} : { tier }),
  };
}

/** What Docker writes into every container: not part of what a command changes. */
function writeOwnFiles(container: Container, hostname: string): void {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  container.provideFile('/etc/hostname', encode(`${hostname}\n`));
  container.provideFile('/etc/hosts', encode(`${HOSTS}127.0.1.1\t${hostname}\n`));
}

function processConfig(values: FlagValues, image: StoredImage, container: Container, hostname: string, facts: TerminalFacts | undefined): ProcessConfig {
  const wantsTerminal = values.has('tty') || (!values.has('interactive') && facts !== undefined);
  const terminal = terminalConfig(values, wantsTerminal ? facts : undefined);
  const entrypoint = values.last('entrypoint');
  const workdir = values.last('workdir');
  if (workdir !== undefined && !workdir.startsWith('/')) throw new UserError(`cannot use --workdir ${workdir}: it is not absolute`, 'begin it with /');
  const read = accountReader(container.files);
  const made = withAccounts(() => processOf(image.config.defaults, {
    command: rawArguments(values.command).slice(1), user: values.last('user'), hostname, terminal: terminal.terminal !== undefined,
    workingDirectory: workdir === undefined ? undefined : toByteString(workdir),
    entrypoint: entrypoint === undefined ? undefined : entrypoint === '' ? [] : [toByteString(entrypoint)],
  }, read));
  if (made.argv.length === 0) throw new UserError(`cannot run "${values.command[0] ?? ''}": the image does not say what to run`, `give a command, such as "caisson run ${values.command[0] ?? ''} /bin/sh"`, EXIT_NOT_FOUND);
  return {
    ...made, env: mergeEnvironment(made.env, rawEnvironment(process.env), { env: values.all('env'), envFiles: values.all('env-file') }),
    capabilities: parseCapabilities(values, made.user), rlimits: values.all('ulimit').map(parseRlimit), umask: 0o022, ...terminal,
  };
}

function prepareDirectories(container: Container, image: StoredImage, cwd: string, readOnly: boolean): void {
  if (readOnly) return;
  for (const directory of [cwd, ...image.config.defaults.volumes.map(toByteString)]) container.provideDirectory(directory);
}

type UsedImage = ReturnType<ImageStore['use']>;

/** The image: here, or from its registry where the policy says so. */
async function imageFor(store: ImageStore, name: string, values: FlagValues): Promise<UsedImage> {
  const policy = oneOf(values, 'pull', ['always', 'missing', 'never']) ?? 'missing';
  const fetch = async (): Promise<unknown> => (await import('./registry-commands.ts')).pull(store, name, values, { quiet: values.has('quiet') });
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

interface FoundImage extends UsedImage {
  readonly layers: readonly LayerPaths[];
}

async function findImage(values: FlagValues): Promise<FoundImage> {
  const [name = ''] = values.command;
  return withStore(`run "${name}"`, async (store) => {
    const { image, use } = await imageFor(store, name, values);
    const { os, architecture } = image.config.platform;
    if (os !== 'linux' || architecture !== 'amd64') throw new UserError(`cannot run "${name}": it is made for ${formatPlatform(image.config.platform)}`, 'only linux/amd64 can be run');
    return { image, use, layers: await store.mountable(image) };
  });
}

async function afterwards(container: Container, values: FlagValues): Promise<void> {
  if (values.has('stats')) (await import('./do-stats.ts')).printStatistics(container.statistics());
  const file = values.last('export-changes');
  if (!values.has('changes') && file === undefined) return;
  const report = await import('./do-changes.ts');
  if (values.has('changes')) report.printChanges(container);
  if (file !== undefined) report.exportChanges(container, file);
}

export async function runCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(RUN, args);
  if (values === undefined) return 0;
  const timeout = values.last('timeout');
  const timeoutMs = timeout === undefined ? undefined : need(parseDuration(timeout), 'timeout', timeout, 'it is not a time such as 30s');
  const { image, layers, use } = await findImage(values);
  try {
    return await runImage(values, image, layers, timeoutMs);
  } finally {
    use.end();
  }
}

async function runImage(values: FlagValues, image: StoredImage, layers: readonly LayerPaths[], timeoutMs: number | undefined): Promise<number> {
  const facts = await terminalFacts();
  const hostname = hostnameOf(values);
  const container = await createContainer(containerConfig(values, layers, hostname));
  const spec = processConfig(values, image, container, hostname, facts);
  prepareDirectories(container, image, spec.cwd, values.has('read-only'));
  writeOwnFiles(container, hostname);
  const session = new Session(container, { process: spec, timeoutMs, withoutInput: spec.terminal === undefined && !values.has('interactive') });
  traceCalls(container, session, values.has('strace') ? values.all('strace').filter((filter) => filter !== '') : undefined);
  const status = await session.run();
  await afterwards(container, values);
  container.keepTranslations();
  return exitCode(status, session.timedOut);
}
