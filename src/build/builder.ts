/**
 * A Dockerfile becomes an image. Only the stages that the wanted one needs are built, each once. A step that was made before with
 * the same inputs is not made again.
 */
import type { LayerPaths, MountConfig, NetworkConfig } from '../container/index.ts';
import { ImageError, addBuilt } from '../image/index.ts';
import type { Artifact, Descriptor, ProcessDefaults, StoredImage } from '../image/index.ts';
import { CacheMounts } from './cache-mounts.ts';
import { Contents } from './contents.ts';
import { findSources } from './copy-plan.ts';
import type { CopySource } from './copy-plan.ts';
import { planCopyStep, planDirectory, readCopy } from './copy-step.ts';
import { parseDockerfile } from './dockerfile.ts';
import type { Instruction } from './dockerfile.ts';
import { BuildError } from './errors.ts';
import { oneLine } from './shown.ts';
import type { Expander } from './expand.ts';
import { configDocument } from './image-config.ts';
import type { BuiltLayer } from './image-config.ts';
import { addSources } from './add-sources.ts';
import type { LayerEntry, TimeRule } from '../container/layer-entries.ts';
import { cleanPath } from './patterns.ts';
import { Trees } from './parent-tree.ts';
import { packageUrl, withoutUser } from './provenance.ts';
import type { Material } from './provenance.ts';
import { readRun } from './run-instruction.ts';
import type { RunInstruction } from './run-instruction.ts';
import { runMaker } from './run-layer.ts';
import type { RunRequest } from './run-layer.ts';
import { RunMounts } from './run-mounts.ts';
import type { PreparedMount } from './run-mounts.ts';
import { RunPool } from './run-pool.ts';
import { shownCommand } from './run-step.ts';
import { SETTINGS } from './settings-instructions.ts';
import { Stage, imageState, scratchState } from './stage.ts';
import type { StageState } from './stage.ts';
import { argPairs, findStage, splitStages, targetStage } from './stages.ts';
import type { StageDefinition } from './stages.ts';
import { stepsField } from './step-cache.ts';
import { StepResults } from './step-results.ts';
import { StepStore } from './step-store.ts';
import type { Key, StepResult } from './step-store.ts';
import { toText } from './text.ts';
import { resolvePath } from './tree.ts';
import type { TreeNode } from './tree.ts';
import type { BuildOptions, StepInfo } from './types.ts';
import { BUILDER_ARGS, GlobalScope, PREDEFINED_ARGS, StageScope } from './variables.ts';
import { oneWord } from './words.ts';

export interface BuildResult {
  readonly state: StageState;
  /** The image's configuration. */
  readonly config: Uint8Array<ArrayBuffer>;
  /** Of all stages, those of the image first. */
  readonly steps: ReadonlyMap<Key, StepResult>;
  /** Images and downloads that went into it. */
  readonly materials: readonly Material[];
}

/** A stage that was built, or is being built. */
interface Built {
  readonly state: StageState;
  readonly scope: StageScope;
}

/** What an instruction works with. */
interface Work {
  readonly definition: StageDefinition;
  readonly stage: Stage;
  readonly scope: StageScope;
  readonly step: StepInfo;
}

/** A RUN that is to be made. */
interface Running {
  readonly run: RunInstruction;
  readonly mounts: readonly PreparedMount[];
  readonly defaults: ProcessDefaults;
  readonly network: NetworkConfig;
  readonly epoch: number;
}

export class Builder {
  readonly #options: BuildOptions;
  readonly #global: GlobalScope;
  readonly #stages: readonly StageDefinition[];
  readonly #target: StageDefinition;
  readonly #steps: StepStore;
  readonly #trees: Trees;
  readonly #results: StepResults;
  readonly #mounts: RunMounts;
  readonly #pool: RunPool;
  readonly #contents: Contents;
  readonly #built = new Map<number, Promise<Built>>();
  readonly #downloads: Material[] = [];
  readonly #runs = new Set<Promise<unknown>>();
  readonly #stop = new AbortController();
  #failure: unknown;
  readonly #images = new Map<string, Promise<StoredImage>>();
  readonly #sourceDateEpoch: number | undefined;
  #nextStep = 1;

