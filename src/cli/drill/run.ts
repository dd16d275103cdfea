/** Techniques, one after another, each with canaries that are as they were planted. */
import { Program, judge } from '../../drill/index.ts';
import type { Hands, Outcome, Technique } from '../../drill/index.ts';
import type { Sandbox } from '../../sandbox/index.ts';
import { Canaries } from './canaries.ts';
import { carelessHands, ourHands } from './hands.ts';
import { endCommands, hostTarget, neighbourTarget, sandboxTarget } from './targets.ts';
import type { Runtime } from './runtime.ts';
import type { Target } from './targets.ts';

export class Drill {
  readonly #image: string | undefined;
  #canaries: Promise<Canaries> | undefined;
  #ending: Promise<void> | undefined;

  /** `image`: else an empty root directory. */
  constructor(image?: string) {
    this.#image = image;
  }

  #planted(): Promise<Canaries> {
    if (this.#ending !== undefined) throw new Error('the drill is over');
    this.#canaries ??= Canaries.plant();
    return this.#canaries;
  }

  /** Canaries that have noticed something are planted anew. */
  async #judge(technique: Technique, canaries: Canaries, run: Awaited<ReturnType<Target['run']>>): Promise<Outcome> {
    const outcome = judge(technique, run, await canaries.check(run));
    if (outcome.verdict === 'out') await this.#remove();
    return outcome;
  }

  /** In a sandbox, with what the technique is given. */
  async tryTechnique(technique: Technique): Promise<Outcome> {
    const canaries = await this.#planted();
    const program = new Program();
    technique.program(program, canaries.field);
    const grants = technique.grants?.(canaries.field) ?? {};
    // An image has no links of ours.
    const image = grants.links === undefined ? this.#image : undefined;
    return this.#judge(technique, canaries, await sandboxTarget(canaries, image, ourHands).run(technique, program.toElf(), grants));
  }

  /** On its twin, a host without the defence: it has to get out. */
  async tryTwin(technique: Technique): Promise<Outcome> {
    const canaries = await this.#planted();
    const { twin } = technique;
    const program = new Program(twin.bugs?.(canaries.field));
    twin.before?.(program, canaries.field);
    technique.program(program, canaries.field);
    const grants = (twin.grants ?? technique.grants)?.(canaries.field) ?? {};
    const careless = (sandbox: Sandbox): Hands => carelessHands(sandbox, canaries);
    const target = { host: () => hostTarget(canaries.field), sandbox: () => sandboxTarget(canaries, undefined, careless), neighbour: () => neighbourTarget(canaries, careless) }[twin.on]();
    return this.#judge(technique, canaries, await target.run(technique, program.toElf(), grants));
  }

  /** Under another engine. Undefined: it is not tried there. */
  async tryRuntime(technique: Technique, runtime: Runtime): Promise<Outcome | undefined> {
    const canaries = await this.#planted();
    if (!runtime.takes(technique, canaries.field)) return undefined;
    const program = new Program();
    technique.program(program, canaries.field);
    return this.#judge(technique, canaries, await runtime.target(canaries.field).run(technique, program.toElf(), technique.grants?.(canaries.field) ?? {}));
  }

  async #remove(): Promise<void> {
    const planting = this.#canaries;
    this.#canaries = undefined;
    // What could not be planted has told so.
    const canaries = await planting?.catch(() => undefined);
    await canaries?.remove();
  }

  /** Nothing is tried afterwards, and nothing of it stays. Whoever asks again waits for the same end. */
  end(): Promise<void> {
    this.#ending ??= endCommands().then(() => this.#remove());
    return this.#ending;
  }
}
