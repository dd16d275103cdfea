/**
 * Package URLs (github.com/package-url/purl-spec): `pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12`. What a package was built from stands in the qualifier
 * `upstream`, as Syft and Grype have it.
 */
import type { Distribution, Package, PackageType } from './packages/types.ts';
import { PACKAGE_TYPES } from './packages/types.ts';
import { normalizedName } from './packages/python.ts';

/** All but what RFC 3986 never quotes; a colon stays as the specification shows it. Half a pair of UTF-16, which JSON can say, has no bytes. */
function quoted(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, '\ufffd')).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`).replace(/%3A/g, ':');
}

function splitName({ type, name }: Package, distribution: Distribution | undefined): { readonly namespace: string; readonly own: string } {
  if (type === 'deb' || type === 'apk' || type === 'rpm') return { namespace: distribution?.id ?? '', own: name };
  if (type === 'maven') return { namespace: name.slice(0, Math.max(0, name.indexOf(':'))), own: name.slice(name.indexOf(':') + 1) };
  if (type === 'npm' || type === 'golang' || type === 'composer') {
    const slash = name.lastIndexOf('/');
    return { namespace: name.slice(0, Math.max(0, slash)), own: name.slice(slash + 1) };
  }
  return { namespace: '', own: type === 'pypi' ? normalizedName(name) : name };
}

/** `distribution`: of the image that has it. */
export function purlOf(one: Package, distribution: Distribution | undefined): string {
  const { namespace, own } = splitName(one, distribution);
  const [, epoch, plain = one.version] = one.type === 'rpm' ? (/^(\d+):(.*)$/s.exec(one.version) ?? []) : [];
  const qualifiers: [string, string][] = Object.entries(one.qualifiers ?? {});
  if (one.architecture !== undefined) qualifiers.push(['arch', one.architecture]);
  if (epoch !== undefined) qualifiers.push(['epoch', epoch]);
  if (one.sourceName !== undefined) qualifiers.push(['upstream', `${one.sourceName}${one.sourceVersion === undefined ? '' : `@${one.sourceVersion}`}`]);
  if (['deb', 'apk', 'rpm'].includes(one.type) && distribution !== undefined) qualifiers.push(['distro', `${distribution.id}-${distribution.version}`]);
  const text = qualifiers.sort(([left], [right]) => (left < right ? -1 : 1)).map(([name, value]) => `${name}=${quoted(value)}`).join('&');
  const path = [...namespace.split('/').filter((part) => part !== ''), own].map(quoted).join('/');
  return `pkg:${one.type}/${path}@${quoted(plain)}${text === '' ? '' : `?${text}`}`;
}

function unquoted(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export interface ReadPurl {
  readonly package: Package;
  readonly distribution: Distribution | undefined;
}

/** Undefined for what is none, or one of a kind that we do not know. */
export function readPurl(purl: string): ReadPurl | undefined {
  const [, kind = '', path = '', query = ''] = /^pkg:\/{0,2}([a-zA-Z0-9.+-]{1,20})\/([^?#]{1,2000})(?:\?([^#]{0,2000}))?(?:#.*)?$/s.exec(purl) ?? [];
  const type = PACKAGE_TYPES.find((one): one is PackageType => one === kind.toLowerCase());
  const at = path.lastIndexOf('@');
  if (type === undefined || at <= 0) return undefined;
  const parts = path.slice(0, at).split('/').filter((part) => part !== '').map(unquoted);
  const version = unquoted(path.slice(at + 1));
  const own = parts.pop() ?? '';
  const namespace = parts.join('/');
  const values = new Map(query.split('&').map((pair) => [pair.slice(0, Math.max(0, pair.indexOf('='))), unquoted(pair.slice(pair.indexOf('=') + 1))]));
  const isOfDistribution = type === 'deb' || type === 'apk' || type === 'rpm';
  const name = namespace === '' || isOfDistribution ? own : `${namespace}${type === 'maven' ? ':' : '/'}${own}`;
  const [architecture, epoch, distro] = [values.get('arch'), values.get('epoch'), values.get('distro')];
  if (name === '' || version === '') return undefined;
  const [, sourceName, sourceVersion] = /^([^@]+)(?:@(.*))?$/s.exec(values.get('upstream') ?? '') ?? [];
  const source = { ...(sourceName === undefined ? {} : { sourceName }), ...(sourceVersion === undefined ? {} : { sourceVersion }) };
  const [, id, release = ''] = /^([a-z]+)-?(.*)$/.exec(distro ?? namespace) ?? [];
  return {
    package: { type, name, version: epoch === undefined || epoch === '0' ? version : `${epoch}:${version}`, ...(architecture === undefined ? {} : { architecture }), ...source },
    distribution: isOfDistribution && id !== undefined ? { id: namespace === '' ? id : namespace, version: release } : undefined,
  };
}
