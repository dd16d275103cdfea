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
  /** `Signed-By`: files of keys, with a slash at their beginning, and fingerprints in upper case; none: all keys that the image trusts. */
  readonly signedBy: readonly string[];
  /** The keys themselves, where they stand there. */
  readonly inlineKeys?: string;
  /** `Trusted: yes`: it counts without a signature. */
  readonly isTrusted: boolean;
  /** Not with `Check-Valid-Until: no`. */
  readonly checksAge: boolean;
}

/** What says whose word counts: as deb822 spells it; in lines of one source it is written in lower case. */
const OPTIONS = ['Signed-By', 'Trusted', 'Check-Valid-Until'] as const;
type Options = ReadonlyMap<string, string>;

const KEY_BLOCK = '-----BEGIN PGP PUBLIC KEY BLOCK-----';
const YES = /^(?:yes|true|with|on|enable)$/i;
const NO = /^(?:no|false|without|off|disable)$/i;

function trustOf(options: Options): Pick<AptSource, 'signedBy' | 'inlineKeys' | 'isTrusted' | 'checksAge'> {
  const signedBy = options.get('Signed-By') ?? '';
  const isInline = signedBy.includes(KEY_BLOCK);
  // A fingerprint with `!` means this very key and none of its subkeys; the key itself is then the one that has it.
  const names = isInline ? [] : signedBy.split(/[\s,]+/).filter((name) => name !== '').map((name) => (name.startsWith('/') ? name : name.replace(/^0x|!$/g, '').toUpperCase()));
  return {
    signedBy: names, isTrusted: YES.test(options.get('Trusted') ?? ''), checksAge: !NO.test(options.get('Check-Valid-Until') ?? ''),
    // deb822: an empty line is a dot.
    ...(isInline ? { inlineKeys: `${signedBy.replace(/^ *\.$/gm, '')}\n` } : {}),
  };
}

const MOST_SOURCES = 64;

function sourcesOf(uris: readonly string[], suites: readonly string[], components: readonly string[], options: Options = new Map()): readonly AptSource[] {
  const trust = trustOf(options);
  // A suite that ends with a slash is a directory without components, which archives of distributions have not.
  return uris.flatMap((uri) => suites.filter((suite) => !suite.endsWith('/') && !suite.includes('..')).map((suite) => ({ uri: uri.replace(/\/+$/, ''), suite, components, ...trust })));
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '' && !word.startsWith('#'));
}

function readDeb822(text: string): readonly AptSource[] {
  return [...paragraphs(text, ['Types', 'URIs', 'Suites', 'Components', 'Enabled', ...OPTIONS])].flatMap((fields) => {
    const isOff = NO.test(fields.get('Enabled') ?? '');
    return isOff || !words(fields.get('Types')).includes('deb') ? [] : sourcesOf(words(fields.get('URIs')), words(fields.get('Suites')), words(fields.get('Components')), fields);
  });
}

function lineOptions(text: string): Options {
  return new Map(words(text).flatMap((word) => {
    const equals = word.indexOf('=');
    const name = OPTIONS.find((one) => one.toLowerCase() === word.slice(0, Math.max(0, equals)).toLowerCase());
    return name === undefined ? [] : [[name, word.slice(equals + 1)] as const];
  }));
}

/** `deb [arch=amd64 signed-by=...] http://deb.debian.org/debian bookworm main contrib` */
function readLines(text: string): readonly AptSource[] {
  return text.split('\n').flatMap((line) => {
    const [, options, uri, suite, components] = /^\s*deb\s+(?:\[([^\]]{0,1000})\]\s+)?(\S{1,1000})\s+(\S{1,200})\s+([^#]{1,1000})/.exec(line) ?? [];
    return uri === undefined || suite === undefined ? [] : sourcesOf([uri], [suite], words(components), lineOptions(options ?? ''));
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
