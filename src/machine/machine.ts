/** Creates machines: see `machine-types.ts` for what they do. */
import { GuestSpace, type SpaceEnvironment } from './address-space.ts';
import { DecodedBlocks, MAXIMUM_INSTRUCTIONS } from './decoder/decoded-blocks.ts';
import { loadImage, type LoadedImage } from './interpreter/image.ts';
import { DEFAULT_CPU } from './machine-types.ts';
import type { AddressSpace, CpuLevel, Machine, MachineImage, MachineOptions, MachineStatistics } from './machine-types.ts';
import { Shell } from './shell.ts';
import { Translator } from './units/translator.ts';
import { TimeShare } from './units/time-share.ts';
import { UnitRegistry, type CodeKind } from './units/unit-registry.ts';
import { UnitStore } from './units/unit-store.ts';

/** Shells kept for the next address spaces. */
const POOL_SIZE = 4;
/** A memory that grew beyond this is given up: clearing what it may hold takes longer than a fresh one, and the host gets it back. */
const POOLED_BYTES = 512 << 20;
/** Programs of one machine whose translations are kept and shared. */
const MAXIMUM_PROGRAMS = 64;
/** How much of the machine's time may go into translating what is hot, and how much at once. */
const TRANSLATING_SHARE = 0.25;
const TRANSLATING_AT_FIRST_NS = 200_000_000;
/** How much into translating what programs leave for the next process. */
const FINISHING_SHARE = 0.15;
const FINISHING_AT_FIRST_NS = 200_000_000;
/** Reports of a block (each of 256 entries) before it is translated. */
const THRESHOLD = 64;

function compileModule(wasm: Uint8Array<ArrayBuffer>): WebAssembly.Module {
  return new WebAssembly.Module(wasm);
}

/** By image: what was made of it, and shells for the next machine. */
const prepared = new WeakMap<MachineImage, Map<CpuLevel, Prepared>>();

interface Prepared {
  readonly loaded: LoadedImage;
  readonly shells: Shell[];
}

function load(image: MachineImage, cpu: CpuLevel = DEFAULT_CPU): Prepared {
  let levels = prepared.get(image);
  if (levels === undefined) prepared.set(image, (levels = new Map()));
  let entry = levels.get(cpu);
  if (entry === undefined) levels.set(cpu, (entry = { loaded: loadImage(image.interpreter, image.compile ?? compileModule, vectorsOf(image, cpu)), shells: [] }));
  return entry;
}

/** @throws RangeError where the image cannot be that processor. */
function vectorsOf({ vectors }: MachineImage, cpu: CpuLevel): Uint8Array | undefined {
  if (cpu === 'v2') return undefined;
  if (vectors === undefined) throw new RangeError('the machine has no x86-64-v3: its image has no vectors');
  return vectors();
}

/** Does ahead of time what the first machine and its first address space take: for a thread that waits for work. */
export function prepareMachine(image: MachineImage): void {
  const { loaded, shells } = load(image);
  shells.push(new Shell(loaded));
}

function noStatistics(): MachineStatistics {
  return { instructionsDecoded: 0, unitsTranslated: 0, wasmBytes: 0, undecodable: 0 };
}

/**
 * Makes machine code of what is kept of a program, and keeps it, as long as `hasTime`: for a process that has nothing else to do. What
 * others keep meanwhile stays, and then this was for nothing.
 */
export function optimizeKept(image: MachineImage, program: string, hasTime: () => boolean): void {
  const { units } = image;
  const layoutSeed = units?.layoutSeed;
  if (units === undefined || layoutSeed === undefined) return;
  const { loaded } = load(image);
  const storage = units.open(program);
  const registry = new UnitRegistry(loaded, image, new UnitStore(storage, layoutSeed), noStatistics());
  const shell = new Shell(loaded);
  shell.growUnits(registry.slotCount);
  registry.optimizeStored(shell, hasTime);
  if (storage.isCurrent) registry.save(layoutSeed);
}

/**
 * A machine that runs x86-64 code of any number of address spaces on this thread. `image` is what the build made.
 */
export function createMachine(image: MachineImage, options: MachineOptions): Machine {
  const { loaded, shells } = load(image, options.cpu);
  /** Nobody was in them. */
  const fresh = shells.splice(0);
  const pool: { readonly shell: Shell; readonly user: string }[] = [];
  const statistics = noStatistics();
  const { units } = image;
  const registries = new Map<string, UnitRegistry>();
  /** Code that obeys MXCSR is not kept: few programs have any. */
  const registryOf = (program: string, { exactFloats, watched }: CodeKind): UnitRegistry => {
    const key = `${program}${watched ? '\0watched' : ''}${exactFloats ? '\0exact' : ''}`;
    let registry = registries.get(key);
    if (registry === undefined) {
      const isKept = units !== undefined && !exactFloats && registries.size < MAXIMUM_PROGRAMS;
      const store = isKept ? new UnitStore(units.open(key), units.layoutSeed) : undefined;
      registry = new UnitRegistry(loaded, image, store, statistics, { exactFloats, watched });
      if (registries.size < MAXIMUM_PROGRAMS) registries.set(key, registry);
    }
    return registry;
  };
  const { tier, monotonicNs } = options;
  const translating = new TimeShare(monotonicNs, TRANSLATING_SHARE, tier === 'translator' ? Number.MAX_SAFE_INTEGER : TRANSLATING_AT_FIRST_NS);
  const finishing = new TimeShare(monotonicNs, FINISHING_SHARE, FINISHING_AT_FIRST_NS);
  let isFirst = true;
  let decoded: DecodedBlocks | undefined;
  const environment: SpaceEnvironment = {
    image: loaded,
    options,
    statistics,
    takeShell: (user) => {
      const at = pool.findLastIndex((left) => left.user === user);
      const shell = at >= 0 ? pool.splice(at, 1)[0]!.shell : fresh.pop();
      shell?.reset();
      return shell ?? new Shell(loaded);
    },
    giveShell: (shell, user) => {
      if (user === undefined || shell.memory.u8.length > POOLED_BYTES) return;
      // Of users that come and go, the last ones count.
      if (pool.length >= POOL_SIZE) pool.shift();
      pool.push({ shell, user });
    },
    // Most machines run one program, for which keeping what was decoded takes longer than it saves.
    decoderOf: (shell) => {
      if (isFirst) {
        isFirst = false;
        return (u8, offset, available, address, block) => shell.decoder.decode(u8, offset, available, address, MAXIMUM_INSTRUCTIONS, block);
      }
      const blocks = (decoded ??= new DecodedBlocks(loaded.decoder));
      return (u8, offset, available, address, block) => blocks.decode(u8, offset, available, address, block);
    },
    createTranslator: (space, program) =>
      tier === 'interpreter' ? undefined : new Translator(space, registryOf(program, space), translating, tier === 'translator' ? 1 : THRESHOLD),
    finish: (translator) => finishing.spend((hasTime) => translator.finish(hasTime)),
  };
  return {
    statistics,
    layoutSeed: units?.layoutSeed,
    saveUnits: (layoutSeed) => {
      const saved = [...registries.values()].filter((registry) => registry.save(layoutSeed));
      if (saved.length > 0) units?.keepLayout(layoutSeed);
      return [...registries].filter(([, registry]) => registry.lacksNative).map(([program]) => program);
    },
    createAddressSpace(user?: string): AddressSpace {
      const space = new GuestSpace(environment, user);
      space.resetRegisters();
      return space;
    },
  };
}
