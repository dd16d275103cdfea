/** So many alerts a second of each rule, by the time of the events; how many were left out is said with the next. */

export class AlertRate {
  readonly #perSecond: number;
  readonly #rules = new Map<string, { second: number; used: number; leftOut: number }>();
  /** Of all rules. */
  leftOut = 0;

  /** Infinity: all. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Undefined: this one is left out. Otherwise how many were before it. */
  take(rule: string, second: number): number | undefined {
    if (this.#perSecond === Infinity) return 0;
    let state = this.#rules.get(rule);
    if (state === undefined) this.#rules.set(rule, (state = { second, used: 0, leftOut: 0 }));
    if (state.second !== second) {
      state.second = second;
      state.used = 0;
    }
    if (state.used >= this.#perSecond) {
      state.leftOut++;
      this.leftOut++;
      return undefined;
    }
    state.used++;
    const { leftOut } = state;
    state.leftOut = 0;
    return leftOut;
  }
}
