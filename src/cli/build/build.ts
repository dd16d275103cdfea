/** `caisson build`: a Dockerfile becomes an image. */
import { availableParallelism, totalmem } from 'node:os';
import { writeFileSync } from 'node:fs';
import { BuildError, Builder, checkDockerfile, checkSettings } from '../../build/index.ts';
import type { BuildOptions, BuildReporter, BuildResult, CheckOptions, Dockerfile } from '../../build/index.ts';
import { nodeHttp } from '../../host/node/http.ts';
import { createImageHost } from '../../host/node/image-host.ts';
import { ImageError, NoSuchImageError } from '../../image/index.ts';
import type { Artifact, Descriptor, ImageStore, StoredImage } from '../../image/index.ts';
import { familiarReference, formatReference } from '../../image/reference.ts';
import { toText } from '../bytes.ts';
import { assignments, buildArguments, findSource, readContexts, readRepository, readSecrets } from './build-inputs.ts';
import type { Source } from './build-inputs.ts';
import type { Agents } from './build-agents.ts';
import type { BuildCaches } from './build-cache.ts';
import type { ProvenanceMaker } from './build-provenance.ts';
import { parseOutputs, writeOutput } from './build-output.ts';
import { createReporter } from './build-progress.ts';
import type { ProgressKind } from './build-progress.ts';
import { BUILD } from './build-specs.ts';
import { readCommand } from '../command.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { toUserError as toStoreError, withStore } from '../images/image-store.ts';
import { createContainer } from '../containers/launch.ts';
import { need, oneOf, parseNet } from '../option-values.ts';
import { parseSize } from '../quantities.ts';
import { refuseTraps } from '../squat/squat-settings.ts';

/** Of the host's memory, what the files that a RUN writes may take. */
const WRITABLE_SHARE = 0.5;
/** As `docker build`. */
const EXIT_BUILD_FAILED = 1;
/** Lines of the Dockerfile around the one that failed. */
const SHOWN_AROUND = 2;

/** The lines that the error is about, marked. */
function excerpt({ lines, name }: Dockerfile, start: number, end: number): string {
  const most = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  const shown = lines.slice(Math.max(0, start - 1 - SHOWN_AROUND), Math.min(most, end + SHOWN_AROUND));
  const first = Math.max(1, start - SHOWN_AROUND);
  const body = shown.map((line, index) => `${String(first + index).padStart(4)} | ${first + index >= start && first + index <= end ? '>>> ' : '    '}${toText(line).replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '?')}`);
  return `${name}:${start}\n--------------------\n${body.join('\n')}\n--------------------`;
}

function toUserError(error: BuildError, dockerfile: Dockerfile | undefined): UserError {
  const { lines, output, advice } = error;
  const place = lines === undefined || dockerfile === undefined ? '' : `${dockerfile.name}:${lines.start}: `;
  const detail = [...(output === undefined ? [] : [output]), ...(lines === undefined || dockerfile === undefined ? [] : [excerpt(dockerfile, lines.start, lines.end)])].join('\n');
  return new UserError(`cannot build: ${place}${error.message}`, advice, EXIT_BUILD_FAILED, { cause: error, ...(detail === '' ? {} : { detail }) });
}

function networkOf(values: FlagValues): BuildOptions['network'] {
  const network = values.last('network') ?? 'default';
  const allow = values.all('allow-net');
  if (network === 'host') throw new UserError('cannot use --network host: a command of a build never has the network of the host', 'leave it out; --allow-net HOST opens private addresses');
  if (network !== 'none' && network !== 'default') throw new UserError(`cannot use --network ${network}: it is default or none`, 'leave it out');
  if (network === 'none' && allow.length > 0) throw new UserError('cannot use --allow-net with --network none', 'leave one of them out');
  return network === 'none' ? { mode: 'none', allow: [] } : { ...parseNet(values), mode: 'outbound' };
}

function progressOf(values: FlagValues): ProgressKind {
  if (values.has('quiet')) return 'quiet';
  const kind = oneOf(values, 'progress', ['auto', 'tty', 'plain', 'json', 'rawjson', 'quiet'] as const) ?? 'auto';
  if (kind === 'rawjson') return 'json';
  return kind === 'auto' ? (process.stderr.isTTY === true ? 'tty' : 'plain') : kind;
}

