/** Where apt gets packages from: sources.list(5), in both of its forms. */
import { debianCodename } from '../advisories/ecosystem.ts';
import { paragraphs } from '../packages/deb822.ts';
import type { Distribution } from '../packages/types.ts';

/** One suite of one archive. */
export interface AptSource {
  /** Without a slash at its end. */
  readonly uri: string;
  readonly suite: string;
  readonly components: readonly string[];
}

const MOST_SOURCES = 64;

function sourcesOf(uris: readonly string[], suites: readonly string[], components: readonly string[]): readonly AptSource[] {
  // A suite that ends with a slash is a directory without components, which archives of distributions have not.
  return uris.flatMap((uri) => suites.filter((suite) => !suite.endsWith('/') && !suite.includes('..')).map((suite) => ({ uri: uri.replace(/\/+$/, ''), suite, components })));
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '' && !word.startsWith('#'));
}

function readDeb822(text: string): readonly AptSource[] {
  return [...paragraphs(text, ['Types', 'URIs', 'Suites', 'Components', 'Enabled'])].flatMap((fields) => {
    const isOff = /^(?:no|false|without|off|disable)$/i.test(fields.get('Enabled') ?? '');
    return isOff || !words(fields.get('Types')).includes('deb') ? [] : sourcesOf(words(fields.get('URIs')), words(fields.get('Suites')), words(fields.get('Components')));
  });
}

/** `deb [arch=amd64 signed-by=...] http://deb.debian.org/debian bookworm main contrib` */
function readLines(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, uri, suite, components] = /^\s*deb\s+(?:\[[^\]]{0,1000}\]\s+)?(\S{1,1000})\s+(\S{1,200})\s+([^#]{1,1000})/.exec(line) ?? [];
    return uri === undefined || suite === undefined ? [] : sourcesOf([uri], [suite], words(components));
  });
}

/** What an image that does not say it (distroless) is made from. */
function defaultSources({ id, version, codename }: Distribution): readonly AptSource[] {
  const name = codename ?? debianCodename(version);
  if (id !== 'debian' || name === undefined || name === 'sid') return [];
  return [...sourcesOf(['http://deb.debian.org/debian'], [name, `${name}-updates`], ['main']), ...sourcesOf(['http://deb.debian.org/debian-security'], [`${name}-security`], ['main'])];
}

/** Those that HTTP reaches, each once. `replaced`: other places for the beginnings of addresses. */
export function aptSources(files: readonly { readonly path: string; readonly text: string }[], distribution: Distribution, replaced: readonly (readonly [from: string, to: string])[]): readonly AptSource[] {
  const found = files.flatMap(({ path, text }) => (path.endsWith('.sources') ? readDeb822(text) : readLines(text)));
  const all = (found.length === 0 ? defaultSources(distribution) : found).map((source) => {
    const [from, to] = replaced.find(([start]) => source.uri.startsWith(start)) ?? [];
    return from === undefined || to === undefined ? source : { ...source, uri: (to + source.uri.slice(from.length)).replace(/\/+$/, '') };
  });
  return [...new Map(all.filter(({ uri }) => /^https?:\/\/[^\s@]+$/.test(uri)).map((source) => [`${source.uri} ${source.suite} ${source.components.join()}`, source])).values()].slice(0, MOST_SOURCES);
}
