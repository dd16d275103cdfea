/** Names of what advisories are about: distributions with their release, and registries of packages. */
import type { Distribution, Package, PackageType } from '../packages/types.ts';
import { PACKAGE_TYPES } from '../packages/types.ts';
import { normalizedName } from '../packages/python.ts';

/** OSV schema, "affected[].package field", to ours. */
const OSV_NAMES: ReadonlyMap<string, string> = new Map([
  ['npm', 'npm'], ['pypi', 'pypi'], ['rubygems', 'gem'], ['crates.io', 'cargo'], ['go', 'golang'], ['maven', 'maven'], ['nuget', 'nuget'], ['packagist', 'composer'],
  ['debian', 'debian'], ['alpine', 'alpine'], ['ubuntu', 'ubuntu'], ['rocky linux', 'rocky'], ['almalinux', 'almalinux'], ['red hat', 'rhel'], ['opensuse', 'opensuse'], ['suse', 'sles'],
  ['wolfi', 'wolfi'], ['chainguard', 'chainguard'], ['photon os', 'photon'], ['mageia', 'mageia'], ['openeuler', 'openeuler'], ['azure linux', 'azurelinux'], ['echo', 'echo'], ['minimos', 'minimos'], ['alpaquita', 'alpaquita'],
]);

/** Codenames of Debian to its releases: the tracker and suites of apt have those, os-release has numbers. */
const DEBIAN_RELEASES: ReadonlyMap<string, string> = new Map([
  ['wheezy', '7'], ['jessie', '8'], ['stretch', '9'], ['buster', '10'], ['bullseye', '11'], ['bookworm', '12'], ['trixie', '13'], ['forky', '14'], ['duke', '15'], ['sid', 'sid'],
]);
/** How the versions of a distribution's packages are compared. */
const DISTRIBUTION_TYPES: ReadonlyMap<string, PackageType> = new Map([
  ['debian', 'deb'], ['ubuntu', 'deb'], ['echo', 'deb'], ['alpine', 'apk'], ['wolfi', 'apk'], ['chainguard', 'apk'], ['minimos', 'apk'], ['alpaquita', 'apk'],
  ['rocky', 'rpm'], ['almalinux', 'rpm'], ['rhel', 'rpm'], ['opensuse', 'rpm'], ['sles', 'rpm'], ['photon', 'rpm'], ['mageia', 'rpm'], ['openeuler', 'rpm'], ['azurelinux', 'rpm'],
]);

export function debianRelease(codename: string): string | undefined {
  return DEBIAN_RELEASES.get(codename);
}

export function debianCodename(release: string): string | undefined {
  return [...DEBIAN_RELEASES].find(([, number]) => number === release)?.[0];
}

/** `Debian:12`, `Alpine:v3.20`, `Ubuntu:22.04:LTS`, `npm`. Undefined for one that we do not know. */
export function ecosystemOfOsv(text: string): string | undefined {
  const [name = '', ...rest] = text.split(':');
  const own = OSV_NAMES.get(name.toLowerCase());
  if (own === undefined) return undefined;
  const release = rest.find((part) => /^v?\d/.test(part))?.replace(/^v/, '');
  return release === undefined || !DISTRIBUTION_TYPES.has(own) ? own : `${own}:${release}`;
}

/** Undefined for one whose versions we cannot compare. */
export function typeOfEcosystem(ecosystem: string): PackageType | undefined {
  const [name = ''] = ecosystem.split(':');
  return DISTRIBUTION_TYPES.get(name) ?? PACKAGE_TYPES.find((type) => type === name);
}

/** Names by which advisories may know a distribution, the most exact one first: `rocky:9.3`, `rocky:9`, `wolfi`. */
export function ecosystemsOf({ id, version, codename }: Distribution): readonly string[] {
  const names = id.startsWith('opensuse') ? ['opensuse'] : [id];
  const release = version !== '' ? version : codename === undefined ? '' : (debianRelease(codename) ?? codename);
  const parts = release.split('.');
  return names.flatMap((name) => [...(release === '' ? [] : parts.map((_, index) => `${name}:${parts.slice(0, parts.length - index).join('.')}`)), name]);
}

/** Names under which advisories have a package of a registry. */
export function normalizedPackage(ecosystem: string, name: string): string {
  if (ecosystem === 'pypi') return normalizedName(name);
  return ecosystem === 'nuget' || ecosystem === 'composer' ? name.toLowerCase() : name;
}

/** Under what a package is looked up, with the version that counts there. Distributions write about sources; those with rpm about what is installed, too. */
export function lookupsOf(one: Package, distribution: Distribution | undefined): readonly { readonly ecosystem: string; readonly name: string; readonly version: string }[] {
  const isOfDistribution = one.type === 'deb' || one.type === 'apk' || one.type === 'rpm';
  if (!isOfDistribution) return [{ ecosystem: one.type, name: normalizedPackage(one.type, one.name), version: one.version }];
  if (distribution === undefined) return [];
  const source = { name: one.sourceName ?? one.name, version: one.sourceVersion ?? one.version };
  const names = one.type === 'rpm' && source.name !== one.name ? [{ name: one.name, version: one.version }, source] : [source];
  return ecosystemsOf(distribution).flatMap((ecosystem) => names.map((named) => ({ ecosystem, ...named })));
}
