/** Lists: tags, repositories, referrers (distribution-spec "Content Discovery"). */
import { OCI_INDEX } from '../image/index.ts';
import type { Descriptor } from '../image/index.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_PAGE_ENTRIES, MOST_REFERRERS_BYTES } from './limits.ts';
import { checkDigest, compareNames } from './names.ts';
import { repositoryOf } from './routes-blobs.ts';
import type { Exchange, Registry } from './service.ts';

/** RFC 8288 3: the rest of a list. */
function nextLink(path: string, parameters: Readonly<Record<string, string>>): Record<string, string> {
  return { link: `<${path}?${new URLSearchParams(parameters).toString()}>; rel="next"` };
}

interface Page {
  readonly entries: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** `n` entries after `last` of a sorted list. */
function pageOf({ url }: Exchange, all: readonly string[], compare: (left: string, right: string) => number): Page {
  const [n, last] = [url.searchParams.get('n'), url.searchParams.get('last')];
  if (n !== null && !/^\d{1,9}$/.test(n)) throw new RegistryFailure('UNSUPPORTED', `n is "${n.slice(0, 40)}", and must be a number of entries`, { status: 400 });
  const count = Math.min(n === null ? MOST_PAGE_ENTRIES : Number(n), MOST_PAGE_ENTRIES);
  const start = last === null || last === '' ? 0 : all.findIndex((name) => compare(name, last) > 0);
  const entries = start < 0 ? [] : all.slice(start, start + count);
  const isLast = start < 0 || start + count >= all.length;
  return { entries, headers: isLast || count === 0 ? {} : nextLink(url.pathname, { n: String(count), last: entries.at(-1) ?? '' }) };
}

export async function listTags(registry: Registry, exchange: Exchange): Promise<Response> {
  const repository = repositoryOf(registry, exchange);
  if (!await repository.exists()) throw new RegistryFailure('NAME_UNKNOWN', `there is no repository ${repository.name}`);
  const { entries, headers } = pageOf(exchange, await repository.tags(), compareNames);
  return Response.json({ name: repository.name, tags: entries }, { headers });
}

/** Those that the caller may read (Docker Registry HTTP API V2 "Catalog"). */
export async function listRepositories(registry: Registry, exchange: Exchange): Promise<Response> {
  const visible = (await registry.storage.repositories()).filter((name) => exchange.caller.sees(name));
  const { entries, headers } = pageOf(exchange, visible, (left, right) => (left < right ? -1 : left > right ? 1 : 0));
  return Response.json({ repositories: entries }, { headers });
}

/** An index that no push has made; several where one would be too long. */
export async function listReferrers(registry: Registry, exchange: Exchange): Promise<Response> {
  const { url, parameters } = exchange;
  const repository = repositoryOf(registry, exchange);
  const subject = checkDigest(parameters['digest'] ?? '');
  const [wanted, last] = [url.searchParams.get('artifactType'), url.searchParams.get('last')];
  const manifests: Descriptor[] = [];
  let link: Record<string, string> = {};
  let size = 0;
  for await (const descriptor of repository.referrers(subject)) {
    if ((last !== null && descriptor.digest <= last) || (wanted !== null && descriptor.artifactType !== wanted)) continue;
    size += JSON.stringify(descriptor).length;
    if (size > MOST_REFERRERS_BYTES && manifests.length > 0) {
      link = nextLink(url.pathname, { ...(wanted === null ? {} : { artifactType: wanted }), last: manifests.at(-1)?.digest ?? '' });
      break;
    }
    manifests.push(descriptor);
  }
  const filters: Record<string, string> = wanted === null ? {} : { 'oci-filters-applied': 'artifactType' };
  return new Response(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }), { headers: { 'content-type': OCI_INDEX, ...filters, ...link } });
}
