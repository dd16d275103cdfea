/** Names and versions from hostile files: bounded, and without what is none. */
import { MOST_NAME_CHARACTERS, MOST_PACKAGES } from '../limits.ts';
import type { Package } from './types.ts';

/** A list that takes only packages with a name and a version, each once. */
export class PackageList {
  readonly #packages = new Map<string, Package>();
  problem: string | undefined;

  add(one: { readonly [Key in keyof Package]: Package[Key] | undefined }): void {
    const { type, name, version } = one;
    if (type === undefined || name === undefined || version === undefined || name === '' || version === '') return;
    if (name.length > MOST_NAME_CHARACTERS || version.length > MOST_NAME_CHARACTERS) return;
    if (this.#packages.size >= MOST_PACKAGES) {
      this.problem = `it lists more than ${MOST_PACKAGES} packages`;
      return;
    }
    const kept = Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined && value !== '')) as unknown as Package;
    const key = `${name}\0${version}\0${one.architecture ?? ''}`;
    const before = this.#packages.get(key);
    // Needed for running and for development: it is needed for running.
    if (before === undefined || (before.isDevelopment === true && one.isDevelopment !== true)) this.#packages.set(key, kept);
  }

  get packages(): readonly Package[] {
    return [...this.#packages.values()];
  }

  get result(): { readonly packages: readonly Package[]; readonly problem?: string } {
    return { packages: this.packages, ...(this.problem === undefined ? {} : { problem: this.problem }) };
  }
}

/** A spoiled file, as the result of a reader. */
export function unreadable(problem: string): { readonly packages: readonly Package[]; readonly problem: string } {
  return { packages: [], problem };
}