/** How many RUNs at once: as many as there are processors. */
function jobsOf(values: FlagValues): number {
  const text = values.last('jobs');
  if (text === undefined) return availableParallelism();
  const jobs = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  return need(jobs > 0 ? jobs : undefined, 'jobs', text, 'it is no number from 1 on');
}

/** The base image: from its registry with `--pull`, or where it is not here. */
function imageFinder(store: ImageStore, values: FlagValues): BuildOptions['findImage'] {
  const fetch = async (name: string): Promise<StoredImage> => (await import('../registry/registry-commands.ts')).pull(store, name, values, { quiet: values.has('quiet') });
  return async (name) => {
    await refuseTraps(name, 'build on', values).catch((error: unknown) => {
      throw error instanceof UserError ? new BuildError(error.message, { advice: error.advice, cause: error }) : error;
    });
    if (values.has('pull')) return fetch(name);
    try {
      return store.find(name);
    } catch (error) {
      if (!(error instanceof NoSuchImageError)) throw error;
      return await fetch(name).catch((failure: unknown) => {
        throw error.nearest !== undefined && failure instanceof ImageError ? error : failure;
      });
    }
  };
}

async function buildOptions(values: FlagValues, store: ImageStore, source: Source, reporter: BuildReporter, caches: BuildCaches | undefined, agents: BuildOptions['agents']): Promise<BuildOptions> {
  if (values.has('push') && !values.has('tag')) throw new UserError('cannot use --push: the image has no name', 'give it one that begins with the registry: -t localhost:5000/app:1');
  const platform = values.last('platform');
  if (platform !== undefined && platform !== 'linux/amd64') throw new UserError(`cannot use --platform ${platform}: only linux/amd64 can be run`, 'leave it out');
  const memory = values.last('memory');
  const jobs = jobsOf(values);
  // Each stage may run one command at a time.
  const atOnce = Math.min(jobs, source.dockerfile.instructions.filter(({ keyword }) => keyword === 'FROM').length);
  const filter = values.all('no-cache-filter').flatMap((text) => text.split(','));
  return {
    host: createImageHost({ http: nodeHttp }), store, ...source, contexts: readContexts(values, store), buildArgs: buildArguments(values), labels: assignments(values, 'label', false),
    target: values.last('target'), noCache: values.has('no-cache') ? true : filter.length > 0 ? filter.map((name) => name.toLowerCase()) : false,
    cacheFrom: caches?.from ?? [], inlineCache: caches?.isInline ?? false,
    network: networkOf(values), secrets: readSecrets(values), agents, memoryBytes: memory === undefined ? undefined : need(parseSize(memory), 'memory', memory, 'it is not a size such as 2g'),
    writableBytes: Math.floor(totalmem() * WRITABLE_SHARE / Math.max(1, atOnce)), jobs, runElsewhere: atOnce > 1 ? (await import('./build-threads.ts')).runsInThreads(store.disk.root) : undefined, compress: oneOf(values, 'compression', ['gzip', 'uncompressed'] as const) !== 'uncompressed',
    readRepository, makeContainer: createContainer, findImage: imageFinder(store, values), reporter,
  };
}

function writeResults(values: FlagValues, images: readonly StoredImage[]): void {
  const [image] = images;
  const iidFile = values.last('iidfile');
  const metadata = values.last('metadata-file');
  if (image === undefined) return;
  if (iidFile !== undefined) writeFileSync(iidFile, image.id);
  if (metadata === undefined) return;
  const names = images.flatMap(({ record }) => (record.reference === undefined ? [] : [familiarReference(record.reference)]));
  writeFileSync(metadata, `${JSON.stringify({
    'containerimage.config.digest': image.id, 'containerimage.digest': image.record.manifest.digest, 'containerimage.descriptor': image.record.manifest, 'image.name': names.join(','),
  }, undefined, 2)}\n`);
}

/** To the registries that its names say. */
async function pushAll(store: ImageStore, images: readonly StoredImage[], values: FlagValues): Promise<void> {
  const { push } = await import('../registry/registry-commands.ts');
  for (const image of images) {
    const { reference } = image.record;
    if (reference === undefined) continue;
    const pushed = await push(store, image, formatReference(reference), values, progressOf(values) === 'quiet').catch((error: unknown) => {
      throw toStoreError(error, `push "${familiarReference(reference)}"`);
    });
    if (!values.has('quiet')) process.stderr.write(`pushed ${pushed}\n`);
  }
}

