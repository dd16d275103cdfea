/** `cgroup.subtree_control`: which controllers a group hands down (cgroup_subtree_control_write()). */
import { EBUSY, EINVAL, ENOENT, EOPNOTSUPP } from '../../abi/errno.ts';
import type { Cgroup } from './cgroup.ts';
import { CONTROLLERS, THREADED, type ControllerName } from './controllers.ts';

interface Request {
  readonly enable: ReadonlySet<ControllerName>;
  readonly disable: ReadonlySet<ControllerName>;
}

/** `+cpu -memory`; the last word on a controller counts. */
function parse(text: string): Request | number {
  const enable = new Set<ControllerName>();
  const disable = new Set<ControllerName>();
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const name = CONTROLLERS.find((known) => known === word.slice(1));
    if (name === undefined || (word[0] !== '+' && word[0] !== '-')) return -EINVAL;
    (word[0] === '+' ? enable : disable).add(name);
    (word[0] === '+' ? disable : enable).delete(name);
  }
  return { enable, disable };
}

/** cgroup_vet_subtree_control_enable(): no processes beside groups that share a domain's controller. */
function mayEnable(group: Cgroup, enable: ReadonlySet<ControllerName>): number {
  if (group.parent === undefined || enable.size === 0) return 0;
  const divides = [...enable].some((name) => !THREADED.has(name));
  if (divides && (group.isThreadRoot || group.isThreaded)) return -EOPNOTSUPP;
  if (!divides && (group.canBeThreadRoot || group.isThreaded)) return 0;
  return group.tasks.size > 0 ? -EBUSY : 0;
}

export function changeSubtreeControl(group: Cgroup, text: string): number {
  const request = parse(text);
  if (typeof request === 'number') return request;
  const { subtreeControl } = group;
  const enable = new Set([...request.enable].filter((name) => !subtreeControl.has(name)));
  const disable = [...request.disable].filter((name) => subtreeControl.has(name));
  const available = new Set(group.available);
  if ([...enable].some((name) => !available.has(name))) return -ENOENT;
  for (const child of group.children.values()) if (disable.some((name) => child.subtreeControl.has(name))) return -EBUSY;
  const refused = mayEnable(group, enable);
  if (refused !== 0) return refused;
  for (const name of enable) subtreeControl.add(name);
  for (const name of disable) subtreeControl.delete(name);
  for (const child of group.children.values()) child.controllersChanged();
  if (enable.has('cpu')) group.tree.useWeights();
  return 0;
}
