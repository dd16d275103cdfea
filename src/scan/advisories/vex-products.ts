/** Which packages and images a statement is about: package URLs, or what somebody calls an image. */
import type { Distribution, Package } from '../packages/types.ts';
import { readPurl } from '../purl.ts';

export interface VexProduct {
  /** A package URL, or the name of an image. */
  readonly name: string;
  /** What it is in: a package URL, the name of an image, or an identifier that only its author knows. Absent: whatever has it. */
  readonly within?: string;
}

/** What is looked at. */
export interface Scanned {
  readonly target: string;
  /** Of the configuration, the manifest and the index, where it is an image. */
  readonly digests: readonly string[];
  readonly distribution: Distribution | undefined;
}

/** Vendors in package URLs of RPM, for the identifiers of os-release(5). */
const VENDORS: ReadonlyMap<string, readonly string[]> = new Map([
  ['redhat', ['rhel']], ['oracle', ['ol']], ['oraclelinux', ['ol']], ['amazon', ['amzn']], ['amazonlinux', ['amzn']], ['opensuse', ['opensuse-leap', 'opensuse-tumbleweed', 'opensuse-microos']], ['suse', ['sles', 'sled', 'sle-micro']], ['rockylinux', ['rocky']],
]);

function qualifierOf(purl: string, name: string): string | undefined {
  const found = new RegExp(`[?&]${name}=([^&#]*)`).exec(purl)?.[1];
  try {
    return found === undefined ? undefined : decodeURIComponent(found);
  } catch {
    return found;
  }
}

function isVendor(vendor: string, { id }: Distribution): boolean {
  return vendor === id || VENDORS.get(vendor)?.includes(id) === true;
}

/** `debian-12`, `12`, `bookworm`, `alpine-3.20`: a release is also each of its point releases. */
function isRelease(distro: string, distribution: Distribution): boolean {
  const { id, version, codename } = distribution;
  if (codename !== undefined && (distro === codename || distro === `${id}-${codename}`)) return true;
  const [, vendor, release = ''] = /^(?:([a-z][a-z-]*?)-)?v?(\d[\w.]*)?$/.exec(distro) ?? [];
  if (vendor === undefined && release === '') return isVendor(distro, distribution);
  return (vendor === undefined || isVendor(vendor, { id, version })) && (release === '' || version === release || version.startsWith(`${release}.`));
}

/** A package URL without a version is every version, one without qualifiers every architecture and release. */
function isPackage(product: string, own: Package, distribution: Distribution | undefined): boolean {
  const bare = product.replace(/[?#].*$/s, '');
  const withVersion = bare.lastIndexOf('@') > bare.lastIndexOf('/');
  const read = readPurl(withVersion ? product : `${bare}@0${product.slice(bare.length)}`);
  if (read === undefined) return false;
  const { type, name, version, architecture } = read.package;
  if (type !== own.type || (name !== own.name && name !== own.sourceName) || (withVersion && version !== own.version && version !== own.sourceVersion)) return false;
  // `source` stands for what a package was built from, and is in no architecture.
  if (architecture !== undefined && architecture !== 'source' && architecture !== 'src' && own.architecture !== undefined && architecture !== own.architecture) return false;
  if (read.distribution === undefined) return true;
  const namespace = bare.split('/').length > 2 ? bare.split('/')[1]?.toLowerCase() : undefined;
  const distro = qualifierOf(product, 'distro');
  if (distribution === undefined) return namespace === undefined && distro === undefined;
  return (namespace === undefined || isVendor(namespace, distribution)) && (distro === undefined || isRelease(distro.toLowerCase(), distribution));
}

/** `registry.example:5000/team/app:1@sha256:...`: its last name, and its tag. */
function imageName(target: string): { readonly name: string; readonly tag: string | undefined } {
  const [, name = '', tag] = /([^/:@]+)(?::([^/:@]+))?(?:@[^/@]+)?$/.exec(target) ?? [];
  return { name: name.toLowerCase(), tag };
}

/** `pkg:oci/app@sha256%3A...?repository_url=...&tag=1`. Undefined: it is no package URL of an image. */
function isImage(product: string, { target, digests }: Scanned): boolean | undefined {
  const [, name = '', digest] = /^pkg:(?:oci|docker)\/(?:[^?#@]*\/)?([^?#@/]+)(?:@([^?#]+))?/.exec(product) ?? [];
  if (name === '') return undefined;
  const own = imageName(target);
  const version = digest?.replace(/%3A/i, ':');
  if (version?.includes(':') === true) return digests.includes(version);
  const tag = qualifierOf(product, 'tag') ?? version;
  return name.toLowerCase() === own.name && (tag === undefined || tag === (own.tag ?? 'latest'));
}

/** An identifier that is no package URL is its author's own word: the statements were given for this scan. */
function isWithin(within: string, scanned: Scanned): boolean {
  return within === scanned.target || (isImage(within, scanned) ?? !within.startsWith('pkg:'));
}

export function isMeant({ name, within }: VexProduct, own: Package, scanned: Scanned): boolean {
  if (within !== undefined && !isWithin(within, scanned)) return false;
  return name === scanned.target || (isImage(name, scanned) ?? isPackage(name, own, scanned.distribution));
}
