/** What conditions and outputs are asked about: an event, with the container that it is of. */
import type { FileFacts, SystemEvent } from '../kernel/watch/types.ts';

/** Who the events are of; texts are byte strings. */
export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  /** As it was named. */
  readonly image: string;
  readonly imageId: string;
  readonly imageDigest: string;
  readonly hostname: string;
  readonly mounts: readonly string[];
  readonly userNames: ReadonlyMap<number, string>;
  readonly groupNames: ReadonlyMap<number, string>;
}

export const NO_CONTAINER: ContainerFacts = { id: '', name: '', image: '', imageId: '', imageDigest: '', hostname: '', mounts: [], userNames: new Map(), groupNames: new Map() };

export class Subject {
  readonly container: ContainerFacts;
  #event: SystemEvent | undefined;
  #alternative: FileFacts | undefined;

  constructor(container: ContainerFacts) {
    this.container = container;
  }

  get event(): SystemEvent {
    return this.#event!;
  }

  /** The file that the event is about, under the name that is in question. */
  get file(): FileFacts | undefined {
    return this.#alternative ?? this.#event!.file;
  }

  ask(event: SystemEvent): void {
    this.#event = event;
    this.#alternative = undefined;
  }

  /** A path that leads through links has two names. True: from now on, it has the other one. */
  useOtherName(): boolean {
    const { file } = this.#event!;
    if (file?.otherName === undefined) return false;
    this.#alternative = { ...file, name: file.otherName, otherName: undefined };
    return true;
  }

  useRealName(): void {
    this.#alternative = undefined;
  }
}
