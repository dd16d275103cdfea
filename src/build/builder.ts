/**
 * A Dockerfile becomes an image. Only the stages that the wanted one needs are built, each once. A step that was made before with
 * the same inputs is not made again.
 */
import type { LayerPaths, MountConfig } from '../container/index.ts';
import { ImageError, StoreError, addBuilt } from '../image/index.ts';
import type { StoredImage } from '../image/index.ts';
import { CacheMounts } from './cache-mounts.ts';
import { Contents } from './contents.ts';
import { findSources, planCopy } from './copy-plan.ts';
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
import { entriesOfChanges } from './layer-entries.ts';
import type { LayerEntry, TimeRule } from './layer-entries.ts';
import type { RunMount } from './mount-flags.ts';
import { cleanPath } from './patterns.ts';
import { Trees } from './parent-tree.ts';
import { readRun } from './run-instruction.ts';
import { runCommand, shownCommand } from './run-step.ts';
import { SETTINGS } from './settings-instructions.ts';
import { FIRST_EPOCH, Stage, imageState, scratchState } from './stage.ts';
import type { StageState } from './stage.ts';
import { argPairs, findStage, splitStages, targetStage } from './stages.ts';
import type { StageDefinition } from './stages.ts';
import { stepsField } from './step-cache.ts';
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

