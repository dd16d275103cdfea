/** A suite's lists of packages: the `Packages` files whose digests it has (wiki.debian.org/DebianRepository/Format). */
import { ScanInputError } from '../errors.ts';
import { MOST_INDEX_BYTES } from '../limits.ts';
import { paragraphs } from '../packages/deb822.ts';
import { asciiOf, textOf } from '../text.ts';
import type { Release } from './release.ts';
import type { AptSource } from './sources.ts';
import type { MirrorTools } from './tools.ts';

/** A package as a suite has it. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
  readonly sourceName: string;
  readonly sourceVersion: string;
  readonly architecture: string;
  readonly url: string;
  readonly size: number;
  readonly sha256: string;
}

const FIELDS = ['Package', 'Version', 'Source', 'Architecture', 'Filename', 'Size', 'SHA256'] as const;

/** One line a package, as it is kept: names and versions have no tabs. */
function shorten(text: string): string {
  const lines: string[] = [];
  for (const fields of paragraphs(text, FIELDS)) {
    const [, source = '', sourceVersion] = /^(\S+)(?:\s+\(([^)]*)\))?/.exec(fields.get('Source') ?? fields.get('Package') ?? '') ?? [];
    lines.push([fields.get('Package'), fields.get('Version'), source, sourceVersion ?? fields.get('Version'), fields.get('Architecture'), fields.get('Filename'), fields.get('Size'), fields.get('SHA256')].map((value = '') => value.replace(/[\t\n]/g, ' ')).join('\t'));
  }
  return lines.join('\n');
}

function parseShort(text: string, uri: string): readonly ListedPackage[] {
  return text.split('\n').flatMap((line) => {
    const [name = '', version = '', sourceName = '', sourceVersion = '', architecture = '', file = '', size = '', sha256 = ''] = line.split('\t');
    return name === '' || version === '' ? [] : [{ name, version, sourceName, sourceVersion, architecture, url: `${uri}/${file}`, size: Number(size) || 0, sha256 }];
  });
}

/** Nothing where the suite has no such list. @throws ScanInputError */
export async function readList(source: AptSource, release: Release, directory: string, tools: MirrorTools): Promise<readonly ListedPackage[]> {
  const file = ['Packages.gz', 'Packages.xz', 'Packages'].map((name) => `${directory}/${name}`).find((path) => release.digests.has(path));
  const digest = release.digests.get(file ?? '');
  if (file === undefined || digest === undefined) return [];
  const kept = tools.kept(`list-${digest}`);
  if (kept !== undefined) return parseShort(textOf(kept), source.uri);
  const base = `${source.uri}/dists/${source.suite}`;
  tools.note(`${base}/${file}`);
  const byHash = release.hasByHash ? await tools.fetch(`${base}/${directory}/by-hash/SHA256/${digest}`, MOST_INDEX_BYTES) : undefined;
  const bytes = byHash ?? await tools.fetch(`${base}/${file}`, MOST_INDEX_BYTES);
  if (bytes === undefined) throw new ScanInputError(`the mirror has no ${base}/${file}, which its own list names`, 'is it being updated? try again, or another one with --mirror');
  if (tools.sha256(bytes) !== digest) throw new ScanInputError(`${base}/${file} is not what the suite's list says it is`, 'it is being updated, or was changed on the way: try again, or another one with --mirror');
  const short = shorten(asciiOf(await tools.uncompress(bytes, MOST_INDEX_BYTES)));
  tools.keep(`list-${digest}`, new TextEncoder().encode(short));
  return parseShort(short, source.uri);
}
