/** What paths need, as conditions. */
import { capabilitiesOf, hasOpenProc, isRoot, withoutAppArmor, withoutSeccomp } from './effective.ts';
import type { Change } from './change.ts';
import { PLAIN_USER } from './change.ts';
import { compareVersions } from './host-facts.ts';
import type { Component } from './host-facts.ts';
import { mountsOfPlace, writable } from './host-places.ts';
import type { PlaceName } from './host-places.ts';
import type { Configuration, Device, Mount, NamespaceName } from './model.ts';
import type { Condition, ConditionState } from './path.ts';

function so(isSo: boolean): ConditionState {
  return isSo ? 'met' : 'missing';
}

/** Being privileged gives what each of the other changes takes away. */
function alsoUnprivileged(configuration: Configuration, changes: readonly Change[]): readonly (readonly Change[])[] {
  return configuration.privileged ? [[{ kind: 'unprivileged' }], [{ kind: 'unprivileged' }, ...changes]] : [changes];
}

function capabilityItems(name: string): readonly string[] {
  return [`cap-${name.toLowerCase().replaceAll('_', '-')}`, `default-cap-${name.toLowerCase().replaceAll('_', '-')}`, 'privileged', 'added-capabilities'];
}

/** One of these is enough. */
export function capability(...names: readonly string[]): Condition {
  return {
    text: `it has ${names.map((name) => `CAP_${name}`).join(' or ')}`, items: names.flatMap(capabilityItems),
    state: (configuration) => so(names.some((name) => capabilitiesOf(configuration).has(name))),
    cuts: (configuration) => alsoUnprivileged(configuration, names.filter((name) => capabilitiesOf(configuration).has(name)).map((name) => ({ kind: 'remove-capability', name }))),
  };
}

export const PRIVILEGED: Condition = { text: 'it runs privileged', items: ['privileged'], state: ({ privileged }) => so(privileged), cuts: () => [[{ kind: 'unprivileged' }]] };

/** Capabilities are of use to root only; others become root by a set-uid program, unless that is forbidden. */
export const ROOT: Condition = {
  text: 'a process in it is root, or becomes it by a set-uid program', items: ['root-user', 'privilege-escalation'],
  state: (configuration) => (isRoot(configuration) ? 'met' : configuration.noNewPrivileges ? 'missing' : 'unknown'),
  cuts: () => [[{ kind: 'set-user', user: PLAIN_USER }, { kind: 'no-new-privileges' }]],
};

/** As Docker and Kubernetes do it by default. */
export const SAME_USERS: Condition = {
  text: 'root in it is root of the host (users are not mapped)', items: ['host-users'],
  state: ({ namespaces }, { mapsUsers }) => so(namespaces.user !== 'own' && mapsUsers !== true),
  // Docker maps users for its whole daemon or not at all.
  cuts: ({ engine }) => (engine === 'docker' || engine === 'caisson' ? [] : [[{ kind: 'own-namespace', namespace: 'user' }]]),
};

export const NO_APPARMOR: Condition = {
  text: 'AppArmor does not confine it', items: ['apparmor-off'],
  state: (configuration, { apparmor }) => (withoutAppArmor(configuration) || apparmor === false ? 'met' : configuration.apparmor === 'custom' || configuration.apparmor === 'unset' || apparmor === undefined ? 'unknown' : 'missing'),
  cuts: (configuration) => alsoUnprivileged(configuration, [{ kind: 'default-apparmor' }]),
};

export const NO_SECCOMP: Condition = {
  text: 'its system calls are not filtered', items: ['seccomp-off', 'seccomp-unset'],
  // A kubelet with seccompDefault gives a profile where none is asked for.
  state: (configuration) => (!withoutSeccomp(configuration) ? 'missing' : configuration.seccomp === 'unset' && !configuration.privileged ? 'unknown' : 'met'),
  cuts: (configuration) => alsoUnprivileged(configuration, [{ kind: 'default-seccomp' }]),
};