export class Builder {
  readonly #options: BuildOptions;
  readonly #global: GlobalScope;
  readonly #stages: readonly StageDefinition[];
  readonly #target: StageDefinition;
  readonly #steps: StepStore;
  readonly #trees: Trees;
  readonly #caches: CacheMounts;
  readonly #contents: Contents;
  readonly #built = new Map<number, Promise<Built>>();
  readonly #made = new Map<Key, StepResult>();
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
    this.#caches = new CacheMounts(this.#steps, this.#trees);
    this.#contents = new Contents(options.host.codecs);
    this.#sourceDateEpoch = epochOf(options.buildArgs.get('SOURCE_DATE_EPOCH'));
  }

  /** @throws BuildError, ImageError */
  async build(): Promise<BuildResult> {
    try {
      const { state } = await this.#stage(this.#target);
      for (const [name, value] of this.#options.labels) state.settings.labels.set(name, value);
      const unused = [...this.#options.buildArgs.keys()].filter((name) => !this.#global.used.has(name) && !PREDEFINED_ARGS.includes(name) && !BUILDER_ARGS.includes(name));
      if (unused.length > 0) this.#options.reporter.note(`warning: --build-arg ${unused.join(', ')} is not used: no ARG has the name`);
      const inline = this.#options.inlineCache ? stepsField(state.steps, state.layers) : {};
      return { state, config: configDocument(state, inline), steps: new Map([...state.steps, ...this.#made]) };
    } finally {
      this.#trees.close();
    }
  }

  #stage(definition: StageDefinition): Promise<Built> {
    const known = this.#built.get(definition.index) ?? this.#buildStage(definition);
    this.#built.set(definition.index, known);
    return known;
  }

  async #buildStage(definition: StageDefinition): Promise<Built> {
    const { base, from, name, index, instructions } = definition;
    const below = findStage(this.#stages, base, index);
    const total = instructions.length + 1;
    const title = name ?? (this.#stages.length > 1 ? `stage-${index}` : '');
    const info = (number: number, instruction: Instruction): StepInfo => ({
      id: this.#nextStep++, name: `[${title === '' ? '' : `${title} `}${number}/${total}] ${oneLine(instruction)}`, lines: instruction.lines,
    });
    const before = below === undefined ? undefined : await this.#stage(below);
    for (const needed of stagesRead(definition)) {
      const other = findStage(this.#stages, needed, index);
      if (other !== undefined) await this.#stage(other);
    }
    const state = await this.#do(info(1, from), async () => before?.state ?? (await this.#base(definition)));
    const stage = new Stage(state, this.#sourceDateEpoch !== undefined);
    const scope = new StageScope(this.#global, () => stage.settings.env, before?.scope);
    const work = { definition, stage, scope };
    const triggers = below === undefined ? stage.settings.onBuild.splice(0) : [];
    for (const trigger of triggers) {
      for (const instruction of parseDockerfile(trigger, 'ONBUILD').instructions) await this.#instruction(work, { ...instruction, lines: from.lines }, info(1, { ...instruction, lines: from.lines }));
    }
    for (const [position, instruction] of instructions.entries()) await this.#instruction(work, instruction, info(position + 2, instruction));
    return { state: stage.state, scope };
  }

  /** Tells of a step; what it throws gets its place. */
  async #do<Result>(step: StepInfo, body: () => Promise<Result>, isCached: (result: Result) => boolean = () => false): Promise<Result> {
    const { reporter } = this.#options;
    reporter.start(step);
    try {
      const result = await body();
      reporter.end(step, isCached(result) ? 'cached' : 'done');
      return result;
    } catch (error) {
      reporter.end(step, 'failed');
      if (error instanceof BuildError) throw error.at(step.lines);
      throw error;
    }
  }

  async #base({ base, platform }: StageDefinition): Promise<StageState> {
    if (platform !== undefined && platform !== 'linux/amd64' && platform !== 'linux/x86_64') throw new BuildError(`cannot build for ${toText(platform)}: only linux/amd64 can be run`, { advice: 'leave --platform out, or write linux/amd64' });
    if (base === 'scratch') return scratchState(this.#sourceDateEpoch);
    return imageState(await this.#image(base), this.#sourceDateEpoch);
  }

  #image(name: string): Promise<StoredImage> {
    const context = this.#options.contexts.get(name);
    if (context !== undefined && 'manifest' in context) return Promise.resolve(context);
    const known = this.#images.get(name) ?? this.#prepared(name);
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
    await this.#do(step, () => this.#execute(work, instruction), (cached) => cached);
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
      return addSources({ text, context: top, copy, host: this.#options.host, steps: this.#steps, trees: this.#trees, onTemporary: (discard) => temporary.push(discard) });
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
    const known = await this.#known(key, work.definition);
    const result = known ?? { layer: await this.#steps.write(entries, this.#options.compress) };
    this.#keepStep(work, key, result, createdBy, known === undefined);
    return known !== undefined;
  }

  #keepStep({ stage }: Work, key: Key, result: StepResult, createdBy: string, isNew: boolean): void {
    if (isNew) this.#steps.put(key, result);
    this.#made.set(key, result);
    stage.addStep(key, result, createdBy);
  }

  async #known(key: Key, { name, index }: StageDefinition): Promise<StepResult | undefined> {
    const { noCache } = this.#options;
    const isOff = typeof noCache === 'boolean' ? noCache : noCache.includes(name ?? String(index));
    return isOff ? undefined : this.#steps.get(key) ?? (await this.#imported(key));
  }

  /** From `--cache-from`. A cache that is spoiled or gone is no reason not to build. */
  async #imported(key: Key): Promise<StepResult | undefined> {
    const { cacheFrom, store, reporter } = this.#options;
    for (const cache of cacheFrom) {
      try {
        const found = await cache.get(key, store);
        if (found === undefined) continue;
        this.#steps.put(key, found);
        return found;
      } catch (error) {
        if (!(error instanceof ImageError) || error instanceof StoreError) throw error;
        cache.giveUp();
        reporter.note(`warning: nothing more is taken from the cache ${cache.name}: ${error.message}`);
      }
    }
    return undefined;
  }

  async #run(work: Work, instruction: Instruction, expander: Expander): Promise<boolean> {
    const { stage, scope, step, definition } = work;
    const run = readRun(instruction, stage, expander);
    const epoch = stage.nextEpoch();
    const args = scope.arguments;
    const mounts = await this.#mounts(run.mounts, definition);
    const env = new Map([...args, ...stage.settings.env]);
    const createdBy = shownCommand(run.argv, args);
    const key = this.#steps.keyOf({
      parent: stage.layers.map(({ diffId }) => diffId), argv: run.argv, script: run.script ?? null, env: [...env], user: stage.settings.user, cwd: stage.workingDirectory,
      mounts: mounts.map((mount) => mount.key), network: run.network === 'none' ? 'none' : this.#options.network, epoch, compress: this.#options.compress,
    });
    const known = await this.#known(key, definition);
    if (known !== undefined) {
      this.#keepStep(work, key, known, createdBy, false);
      return true;
    }
    const secrets = new Map(mounts.flatMap(({ env: own }) => [...own]));
    const script: readonly MountConfig[] = run.script === undefined ? [] : [{ kind: 'file', destination: run.script.path, bytes: Uint8Array.from(run.script.text, (character) => character.charCodeAt(0)), mode: 0o755, uid: 0, gid: 0 }];
    const ownFrom = BigInt(this.#options.host.now()) * 1_000_000n;
    const container = await runCommand(this.#options.makeContainer, {
      argv: run.argv, env: new Map([...scope.silent, ...env, ...secrets]), settings: stage.settings, layers: await this.#paths(stage.layers),
      mounts: [...mounts.flatMap(({ mount }) => (mount === undefined ? [] : [mount])), ...script], network: run.network === 'none' ? { mode: 'none', allow: [] } : this.#options.network,
      memoryBytes: this.#options.memoryBytes, writableBytes: this.#options.writableBytes,
      onOutput: (fd, bytes) => this.#options.reporter.output(step, fd, bytes),
    });
    try {
      const entries = entriesOfChanges(container.changes(), { epoch, isLimit: this.#sourceDateEpoch !== undefined, ownFrom });
      const layer = entries.length === 0 ? undefined : await this.#steps.write(entries, this.#options.compress);
      for (const { keep } of mounts) await keep?.(container);
      this.#keepStep(work, key, { layer }, createdBy, true);
    } finally {
      container.close();
    }
    return false;
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

  async #mounts(mounts: readonly RunMount[], definition: StageDefinition): Promise<readonly PreparedMount[]> {
    const prepared: PreparedMount[] = [];
    for (const mount of mounts) prepared.push(await this.#mount(mount, definition));
    return prepared;
  }

  async #mount(mount: RunMount, definition: StageDefinition): Promise<PreparedMount> {
    const env = new Map<string, string>();
    switch (mount.kind) {
      case 'tmpfs':
        return { key: mount, env, mount: { kind: 'tmpfs', destination: mount.target, ...(mount.size === undefined ? {} : { sizeBytes: mount.size }) } };
      case 'bind': {
        const { layers, source } = await this.#bindSource(mount.from, mount.source, definition);
        return { key: { ...mount, layers: layers.map(({ diffId }) => diffId), source }, env, mount: { kind: 'layers', layers: await this.#paths(layers), source, destination: mount.target, readOnly: !mount.readWrite } };
      }
      case 'cache':
        return this.#cacheMount(mount, definition);
      case 'secret':
        return secretMount(mount, this.#options.secrets);
      default:
        throw new BuildError('cannot use --mount=type=ssh here');
    }
  }

  /** A part of the context becomes a layer, too, so that nothing of the host is mounted. */
  async #bindSource(from: string | undefined, source: string, definition: StageDefinition): Promise<{ readonly layers: readonly BuiltLayer[]; readonly source: string }> {
    const context = from === undefined ? this.#options.context : this.#options.contexts.get(from);
    if (context === undefined || !('kind' in context)) return { layers: await this.#layersOf(from ?? '', definition.index), source };
    const { node } = resolvePath(context, source);
    if (node === undefined) throw new BuildError(`cannot mount "${toText(source)}": it is not in the context`, { advice: 'check the path and .dockerignore' });
    const root = this.#trees.root([]);
    const entries = planCopy(root, [{ node, name: 'context', path: 'context' }], { owner: undefined, mode: undefined, exclude: [], parents: false, link: false, times: this.#copyTimes(FIRST_EPOCH), destination: { path: '/context', isDirectory: false } });
    const key = this.#steps.keyOf({ bind: this.#contents.ofEntries(entries) });
    const known = this.#steps.get(key)?.layer;
    const layer = known ?? (await this.#steps.write(entries, false));
    if (known === undefined) this.#steps.put(key, { layer });
    return { layers: [layer], source: '/context' };
  }

  async #cacheMount(mount: RunMount & { readonly kind: 'cache' }, definition: StageDefinition): Promise<PreparedMount> {
    const { id, target, from, source, readOnly, mode, uid, gid } = mount;
    const kept = mount.sharing === 'private' ? undefined : this.#caches.get(id);
    const first = kept === undefined && from !== undefined ? await this.#bindSource(from, source, definition) : undefined;
    const layers = kept ?? first?.layers ?? [];
    const isOwn = first === undefined;
    return {
      key: { ...mount }, env: new Map(),
      mount: { kind: 'layers', layers: layers.map(({ diffId }) => this.#options.store.layers.pathsOf(diffId)), source: first?.source ?? '/', destination: target, readOnly, mode, uid, gid },
      ...(readOnly || !isOwn ? {} : { keep: (container) => this.#caches.keep(id, layers, container, target) }),
    };
  }

  /** Names the image. @throws ImageError */
  store({ state, config }: BuildResult, names: readonly string[]): readonly StoredImage[] {
    return addBuilt(this.#options.store, config, state.layers.map(({ descriptor }) => descriptor), names);
  }
}

/** Names of stages, or of images, that instructions copy from or mount. */
function stagesRead({ instructions }: StageDefinition): readonly string[] {
  return instructions.flatMap(({ flags }) => flags.flatMap(({ name, value = '' }) => (name === 'from' ? [value] : name === 'mount' ? [/(?:^|,)from=([^,]+)/.exec(value)?.[1] ?? ''] : [])));
}

interface PreparedMount {
  /** What of it is part of the step's key. */
  readonly key: object;
  readonly env: ReadonlyMap<string, string>;
  readonly mount?: MountConfig | undefined;
  readonly keep?: ((container: Parameters<CacheMounts['keep']>[2]) => Promise<void>) | undefined;
}

/** A secret is never part of a key: the step is the same whatever it is. */
function secretMount(mount: RunMount & { readonly kind: 'secret' }, secrets: ReadonlyMap<string, Uint8Array>): PreparedMount {
  const { id, target, env, required, mode, uid, gid } = mount;
  const bytes = secrets.get(id);
  if (bytes === undefined && required) throw new BuildError(`cannot mount the secret "${toText(id)}": it was not given`, { advice: `give it with --secret id=${toText(id)},src=FILE` });
  const key = { kind: 'secret', id, target, env };
  if (bytes === undefined) return { key, env: new Map() };
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return { key, env: new Map(env === undefined ? [] : [[env, text]]), ...(target === undefined ? {} : { mount: { kind: 'file' as const, destination: target, bytes, mode, uid, gid } }) };
}

function epochOf(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!/^\d{1,11}$/.test(text) || value > 253_402_300_799) throw new BuildError(`cannot use SOURCE_DATE_EPOCH=${text}: it is no number of seconds`, { advice: 'such as $(git log -1 --pretty=%ct)' });
  return value;
}
