/** Which service is started before which. */
import { ComposeError } from './errors.ts';
import type { Service } from './model.ts';

/** Those that a service needs come before it; otherwise by name. @throws ComposeError for a circle */
export function inOrder(services: ReadonlyMap<string, Service>): readonly Service[] {
  const done = new Set<string>();
  const ordered: Service[] = [];
  const visit = (name: string, above: readonly string[]): void => {
    if (done.has(name)) return;
    if (above.includes(name)) throw new ComposeError(`dependency cycle detected: ${[...above.slice(above.indexOf(name)), name].join(' -> ')}`, 'take one "depends_on" out');
    const service = services.get(name);
    if (service === undefined) return;
    for (const other of [...service.dependencies.keys()].sort()) visit(other, [...above, name]);
    done.add(name);
    ordered.push(service);
  };
  for (const name of [...services.keys()].sort()) visit(name, []);
  return ordered;
}

/** The named ones and all that they need, in order. @throws ComposeError */
export function withDependencies(services: readonly Service[], names: readonly string[]): readonly Service[] {
  const byName = new Map(services.map((service) => [service.name, service]));
  const wanted = new Set<string>();
  const add = (name: string): void => {
    if (wanted.has(name)) return;
    wanted.add(name);
    for (const other of byName.get(name)?.dependencies.keys() ?? []) add(other);
  };
  for (const name of names) add(name);
  return services.filter(({ name }) => wanted.has(name));
}
