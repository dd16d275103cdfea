/** What several containers print, line by line, each with its name before it. */
import type { Containers } from '../../lifecycle/index.ts';
import { LogReader } from '../../lifecycle/log.ts';
import type { LogLine } from '../../lifecycle/log.ts';
import { writeAll } from '../containers/container-logs.ts';
import { printableLine } from '../../findings/printable.ts';
import type { ProjectContainer } from './project-containers.ts';

/** Of Docker Compose, in its order. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
const NEWLINE = 10;

export interface OutputOptions {
  readonly withPrefix: boolean;
  readonly withColour: boolean;
  readonly withTime: boolean;
}

/** `web-1`: the container's name without the project's, or its own. */
export function shownName({ container: { name }, service, number, isOneOff }: ProjectContainer): string {
  return isOneOff || !name.endsWith(`-${service}-${number}`) ? name : `${service}-${number}`;
}

export class Output {
  readonly #options: OutputOptions;
  readonly #prefixes = new Map<string, string>();
  #width = 0;

  constructor(options: OutputOptions) {
    this.#options = options;
  }

  /** All that will be shown, so that they stand in one column. */
  expect(items: readonly ProjectContainer[]): void {
    const names = new Map(items.map((item) => [item.container.id, shownName(item)]));
    this.#width = Math.max(this.#width, ...[...names.values()].map((name) => name.length));
    for (const [id, name] of names) {
      const number = this.#prefixes.size;
      const text = `${name.padEnd(this.#width)}  | `;
      this.#prefixes.set(id, this.#options.withColour ? `\x1b[${COLOURS[number % COLOURS.length] ?? 36}m${text}\x1b[0m` : text);
    }
  }

  /** What a container says goes to where it says it. */
  line(id: string, { time, fd, bytes }: LogLine): void {
    const { withPrefix, withTime } = this.#options;
    const parts = [...(withPrefix ? [Buffer.from(this.#prefixes.get(id) ?? '')] : []), ...(withTime ? [Buffer.from(`${time} `)] : []), bytes];
    // Without its newline, the next one's prefix would stand behind it.
    writeAll(fd, Buffer.concat(bytes.at(-1) === NEWLINE ? parts : [...parts, Buffer.from('\n')]));
  }

  /** A line of ours among them. */
  note(item: ProjectContainer, text: string): void {
    process.stdout.write(`${printableLine(`${shownName(item)} ${text}`)}\n`);
  }
}

/** The log of one container, from a place on. */
export class Tail {
  readonly item: ProjectContainer;
  readonly #reader: LogReader;

  constructor(containers: Containers, item: ProjectContainer) {
    this.item = item;
    this.#reader = new LogReader(containers.store.disk.files, containers.pathOf(item.container.id, 'log'));
  }

  /** All that there is; what comes later is new. */
  written(): readonly LogLine[] {
    return [...this.#reader.all()];
  }

  more(): Iterable<LogLine> {
    return this.#reader.more();
  }

  end(): void {
    this.#reader.end();
  }
}
