/** What a build is given, and what it tells while it goes on. */
import type { NetworkConfig } from '../container/index.ts';
import type { ImageHost } from '../host/types.ts';
import type { ImageStore, StoredImage } from '../image/index.ts';
import type { Dockerfile } from './dockerfile.ts';
import type { Lines } from './errors.ts';
import type { RepositoryReader } from './git-address.ts';
import type { Material } from './provenance.ts';
import type { RunMaker } from './run-layer.ts';
import type { ContainerMaker } from './run-step.ts';
import type { ImportedSteps } from './step-cache.ts';
import type { TreeNode } from './tree.ts';

export interface StepInfo {
  readonly id: number;
  /** `[build 2/5] RUN make` */
  readonly name: string;
  /** Of several: whose step it is; empty where there is one. */
  readonly stage: string;
  readonly lines: Lines;
}

/** `canceled`: another step failed. */
export type StepEnd = 'done' | 'cached' | 'failed' | 'canceled';

/** Several steps may run at once. */
export interface BuildReporter {
  start(step: StepInfo): void;
  output(step: StepInfo, fd: number, bytes: Uint8Array): void;
  end(step: StepInfo, how: StepEnd): void;
  note(text: string): void;
}

export interface BuildOptions {
  readonly host: ImageHost;
  readonly store: ImageStore;
  readonly dockerfile: Dockerfile;
  /** Without what .dockerignore leaves out. */
  readonly context: TreeNode;
  /** Further contexts, and images, by the names that FROM and --from use. */
  readonly contexts: ReadonlyMap<string, TreeNode | StoredImage>;
  /** Where the context was got from, if from elsewhere. */
  readonly contextMaterial: Material | undefined;
  readonly readRepository: RepositoryReader;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: ReadonlyMap<string, string>;
  readonly target: string | undefined;
  /** True: nothing that was made before is used; a list: in these stages. */
  readonly noCache: boolean | readonly string[];
  /** Where steps are looked for that the store does not have. */
  readonly cacheFrom: readonly ImportedSteps[];
  /** True: the image's configuration says which steps gave its layers. */
  readonly inlineCache: boolean;
  readonly network: NetworkConfig;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  /** Sockets of agents on the host, by id: paths, byte strings. */
  readonly agents: ReadonlyMap<string, string>;
  readonly memoryBytes: number | undefined;
  readonly writableBytes: number | undefined;
  readonly compress: boolean;
  /** How many RUNs at once, of stages that do not need each other. */
  readonly jobs: number;
  readonly makeContainer: ContainerMaker;
  /** Makes RUNs in other threads; undefined: all are made in this one. */
  readonly runElsewhere: RunMaker | undefined;
  /** Gets a base image, from its registry if need be. */
  readonly findImage: (name: string) => Promise<StoredImage>;
  readonly reporter: BuildReporter;
}
