/**
 * Whose word on a suite counts, as with apt (apt-secure(8), sources.list(5)): the keys that `Signed-By` names, else all that the image trusts. A list of a suite counts if one of them signed
 * it, none of them did not, it is of the suite that was asked for, and it is not older than it may be.
 */
import { ScanInputError } from '../errors.ts';
import { MOST_KEYRINGS_BYTES } from '../limits.ts';
import { bytesOfBase64, shownPath, textOf } from '../text.ts';
import { ageProblem, isOf, readRelease } from './release.ts';
import type { Release } from './release.ts';
import type { AptSource } from './sources.ts';
import type { MirrorTools } from './tools.ts';

export interface Trust {
  /** The image's files of keys, in base64; paths are byte strings. */
  readonly keyrings: readonly { readonly path: string; readonly keyring: string }[];
  /** This machine's of the image's distribution: for images that have none. */
  readonly hostKeys: () => readonly Uint8Array[];
  readonly keys?: readonly Uint8Array[];
  readonly allowsUnsigned?: boolean;
  readonly allowsExpired?: boolean;
}

export interface TrustContext {
  readonly trust: Trust;
  readonly tools: MirrorTools;
  /** Sentences on what was taken without being sure of it. */
  readonly problems: string[];
}

const MOST_RELEASE_BYTES = 4 * 2 ** 20;
const MOST_SIGNATURE_BYTES = 2 ** 20;
const GLOBAL_KEYRINGS = /^etc\/apt\/trusted\.gpg(?:$|\.d\/)/;

/** `/usr/share/keyrings/x.gpg`, which may be a link to `x.pgp`: links are not followed, so the ending does not count. */
function withoutEnding(path: string): string {
  return path.replace(/^\/+/, '').replace(/\.(?:gpg|pgp|asc)$/, '');
}

/** Files of keys for a source, and which keys in them; none: all. */
function keysFor({ signedBy, inlineKeys }: AptSource, { keyrings, keys, hostKeys }: Trust): { readonly keys: readonly Uint8Array[]; readonly fingerprints: readonly string[] } {
  if (keys !== undefined && keys.length > 0) return { keys, fingerprints: [] };
  if (inlineKeys !== undefined) return { keys: [new TextEncoder().encode(inlineKeys)], fingerprints: [] };
  const paths = new Set(signedBy.filter((name) => name.startsWith('/')).map(withoutEnding));
  const fingerprints = signedBy.filter((name) => !name.startsWith('/'));
  const named = keyrings.filter(({ path }) => (paths.size === 0 ? GLOBAL_KEYRINGS.test(path) : paths.has(withoutEnding(shownPath(path)))));
  const found: Uint8Array[] = [];
  let bytes = 0;
  for (const { keyring } of named) {
    bytes += keyring.length;
    if (bytes > MOST_KEYRINGS_BYTES) break;
    found.push(bytesOfBase64(keyring));
  }
  return { keys: found.length > 0 ? found : hostKeys(), fingerprints };
}

interface SignedList {
  readonly url: string;
  readonly text: Uint8Array;
  /** Undefined: within the text. */
  readonly signature: Uint8Array | undefined;
  readonly isSigned: boolean;
}

/** `InRelease`, or `Release` with what lies beside it. @throws ScanInputError where there is none */
async function fetchList({ uri, suite }: AptSource, tools: MirrorTools): Promise<SignedList> {
  const base = `${uri}/dists/${suite}`;
  const inRelease = await tools.fetch(`${base}/InRelease`, MOST_RELEASE_BYTES);
  if (inRelease !== undefined) return { url: `${base}/InRelease`, text: inRelease, signature: undefined, isSigned: true };
  const release = await tools.fetch(`${base}/Release`, MOST_RELEASE_BYTES);
  if (release === undefined) throw new ScanInputError(`the mirror has no suite "${suite}" (${base}/InRelease)`, 'has the release ended, and moved to an archive? name a mirror that has it with --mirror');
  const signature = await tools.fetch(`${base}/Release.gpg`, MOST_SIGNATURE_BYTES);
  return { url: `${base}/Release`, text: release, signature, isSigned: signature !== undefined };
}

/** What stands in the cleartext form, without a look at who signed it. In one pass, whatever it is: nobody vouches for it. */
function unsignedText(bytes: Uint8Array): string {
  const text = textOf(bytes);
  if (!text.startsWith('-----BEGIN PGP SIGNED MESSAGE-----')) return text;
  const headers = /\n\r?\n/.exec(text);
  const end = text.lastIndexOf('\n-----BEGIN PGP SIGNATURE-----');
  return text.slice(headers === null ? 0 : headers.index + headers[0].length, end < 0 ? undefined : end + 1);
}

/** The text that counts, or why it does not. */
async function signatureProblem(source: AptSource, list: SignedList, { trust, tools }: TrustContext): Promise<{ readonly problem: string; readonly advice: string } | { readonly text: string }> {
  if (!list.isSigned) return { problem: `${list.url} is not signed`, advice: 'name another mirror with --mirror, or take it as it is with --allow-unsigned' };
  const { keys, fingerprints } = keysFor(source, trust);
  if (keys.length === 0) return { problem: `nothing says whose signature on ${list.url} counts`, advice: 'name a file of keys with --keyring, or take the list as it is with --allow-unsigned' };
  const verdict = await tools.verify(list.text, list.signature, keys, fingerprints);
  if ('text' in verdict) return { text: textOf(verdict.text) };
  return { problem: `the signature on ${list.url} is not good: ${verdict.reason}`, advice: 'name the keys that count with --keyring, another mirror with --mirror, or take the list as it is with --allow-unsigned' };
}

/** The list of a suite, as far as it can be believed. @throws ScanInputError */
export async function readTrustedRelease(source: AptSource, context: TrustContext): Promise<Release> {
  const { trust, tools, problems } = context;
  const list = await fetchList(source, tools);
  const checked = await signatureProblem(source, list, context);
  if ('problem' in checked) {
    if (trust.allowsUnsigned !== true && !source.isTrusted) throw new ScanInputError(checked.problem, checked.advice);
    problems.push(`${checked.problem}; it was taken all the same, as ${trust.allowsUnsigned === true ? '--allow-unsigned' : 'the image\'s list of sources'} says`);
  }
  const release = readRelease('text' in checked ? checked.text : unsignedText(list.text), source.suite);
  if (!isOf(release, source.suite)) throw new ScanInputError(`${list.url} is the list of "${release.names.join('", "')}", not of "${source.suite}"`, 'does the mirror mix them up? name another one with --mirror');
  const old = ageProblem(release, tools.now());
  if (old !== undefined && trust.allowsExpired !== true && source.checksAge) throw new ScanInputError(`${list.url} is too old: ${old}`, 'is the mirror still kept, and is this machine\'s clock right? take it all the same with --allow-expired');
  if (old !== undefined) problems.push(`${list.url} is old: ${old}`);
  return release;
}
