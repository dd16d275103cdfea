/** Something that tasks share by CLONE_FILES, CLONE_FS or CLONE_SIGHAND, with the number of those who do. */
export class SharedRef<T> {
  readonly value: T;
  users = 1;

  constructor(value: T) {
    this.value = value;
  }

  share(): this {
    this.users++;
    return this;
  }

  /** One user less; true if it was the last. */
  drop(): boolean {
    return --this.users === 0;
  }
}
