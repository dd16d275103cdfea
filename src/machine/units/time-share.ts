/** Time for something that pays only later: a part of all the time that passes. */
export class TimeShare {
  readonly #nowNs: () => number;
  readonly #startedNs: number;
  readonly #share: number;
  readonly #atFirstNs: number;
  #spentNs = 0;

  /** `share`: of the time since now. `atFirstNs`: may be spent before. */
  constructor(nowNs: () => number, share: number, atFirstNs: number) {
    this.#nowNs = nowNs;
    this.#startedNs = nowNs();
    this.#share = share;
    this.#atFirstNs = atFirstNs;
  }

  /** Does some work if there is time for it; it may ask from time to time whether there still is. */
  spend(work: (hasTime: () => boolean) => void): void {
    const now = this.#nowNs();
    const end = now + this.#atFirstNs + this.#share * (now - this.#startedNs) - this.#spentNs;
    if (end <= now) return;
    work(() => this.#nowNs() < end);
    this.#spentNs += this.#nowNs() - now;
  }
}