async function finish(values: FlagValues, builder: Builder, result: BuildResult, store: ImageStore, about: readonly ((manifest: Descriptor) => Artifact)[]): Promise<void> {
  const outputs = parseOutputs(values.all('output'));
  const images = outputs.length === 0 || values.has('tag') || values.has('load') ? builder.store(result, values.all('tag'), about) : [];
  for (const output of outputs) await writeOutput(output, store, builder, result, values.all('tag'));
  writeResults(values, images);
  const [image] = images;
  if (image === undefined) return;
  if (values.has('push')) await pushAll(store, images, values);
  if (values.has('quiet')) process.stdout.write(`${image.id}\n`);
  else process.stderr.write([`image ${image.id}`, ...(about.length === 0 ? [] : image.record.referrers.map(({ digest }) => `provenance ${digest}`)), ...images.flatMap(({ record }) => (record.reference === undefined ? [] : [`named ${familiarReference(record.reference)}`]))].map((line) => `${line}\n`).join(''));
}

/** What is known without asking a registry. */
function checkOptions(store: ImageStore, { ignored }: Source): CheckOptions {
  return {
    ignored,
    environmentOf: (name) => {
      try {
        return store.find(name).config.defaults.env;
      } catch (error) {
        if (error instanceof ImageError) return undefined;
        throw error;
      }
    },
  };
}

/** `# check=error=true` makes an error of what is found; otherwise it is said in a line. */
function lookAt(options: BuildOptions, checks: CheckOptions): void {
  const [first, ...others] = checkDockerfile(options.dockerfile, checks);
  if (first === undefined) return;
  const text = `${first.rule}: ${first.message}`;
  if (checkSettings(options.dockerfile).error) throw new BuildError(text, { lines: first.lines, advice: 'see "caisson build --check"' });
  options.reporter.note(`warning: ${text} (line ${first.lines.start})${others.length === 0 ? '' : `, and ${others.length} more; see "caisson build --check"`}`);
}

async function provenanceOf(values: FlagValues, options: BuildOptions): Promise<ProvenanceMaker | undefined> {
  const { provenanceFlag, provenanceMaker } = await import('./build-provenance.ts');
  const wish = provenanceFlag(values);
  return wish === undefined ? undefined : provenanceMaker(wish, options, options.host.now());
}

export async function buildCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(BUILD, args);
  if (values === undefined) return 0;
  let dockerfile: Dockerfile | undefined;
  let agents: Agents | undefined;
  // What the steps make stays until the image has its name, also if someone prunes meanwhile.
  return withStore('build', (store) => store.adding(async () => {
    try {
      const source = await findSource(store, values.command[0] ?? '.', values.last('file'));
      dockerfile = source.dockerfile;
      const checks = checkOptions(store, source);
      if (values.has('check') || values.has('call')) return (await import('./build-check.ts')).printChecks(dockerfile, checks, oneOf(values, 'format', ['text', 'json', 'sarif'] as const) ?? 'text');
      const reporter = createReporter(progressOf(values));
      const caches = values.has('cache-from') || values.has('cache-to') ? await (await import('./build-cache.ts')).openCaches(values, reporter) : undefined;
      if (values.has('ssh')) agents = await (await import('./build-agents.ts')).openAgents(values.all('ssh'));
      const options = await buildOptions(values, store, source, reporter, caches, agents?.sockets ?? new Map());
      lookAt(options, checks);
      const provenance = values.has('provenance') ? await provenanceOf(values, options) : undefined;
      if (provenance !== undefined && values.has('output') && !values.has('tag')) reporter.note('warning: --provenance is about an image in the store, and none is made: give it a name with -t');
      const builder = new Builder(options);
      const result = await builder.build();
      if (values.has('verify')) await (await import('./build-verify.ts')).verify(options, result);
      await finish(values, builder, result, store, provenance === undefined ? [] : [provenance(result, values.all('tag'))]);
      await caches?.write(store, result);
      return 0;
    } catch (error) {
      if (error instanceof BuildError) throw toUserError(error, dockerfile);
      throw error;
    } finally {
      agents?.close();
    }
  }));
}
