/** What an engine makes of what was declared. */
import { ALL_CAPABILITIES, BASES, DOCKER_DEFAULT } from './capabilities.ts';
import type { Configuration } from './model.ts';

/** Those that root inside has, and that a set-uid program gives to others: the bounding set. */
export function capabilitiesOf({ privileged, capabilities: { base, add, drop } }: Configuration): ReadonlySet<string> {
  if (privileged) return new Set(ALL_CAPABILITIES);
  // moby oci/caps/utils.go TweakCapabilities: "all" in either list first, then single names.
  const start = drop.includes('ALL') ? [] : add.includes('ALL') ? ALL_CAPABILITIES : BASES[base];
  const dropped = new Set(drop);
  return new Set([...start.filter((name) => !dropped.has(name)), ...add.filter((name) => name !== 'ALL' && !(dropped.has(name) && !drop.includes('ALL')))]);
}

/** Beyond what Docker gives to every container. */
export function addedCapabilities(configuration: Configuration): readonly string[] {
  return [...capabilitiesOf(configuration)].filter((name) => !DOCKER_DEFAULT.includes(name));
}

/** Its first process is root of its user namespace. */
export function isRoot({ user, mustBeNonRoot }: Configuration): boolean {
  const name = user.split(':')[0] ?? '';
  return !mustBeNonRoot && (name === '' || name === 'root' || /^0+$/.test(name));
}

/** No filter of system calls: privileged containers have none, and Kubernetes gives none unless it is asked. */
export function withoutSeccomp({ privileged, seccomp, engine }: Configuration): boolean {
  return privileged || seccomp === 'unconfined' || (seccomp === 'unset' && engine === 'kubernetes');
}

export function withoutAppArmor({ privileged, apparmor }: Configuration): boolean {
  return privileged || apparmor === 'unconfined';
}

/** Root inside is root of the host. */
export function sharesUsers({ namespaces }: Configuration): boolean {
  return namespaces.user === 'host';
}

export function reachesAllDevices({ privileged, devices, deviceRules }: Configuration): boolean {
  return privileged || devices.some(({ path }) => path === 'all') || deviceRules.some((rule) => /^[ab]\s+\*:\*/.test(rule.trim()));
}

export function hasOpenProc({ privileged, unmaskedPaths }: Configuration): boolean {
  return privileged || unmaskedPaths;
}