  /** @throws BuildError for what is wrong in the Dockerfile as a whole. */
  constructor(options: BuildOptions) {
    this.#options = options;
    this.#global = new GlobalScope(options.buildArgs, options.target);
    this.#stages = splitStages(options.dockerfile, this.#global);
    this.#target = targetStage(this.#stages, options.target);
    this.#steps = new StepStore(options.store);
    this.#trees = new Trees(options.store);
    this.#results = new StepResults(this.#steps, options);
    this.#contents = new Contents(options.host.codecs);
    this.#sourceDateEpoch = epochOf(options.buildArgs.get('SOURCE_DATE_EPOCH'));
    this.#mounts = new RunMounts({
      options, steps: this.#steps, trees: this.#trees, contents: this.#contents, caches: new CacheMounts(this.#steps, this.#trees), isLimit: this.#sourceDateEpoch !== undefined,
      layersOf: (from, before) => this.#layersOf(from, before),
    });
    this.#pool = new RunPool({ jobs: options.jobs, here: runMaker(options.store, options.makeContainer), elsewhere: options.runElsewhere });
  }

  /** @throws BuildError, ImageError */
  async build(): Promise<BuildResult> {
    try {
      const { state } = await this.#stage(this.#target);
      await Promise.all(this.#built.values());
      for (const [name, value] of this.#options.labels) state.settings.labels.set(name, value);
      const unused = [...this.#options.buildArgs.keys()].filter((name) => !this.#global.used.has(name) && !PREDEFINED_ARGS.includes(name) && !BUILDER_ARGS.includes(name));
      if (unused.length > 0) this.#options.reporter.note(`warning: --build-arg ${unused.join(', ')} is not used: no ARG has the name`);
      const inline = this.#options.inlineCache ? stepsField(state.steps, state.layers) : {};
      return { state, config: configDocument(state, inline), steps: new Map([...state.steps, ...await this.#results.all()]), materials: await this.#materials() };
    } catch (error) {
      this.#fail(error);
      // Commands are stopped; downloads end with the process.
      await Promise.allSettled(this.#runs);
      throw this.#failure;
    } finally {
      this.#trees.close();
    }
  }

  async #materials(): Promise<readonly Material[]> {
    const images = await Promise.all([...this.#images.values()].map(async (image): Promise<Material> => {
      const { reference, target } = (await image).record;
      return { uri: reference === undefined ? undefined : packageUrl(reference), digest: target.digest };
    }));
    const { contextMaterial } = this.#options;
    const all = new Map([...images, ...this.#downloads, ...(contextMaterial === undefined ? [] : [contextMaterial])].map((material) => [`${material.uri ?? ''} ${material.digest}`, material]));
    return [...all].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, material]) => material);
  }

  /** The first error is what the build ends with; what runs beside is stopped. True: it is that error. */
  #fail(error: unknown): boolean {
    if (!this.#stop.signal.aborted) {
      this.#failure = error;
      this.#stop.abort();
    }
    return this.#failure === error;
  }

  #stage(definition: StageDefinition): Promise<Built> {
    const known = this.#built.get(definition.index);
    if (known !== undefined) return known;
    const built = this.#buildStage(definition);
    this.#built.set(definition.index, built);
    built.catch((error: unknown) => this.#fail(error));
    return built;
  }

  async #buildStage(definition: StageDefinition): Promise<Built> {
    const { base, from, name, index, instructions } = definition;
    const below = findStage(this.#stages, base, index);
    const total = instructions.length + 1;
    const title = name ?? (this.#stages.length > 1 ? `stage-${index}` : '');
    const info = (number: number, instruction: Instruction): StepInfo => ({
      id: this.#nextStep++, stage: title, name: `[${title === '' ? '' : `${title} `}${number}/${total}] ${oneLine(instruction)}`, lines: instruction.lines,
    });
    // What is read later is begun now.
    const read = (of: readonly Instruction[]): readonly Promise<Built>[] => stagesRead(of).flatMap((from) => findStage(this.#stages, from, index) ?? []).map((other) => this.#stage(other));
    read(instructions);
    const before = below === undefined ? undefined : await this.#stage(below);
    const state = await this.#do(info(1, from), async () => before?.state ?? (await this.#base(definition)));
    const stage = new Stage(state, this.#sourceDateEpoch !== undefined);
    const scope = new StageScope(this.#global, () => stage.settings.env, before?.scope);
    const work = { definition, stage, scope };
    const triggers = below === undefined ? stage.settings.onBuild.splice(0) : [];
    for (const trigger of triggers) {
      for (const instruction of parseDockerfile(trigger, 'ONBUILD').instructions) await this.#instruction(work, { ...instruction, lines: from.lines }, info(1, { ...instruction, lines: from.lines }));
    }
    for (const [position, instruction] of instructions.entries()) {
      await Promise.all(read([instruction]));
      await this.#instruction(work, instruction, info(position + 2, instruction));
    }
    return { state: stage.state, scope };
  }

  /** Tells of a step; what it throws gets its place. */
  async #do<Result>(step: StepInfo, body: () => Promise<Result>, isCached: (result: Result) => boolean = () => false): Promise<Result> {
    const { reporter } = this.#options;
    this.#stop.signal.throwIfAborted();
    reporter.start(step);
    try {
      const result = await body();
      reporter.end(step, isCached(result) ? 'cached' : 'done');
      return result;
    } catch (error) {
      const placed = error instanceof BuildError ? error.at(step.lines) : error;
      reporter.end(step, this.#fail(placed) ? 'failed' : 'canceled');
      throw placed;
    }
  }

  async #base({ base, platform }: StageDefinition): Promise<StageState> {
    if (platform !== undefined && platform !== 'linux/amd64' && platform !== 'linux/x86_64') throw new BuildError(`cannot build for ${toText(platform)}: only linux/amd64 can be run`, { advice: 'leave --platform out, or write linux/amd64' });
    if (base === 'scratch') return scratchState(this.#sourceDateEpoch);
    return imageState(await this.#image(base), this.#sourceDateEpoch);
  }

  #image(name: string): Promise<StoredImage> {
    const context = this.#options.contexts.get(name);
    const known = this.#images.get(name) ?? (context !== undefined && 'manifest' in context ? Promise.resolve(context) : this.#prepared(name));
    this.#images.set(name, known);
    return known;
  }

  async #prepared(name: string): Promise<StoredImage> {
    try {
      const image = await this.#options.findImage(toText(name));
      await this.#options.store.mountable(image);
      return image;
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      throw new BuildError(`cannot use the image "${toText(name)}": ${error.message}`, { advice: error.advice, cause: error });
    }
  }

  // ---- instructions ----

  async #instruction(base: Omit<Work, 'step'>, instruction: Instruction, step: StepInfo): Promise<void> {
    const work: Work = { ...base, step };
    const done = this.#do(step, () => this.#execute(work, instruction), (cached) => cached);
    if (instruction.keyword === 'RUN') this.#runs.add(done);
    await done.finally(() => this.#runs.delete(done));
  }

  /** True: it was made before. */
  async #execute(work: Work, instruction: Instruction): Promise<boolean> {
    const { stage, scope } = work;
    const expander: Expander = { escape: this.#options.dockerfile.escape, variables: scope };
    const apply = SETTINGS.get(instruction.keyword);
    if (apply !== undefined) {
      apply(stage.settings, instruction, expander);
      stage.addLayer(undefined, oneLine(instruction));
      return false;
    }
    switch (instruction.keyword) {
      case 'ARG':
        for (const [name, value] of argPairs(instruction, expander)) scope.declare(name, value);
        stage.addLayer(undefined, oneLine(instruction));
        return false;
      case 'RUN':
        return this.#run(work, instruction, expander);
      case 'WORKDIR':
        return this.#workdir(work, instruction, expander);
      case 'COPY':
      case 'ADD':
        return this.#copy(work, instruction, expander);
      default:
        // A trigger of a base image may say anything.
        throw new BuildError(`cannot use ${toText(instruction.keyword)} here`, { advice: 'see the Dockerfile reference' });
    }
  }

  async #workdir(work: Work, instruction: Instruction, expander: Expander): Promise<boolean> {
    const { stage } = work;
    const path = `/${cleanPath(stage.absolute(oneWord(instruction, expander)))}`;
    stage.settings.workingDirectory = path;
    const root = this.#rootOf(stage);
    const { node } = resolvePath(root, path);
    if (node?.kind === 'directory') {
      stage.addLayer(undefined, oneLine(instruction));
      return false;
    }
    return this.#addEntries(work, planDirectory(stage, path, () => root, this.#copyTimes(stage.nextEpoch())), oneLine(instruction));
  }

  async #copy(work: Work, instruction: Instruction, expander: Expander): Promise<boolean> {
    const { stage } = work;
    const copy = readCopy(instruction, expander);
    const root = this.#rootOf(stage);
    const from = copy.from === undefined ? undefined : await this.#tree(copy.from, work.definition.index);
    const top = from ?? this.#options.context;
    const what = copy.from === undefined ? 'the context' : `"${toText(copy.from)}"`;
    const epoch = stage.nextEpoch();
    const temporary: (() => void)[] = [];
    const source = async (text: string): Promise<readonly CopySource[]> => {
      if (instruction.keyword === 'COPY') return findSources(top, text, what, copy.parents);
      return addSources({ text, context: top, copy, host: this.#options.host, steps: this.#steps, trees: this.#trees, onDownload: (url, digest) => this.#downloads.push({ uri: withoutUser(url), digest }),
        readRepository: this.#options.readRepository, onRepository: (uri, commit) => this.#downloads.push({ uri, digest: `gitCommit:${commit}` }), onTemporary: (discard) => temporary.push(discard) });
    };
    try {
      const entries = await planCopyStep({ stage, copy, root: () => root, times: this.#copyTimes(epoch), source });
      return await this.#addEntries(work, entries, oneLine(instruction));
    } finally {
      for (const discard of temporary) discard();
    }
  }

  /** A layer of entries is known by what is in it. */
  async #addEntries(work: Work, entries: readonly LayerEntry[], createdBy: string): Promise<boolean> {
    const { stage } = work;
    if (entries.length === 0) {
      stage.addLayer(undefined, createdBy);
      return false;
    }
    const key = this.#steps.keyOf({ entries: this.#contents.ofEntries(entries), compress: this.#options.compress });
    return this.#addStep(work, key, createdBy, async () => ({ layer: await this.#steps.write(entries, this.#options.compress) }));
  }

  async #addStep({ stage, definition: { name, index } }: Work, key: Key, createdBy: string, make: () => Promise<StepResult>): Promise<boolean> {
    const { noCache } = this.#options;
    const isOff = typeof noCache === 'boolean' ? noCache : noCache.includes(name ?? String(index));
    const [result, isKnown] = await this.#results.get(key, isOff, make);
    stage.addStep(key, result, createdBy);
    return isKnown;
  }

  async #run(work: Work, instruction: Instruction, expander: Expander): Promise<boolean> {
    const { stage, scope, definition } = work;
    const run = readRun(instruction, stage, expander);
    const epoch = stage.nextEpoch();
    const args = scope.arguments;
    const mounts = await this.#mounts.prepare(run.mounts, definition.index);
    const env = new Map([...args, ...stage.settings.env]);
    const network: NetworkConfig = run.network === 'none' ? { mode: 'none', allow: [] } : this.#options.network;
    const key = this.#steps.keyOf({
      parent: stage.layers.map(({ diffId }) => diffId), argv: run.argv, script: run.script ?? null, env: [...env], user: stage.settings.user, cwd: stage.workingDirectory,
      mounts: mounts.map((mount) => mount.key), network: run.network === 'none' ? 'none' : network, epoch, compress: this.#options.compress,
    });
    const secrets = new Map(mounts.flatMap(({ env: own }) => [...own]));
    const agents = mounts.flatMap(({ defaultEnv }) => [...(defaultEnv ?? [])]).reverse();
    const defaults = stage.settings.processDefaults(new Map([...scope.silent, ...agents, ...env, ...secrets]));
    return this.#addStep(work, key, shownCommand(run.argv, args), async () => ({ layer: await this.#make(work, { run, mounts, defaults, network, epoch }) }));
  }

  #make({ stage, step }: Work, { run, mounts, defaults, network, epoch }: Running): Promise<BuiltLayer | undefined> {
    const script: readonly MountConfig[] = run.script === undefined ? [] : [{ kind: 'file', destination: run.script.path, bytes: Uint8Array.from(run.script.text, (character) => character.charCodeAt(0)), mode: 0o755, uid: 0, gid: 0 }];
    const { compress, memoryBytes, writableBytes, reporter } = this.#options;
    const prepare = async (): Promise<RunRequest> => {
      const opened = mounts.map((mount) => mount.open());
      return {
        argv: run.argv, defaults, layers: await this.#paths(stage.layers), mounts: [...opened.flatMap(({ mount }) => mount ?? []), ...script], caches: opened.flatMap(({ cache }) => cache ?? []),
        network, memoryBytes, writableBytes, epoch, isLimit: this.#sourceDateEpoch !== undefined, compress,
      };
    };
    return this.#pool.run(mounts.flatMap(({ cacheId }) => cacheId ?? []), prepare, { onOutput: (fd, bytes) => reporter.output(step, fd, bytes), signal: this.#stop.signal });
  }

  /** Times that things have keep; SOURCE_DATE_EPOCH bounds them. */
  #copyTimes(epoch: number): TimeRule {
    return { epoch, isLimit: this.#sourceDateEpoch !== undefined, ownFrom: undefined };
  }

  // ---- what steps read ----

  async #paths(layers: readonly BuiltLayer[]): Promise<readonly LayerPaths[]> {
    // A container has one layer at least.
    const all = layers.length > 0 ? layers : [await this.#steps.write([], false)];
    return all.map(({ diffId }) => this.#options.store.layers.pathsOf(diffId));
  }

  #rootOf(stage: Stage): TreeNode {
    return this.#trees.root(stage.layers.map(({ diffId }) => diffId));
  }

  /** Layers of a stage or an image. */
  async #layersOf(from: string, before: number): Promise<readonly BuiltLayer[]> {
    const stage = findStage(this.#stages, from, before);
    if (stage !== undefined) return (await this.#stage(stage)).state.layers;
    return imageState(await this.#image(from), undefined).layers;
  }

  async #tree(from: string, before: number): Promise<TreeNode> {
    const context = this.#options.contexts.get(from);
    if (context !== undefined && 'kind' in context) return context;
    if (from.toLowerCase() === 'scratch') throw new BuildError('cannot copy from scratch: nothing is in it');
    const layers = await this.#layersOf(from, before);
    return this.#trees.root(layers.map(({ diffId }) => diffId));
  }

  /** Names the image. @throws ImageError */
  store({ state, config }: BuildResult, names: readonly string[], about: readonly ((manifest: Descriptor) => Artifact)[] = []): readonly StoredImage[] {
    return addBuilt(this.#options.store, config, state.layers.map(({ descriptor }) => descriptor), names, about);
  }
}

/** Names of stages, or of images, that instructions copy from or mount. */
function stagesRead(instructions: readonly Instruction[]): readonly string[] {
  return instructions.flatMap(({ flags }) => flags.flatMap(({ name, value = '' }) => (name === 'from' ? [value] : name === 'mount' ? [/(?:^|,)from=([^,]+)/.exec(value)?.[1] ?? ''] : [])));
}

function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!/^\d{1,11}$/.test(text) || value > 253_402_300_799) throw new BuildError(`cannot use SOURCE_DATE_EPOCH=${text}: it is no number of seconds`, { advice: 'such as $(git log -1 --pretty=%ct)' });
  return value;
}
