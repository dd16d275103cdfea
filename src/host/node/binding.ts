/** What is behind Node's own modules, where loading the module for one function costs milliseconds because it brings streams along. */

/** Undefined: this Node does not give it away, and the module has to be loaded. */
export function nodeBinding<Binding extends object>(name: string): Partial<Binding> | undefined {
  const internals = process as unknown as { binding?: (name: string) => Partial<Binding>; noDeprecation?: boolean };
  const { noDeprecation } = internals;
  internals.noDeprecation = true; // Node advises against what follows, on standard error
  try {
    return internals.binding?.(name);
  } catch {
    return undefined;
  } finally {
    internals.noDeprecation = noDeprecation ?? false;
  }
}
