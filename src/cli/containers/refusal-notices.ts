/** Says now and then, in a container's state and in `events`, what it was refused outside. A guest decides how often that is, so each of them is bounded. */
import type { Container, Refusal } from '../../container/index.ts';
import type { Life } from '../../lifecycle/index.ts';

/** After the first one; others wait longer. */
const FIRST_MS = 500;
const NEXT_MS = 10_000;

export class RefusalNotices {
  readonly #container: Container;
  readonly #life: Life;
  /** Of the starts before. */
  readonly #before: Readonly<Record<string, number>>;
  #last: Refusal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #pauseMs = FIRST_MS;

  constructor(container: Container, life: Life) {
    this.#container = container;
    this.#life = life;
    this.#before = life.state.refusals ?? {};
    container.onRefusal((refusal) => this.#refused(refusal));
  }

  #refused(refusal: Refusal): void {
    this.#last = refusal;
    this.#timer ??= setTimeout(() => this.#say(), this.#pauseMs);
    this.#timer.unref();
  }

  #say(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const refusal = this.#last;
    if (refusal === undefined) return;
    this.#last = undefined;
    this.#pauseMs = NEXT_MS;
    // A rule's name may be one that every object answers to.
    const counts = new Map(Object.entries(this.#before));
    for (const [rule, count] of this.#container.refusals) counts.set(rule, (counts.get(rule) ?? 0) + count);
    this.#life.change({ refusals: Object.fromEntries(counts) });
    const { protocol, name = '', address = '', port, rule } = refusal;
    const count = [...counts.values()].reduce((sum, one) => sum + one, 0);
    this.#life.say('net_refused', { count: String(count), protocol, name, address, port: String(port ?? ''), rule });
  }

  /** It has ended. */
  stop(): void {
    this.#say();
  }
}
