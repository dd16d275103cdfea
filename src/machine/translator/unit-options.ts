/** What a unit is made for, and what its module imports. */

/** Function indexes of a unit module's imports. */
export const IMPORT_RAISE = 1;
export const IMPORT_HELPER = 2;
export const IMPORT_SYSCALL = 3;

export interface UnitOptions {
  /** Consult the page table before each access. */
  readonly checked: boolean;
  /** Stores are noted in `STORE_MARKS`. */
  readonly marksStores: boolean;
  readonly nativeNans: boolean;
  readonly helperNumbers: ReadonlyMap<string, number>;
}
