/** `RUN --mount`: what each kind shows to a command, and what of it is part of the step's key. */
import type { LayerPaths, MountConfig } from '../container/index.ts';
import type { StoredImage } from '../image/index.ts';
import type { CacheMounts, CacheUse } from './cache-mounts.ts';
import type { Contents } from './contents.ts';
import { planCopy } from './copy-plan.ts';
import { BuildError } from './errors.ts';
import type { BuiltLayer } from './image-config.ts';
import type { RunMount } from './mount-flags.ts';
import type { Trees } from './parent-tree.ts';
import { FIRST_EPOCH } from './stage.ts';
import type { StepStore } from './step-store.ts';
import { toText } from './text.ts';
import { resolvePath } from './tree.ts';
import type { TreeNode } from './tree.ts';
import type { BuildOptions } from './types.ts';

export interface PreparedMount {
  /** What of it is part of the step's key. */
  readonly key: object;
  readonly env: ReadonlyMap<string, string>;
  /** Set where neither the stage nor a mount before it sets it. */
  readonly defaultEnv?: ReadonlyMap<string, string> | undefined;
  /** A cache that one RUN has at a time. */
  readonly cacheId?: string | undefined;
  /** Asked when the command is about to run: until then other commands may have changed a cache. */
  readonly open: () => { readonly mount?: MountConfig | undefined; readonly cache?: CacheUse | undefined };
}

interface Bound {
  readonly layers: readonly BuiltLayer[];
  readonly source: string;
}

export interface RunMountsOptions {
  readonly options: BuildOptions;
  readonly steps: StepStore;
  readonly trees: Trees;
  readonly contents: Contents;
  readonly caches: CacheMounts;
  /** SOURCE_DATE_EPOCH is set. */
  readonly isLimit: boolean;
  /** Layers of a stage before the one of that number, or of an image. */
  readonly layersOf: (from: string, before: number) => Promise<readonly BuiltLayer[]>;
}

export class RunMounts {
  readonly #own: RunMountsOptions;

  constructor(own: RunMountsOptions) {
    this.#own = own;
  }

  /** All of a RUN. `before`: the number of the stage. @throws BuildError */
  async prepare(mounts: readonly RunMount[], before: number): Promise<readonly PreparedMount[]> {
    const agents = mounts.filter(({ kind }) => kind === 'ssh');
    const prepared: PreparedMount[] = [];
    for (const mount of mounts) prepared.push(await this.#prepare(mount, before, `/run/buildkit/ssh_agent.${agents.indexOf(mount)}`));
    return prepared;
  }

  /** `agentSocket`: where BuildKit shows an agent. */
  async #prepare(mount: RunMount, before: number, agentSocket: string): Promise<PreparedMount> {
    switch (mount.kind) {
      case 'tmpfs':
        return { key: mount, env: new Map(), open: () => ({ mount: { kind: 'tmpfs', destination: mount.target, ...(mount.size === undefined ? {} : { sizeBytes: mount.size }) } }) };
      case 'bind': {
        const { layers, source } = await this.#bound(mount.from, mount.source, before);
        const paths = layers.length > 0 ? layers : [await this.#own.steps.write([], false)];
        return {
          key: { ...mount, layers: layers.map(({ diffId }) => diffId), source }, env: new Map(),
          open: () => ({ mount: { kind: 'layers', layers: this.#pathsOf(paths), source, destination: mount.target, readOnly: !mount.readWrite } }),
        };
      }
      case 'cache':
        return this.#cache(mount, before);
      case 'secret':
        return secretMount(mount, this.#own.options.secrets);
      default:
        return agentMount({ ...mount, target: mount.target ?? agentSocket }, this.#own.options.agents);
    }
  }

  #pathsOf(layers: readonly BuiltLayer[]): readonly LayerPaths[] {
    return layers.map(({ diffId }) => this.#own.options.store.layers.pathsOf(diffId));
  }

  /** A part of the context becomes a layer, too, so that nothing of the host is mounted. */
  async #bound(from: string | undefined, source: string, before: number): Promise<Bound> {
    const { options, steps, trees, contents, layersOf } = this.#own;
    const context: TreeNode | StoredImage | undefined = from === undefined ? options.context : options.contexts.get(from);
    if (context === undefined || !('kind' in context)) return { layers: await layersOf(from ?? '', before), source };
    const { node } = resolvePath(context, source);
    if (node === undefined) throw new BuildError(`cannot mount "${toText(source)}": it is not in the context`, { advice: 'check the path and .dockerignore' });
    const times = { epoch: FIRST_EPOCH, isLimit: this.#own.isLimit, ownFrom: undefined };
    const entries = planCopy(trees.root([]), [{ node, name: 'context', path: 'context' }], { owner: undefined, mode: undefined, exclude: [], parents: false, link: false, times, destination: { path: '/context', isDirectory: false } });
    const key = steps.keyOf({ bind: contents.ofEntries(entries) });
    const known = steps.get(key)?.layer;
    const layer = known ?? (await steps.write(entries, false));
    if (known === undefined) steps.put(key, { layer });
    return { layers: [layer], source: '/context' };
  }

  async #cache(mount: RunMount & { readonly kind: 'cache' }, before: number): Promise<PreparedMount> {
    const { id, target, from, source, readOnly, mode, uid, gid, sharing } = mount;
    const first = from === undefined ? undefined : await this.#bound(from, source, before);
    return {
      key: { ...mount }, env: new Map(), cacheId: id,
      open: () => {
        const kept = sharing === 'private' ? undefined : this.#own.caches.get(id);
        const begin = kept === undefined ? first : undefined;
        const layers = kept ?? begin?.layers ?? [];
        const shown: MountConfig = { kind: 'layers', layers: this.#pathsOf(layers), source: begin?.source ?? '/', destination: target, readOnly, mode, uid, gid };
        return { mount: shown, ...(readOnly || begin !== undefined ? {} : { cache: { id, layers, target } }) };
      },
    };
  }
}

/** A secret is never part of a key: the step is the same whatever it is. */
function secretMount(mount: RunMount & { readonly kind: 'secret' }, secrets: ReadonlyMap<string, Uint8Array>): PreparedMount {
  const { id, target, env, required, mode, uid, gid } = mount;
  const bytes = secrets.get(id);
  if (bytes === undefined && required) throw new BuildError(`cannot mount the secret "${toText(id)}": it was not given`, { advice: `give it with --secret id=${toText(id)},src=FILE` });
  const key = { kind: 'secret', id, target, env };
  if (bytes === undefined) return { key, env: new Map(), open: () => ({}) };
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return { key, env: new Map(env === undefined ? [] : [[env, text]]), open: () => (target === undefined ? {} : { mount: { kind: 'file', destination: target, bytes, mode, uid, gid } }) };
}

/** The socket of an agent, which is never part of a key, either. */
function agentMount(mount: RunMount & { readonly kind: 'ssh'; readonly target: string }, agents: ReadonlyMap<string, string>): PreparedMount {
  const { id, target: destination, required, mode, uid, gid } = mount;
  const source = agents.get(id);
  if (source === undefined && required) throw new BuildError(`cannot mount the agent "${toText(id)}": it was not given`, { advice: `give it with --ssh ${toText(id)}${id === 'default' ? '' : '=SOCKET'}` });
  const key = { kind: 'ssh', id, target: destination };
  if (source === undefined) return { key, env: new Map(), open: () => ({}) };
  return { key, env: new Map(), defaultEnv: new Map([['SSH_AUTH_SOCK', destination]]), open: () => ({ mount: { kind: 'socket', source, destination, mode, uid, gid } }) };
}