export const OPEN_PROC: Condition = {
  text: '/proc/sys can be written', items: ['open-proc'], state: (configuration) => so(hasOpenProc(configuration)), cuts: (configuration) => alsoUnprivileged(configuration, [{ kind: 'mask-paths' }]),
};

export const CGROUP_1: Condition = { text: 'the host has cgroup v1', items: [], state: (_, { cgroup }) => (cgroup === undefined ? 'unknown' : so(cgroup === 1)), cuts: () => [] };

export const USER_NAMESPACES: Condition = { text: 'the host lets users make user namespaces', items: [], state: (_, { userNamespaces }) => (userNamespaces === undefined ? 'unknown' : so(userNamespaces)), cuts: () => [] };

export function hostNamespace(name: NamespaceName): Condition {
  const item = { pid: 'host-pid', network: 'host-network', ipc: 'host-ipc', uts: 'host-uts', user: 'host-users', cgroup: 'host-cgroup' }[name];
  return { text: `it shares the host's ${name === 'uts' ? 'UTS' : name === 'pid' ? 'process' : name === 'ipc' ? 'IPC' : name} namespace`, items: [item], state: ({ namespaces }) => so(namespaces[name] === 'host'), cuts: () => [[{ kind: 'own-namespace', namespace: name }]] };
}

function namesOf(mounts: readonly Mount[]): string {
  const shown = mounts.slice(0, 3).map(({ source, destination, readOnly }) => `${source} on ${destination}${readOnly ? ', read-only' : ''}`);
  return shown.join('; ');
}

function removal(mounts: readonly Mount[]): readonly Change[] {
  return mounts.map(({ destination }) => ({ kind: 'remove-mount', destination }));
}

/** A mount of one of the places. `writing`: read-only ones do not do. */
export function mounted(configuration: Configuration, places: readonly PlaceName[], what: string, writing = false): Condition {
  const find = (judged: Configuration): readonly Mount[] => {
    const all = [...new Set(places.flatMap((place) => mountsOfPlace(judged, place)))];
    return writing ? writable(all) : all;
  };
  const found = find(configuration);
  return {
    text: `${what} is mounted${writing ? ' and can be written' : ''}${found.length === 0 ? '' : ` (${namesOf(found)})`}`, items: [...places.map((place) => `mount-${place}`), 'host-path'], state: (judged) => so(find(judged).length > 0),
    cuts: (judged) => [...(writing ? [find(judged).map(({ destination }): Change => ({ kind: 'read-only-mount', destination }))] : []), removal(find(judged))],
  };
}

export function device(configuration: Configuration, isMeant: (device: Device) => boolean, what: string, items: readonly string[]): Condition {
  const found = configuration.devices.filter(isMeant).map(({ path }) => path);
  return {
    text: `${what} is given to it${found.length === 0 ? '' : ` (${found.slice(0, 3).join(', ')})`}`, items, state: ({ devices }) => so(devices.some(isMeant)),
    cuts: ({ devices }) => [devices.filter(isMeant).map(({ path }): Change => ({ kind: 'remove-device', path }))],
  };
}

/** A condition of the configuration that is none of the above. */
export function fact(text: string, items: readonly string[], isSo: (configuration: Configuration) => boolean, cuts: (configuration: Configuration) => readonly (readonly Change[])[]): Condition {
  return { text, items, state: (configuration) => so(isSo(configuration)), cuts };
}

/** `from` on, and before `below`. */
export interface VersionRange {
  readonly from?: string;
  readonly below: string;
}

/** The host's version of something is in one of the ranges. */
export function version(component: Component, ranges: readonly VersionRange[]): Condition {
  const words = ranges.map(({ from, below }) => (from === undefined ? `before ${below}` : `from ${from} to before ${below}`)).join(', or ');
  return {
    text: `the host's ${component} is ${words}`, items: [], cuts: () => [],
    state: (_, { versions }) => {
      const known = versions.get(component);
      return known === undefined ? 'unknown' : so(ranges.some(({ from, below }) => (from === undefined || compareVersions(known, from) >= 0) && compareVersions(known, below) < 0));
    },
  };
}
