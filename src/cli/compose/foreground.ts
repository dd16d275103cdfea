/** `compose up` without `-d`: what the containers print, until they have ended or somebody ends them. */
import { SIGKILL } from '../../abi/signal.ts';
import type { Project, Service } from '../../compose/index.ts';
import type { Containers } from '../../lifecycle/index.ts';
import { EXIT_SIGNAL_BASE } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { secondsOf } from './compose-options.ts';
import { Output, Tail } from './output.ts';
import { again, checkedServices, containersOf } from './project-containers.ts';
import type { ProjectContainer } from './project-containers.ts';
import { startServices } from './starting.ts';
import { killAll, stopAll } from './stopping.ts';

const PAUSE_MS = 50;
const SIGNALS: readonly (readonly [name: NodeJS.Signals, number: number])[] = [['SIGINT', 2], ['SIGTERM', 15]];

export class Foreground {
  readonly #containers: Containers;
  readonly #project: Project;
  readonly #services: readonly Service[];
  readonly #values: FlagValues;
  readonly #output: Output;
  readonly #items: readonly ProjectContainer[];
  readonly #shown: ReadonlySet<string>;
  readonly #tails = new Map<string, Tail>();
  /** How each has ended, in the order of their ends. */
  readonly #ends = new Map<string, number>();
  #started = false;
  #interruptedBy: number | undefined;
  #stopping: Promise<void> | undefined;
  #wasForced = false;

  /** `names`: of services that the command line has. @throws UserError */
  constructor(containers: Containers, project: Project, services: readonly Service[], names: readonly string[], values: FlagValues) {
    this.#containers = containers;
    this.#project = project;
    this.#services = services;
    this.#values = values;
    const known = services.map(({ name }) => name);
    for (const flag of ['attach', 'no-attach', 'exit-code-from']) checkedServices(known, values.all(flag));
    const quiet = new Set([...values.all('no-attach'), ...services.filter(({ settings }) => settings.attach === false).map(({ name }) => name)]);
    const attached = values.has('attach') ? values.all('attach') : names.length > 0 ? names : known;
    this.#shown = new Set(attached.filter((name) => !quiet.has(name)));
    this.#items = containersOf(containers, project.name).filter(({ service, isOneOff }) => !isOneOff && known.includes(service));
    this.#output = new Output({ withPrefix: !values.has('no-log-prefix'), withColour: process.stdout.isTTY === true && !values.has('no-color'), withTime: values.has('timestamps') });
    this.#output.expect(this.#items.filter(({ service }) => this.#shown.has(service)));
  }

  /** Answers the exit status. @throws UserError */
  async run(): Promise<number> {
    const forget = this.#takeSignals();
    try {
      // What an earlier start has printed is not shown again; of one that runs, neither.
      for (const item of this.#items) this.#follow(item);
      const starting = startServices(this.#containers, this.#project, this.#services, { isOver: () => this.#stopping !== undefined }).then(() => (this.#started = true));
      let failure: unknown;
      starting.catch((error: unknown) => {
        failure = error;
        this.#stop();
      });
      while (!this.#isOver()) {
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
        this.#look();
      }
      await starting.catch(() => {});
      await this.#stopping;
      this.#look();
      if (failure !== undefined) throw failure;
      return this.#status();
    } finally {
      for (const tail of this.#tails.values()) tail.end();
      forget();
    }
  }

  #follow(item: ProjectContainer): void {
    const tail = new Tail(this.#containers, item);
    tail.written();
    this.#tails.set(item.container.id, tail);
  }

  /** What is new: lines, and ends. */
  #look(): void {
    for (const [id, tail] of this.#tails) {
      if (this.#ends.has(id)) continue;
      // First, so that no line comes behind the end.
      const container = again(this.#containers, tail.item);
      const hasEnded = container === undefined || (container.state.status === 'exited' && (this.#started || (container.state.startedMs ?? 0) > (tail.item.container.state.startedMs ?? 0)));
      for (const line of tail.more()) if (this.#shown.has(tail.item.service)) this.#output.line(id, line);
      if (!hasEnded) continue;
      const code = container?.state.exitCode ?? 0;
      this.#ends.set(id, code);
      if (this.#shown.has(tail.item.service)) this.#output.note(tail.item, `exited with code ${code}`);
      if (this.#aborts(code)) this.#stop();
    }
  }

  #aborts(code: number): boolean {
    return this.#values.has('abort-on-container-exit') || this.#values.has('exit-code-from') || (this.#values.has('abort-on-container-failure') && code !== 0);
  }

  #isOver(): boolean {
    if (this.#wasForced) return true;
    return (this.#started || this.#stopping !== undefined) && [...this.#tails.keys()].every((id) => this.#ends.has(id) || (this.#stopping !== undefined && this.#neverRan(id)));
  }

  /** Its start was not come to. */
  #neverRan(id: string): boolean {
    const item = this.#tails.get(id)?.item;
    return item === undefined || again(this.#containers, item)?.state.status !== 'running';
  }

  #stop(): void {
    this.#stopping ??= stopAll(this.#containers, this.#items, this.#project, { seconds: secondsOf(this.#values) });
  }

  #takeSignals(): () => void {
    const listeners = SIGNALS.map(([name, number]) => {
      const listener = (): void => {
        const isFirst = this.#interruptedBy === undefined;
        this.#interruptedBy ??= number;
        if (isFirst) {
          process.stderr.write('Gracefully stopping... (press Ctrl+C again to force)\n');
          this.#stop();
        } else void killAll(this.#containers, this.#items, SIGKILL).finally(() => (this.#wasForced = true));
      };
      process.on(name, listener);
      return [name, listener] as const;
    });
    return () => {
      for (const [name, listener] of listeners) process.off(name, listener);
    };
  }

  #status(): number {
    if (this.#interruptedBy !== undefined) return EXIT_SIGNAL_BASE + this.#interruptedBy;
    const from = this.#values.last('exit-code-from');
    if (from !== undefined) return this.#items.filter(({ service }) => service === from).map(({ container: { id } }) => this.#ends.get(id) ?? 0)[0] ?? 0;
    const [first = 0] = this.#ends.values();
    if (this.#values.has('abort-on-container-exit')) return first;
    return this.#values.has('abort-on-container-failure') ? [...this.#ends.values()].find((code) => code !== 0) ?? 0 : 0;
  }
}
