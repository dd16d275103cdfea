/**
 * How an image came to be: an in-toto statement (in-toto attestation framework 1, `spec/v1/statement.md`) with the predicate of SLSA 1.0
 * (slsa.dev/spec/v1.0/provenance). Secrets and proxies are no part of it; values of build arguments are only with `mode: 'max'`, as in BuildKit.
 */
import type { Artifact, Descriptor } from '../image/index.ts';
import { familiarName, parseReference } from '../image/reference.ts';
import type { Reference } from '../image/reference.ts';
import { bytesOf, toText } from './text.ts';
import type { BuildOptions } from './types.ts';
import { PREDEFINED_ARGS } from './variables.ts';

const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://slsa.dev/provenance/v1';
const IN_TOTO = 'application/vnd.in-toto+json';
const PREDICATE_ANNOTATION = 'in-toto.io/predicate-type';
const BUILD_TYPE = 'urn:caisson:build:dockerfile:v1';
const BUILDER = 'urn:caisson:build';
const PLATFORM = 'linux/amd64';

/** A download's address without who asked for it. */
export function withoutUser(address: string): string {
  const url = new URL(address);
  url.username = '';
  url.password = '';
  return url.href;
}

/** What a build has read from elsewhere. */
export interface Material {
  /** Undefined: an image without a name. */
  readonly uri: string | undefined;
  /** `ALGORITHM:DIGITS`, as a digest, or `gitCommit:DIGITS`. */
  readonly digest: string;
}

/** Of an image by its name, as package-url/purl-spec has it for `docker`. */
export function packageUrl(reference: Reference): string {
  const { tag, digest } = reference;
  const path = familiarName(reference).split('/').map((part) => encodeURIComponent(part).replaceAll('%3A', ':')).join('/');
  const version = tag ?? digest;
  return `pkg:docker/${path}${version === undefined ? '' : `@${encodeURIComponent(version)}`}?platform=${encodeURIComponent(PLATFORM)}`;
}

export interface ProvenanceInputs {
  readonly mode: 'min' | 'max';
  /** A URI; undefined: that of this program. */
  readonly builder: string | undefined;
  readonly version: string;
  readonly options: BuildOptions;
  readonly materials: readonly Material[];
  readonly startedMs: number;
  readonly finishedMs: number;
  /** Names that the image gets. */
  readonly names: readonly string[];
}

/** in-toto attestation framework, `spec/v1/digest_set.md`. */
const digestSet = (digest: string): Record<string, string> => ({ [digest.slice(0, digest.indexOf(':'))]: digest.slice(digest.indexOf(':') + 1) });
const timeOf = (ms: number): string => new Date(ms).toISOString();

function externalParameters({ mode, options }: ProvenanceInputs): object {
  const { dockerfile, target, buildArgs, labels, secrets } = options;
  const given = [...buildArgs].filter(([name]) => !PREDEFINED_ARGS.includes(name));
  const entries = (pairs: Iterable<readonly [string, string]>): object => Object.fromEntries([...pairs].map(([name, value]) => [toText(name), toText(value)]));
  return {
    configSource: { path: dockerfile.name }, platform: PLATFORM, ...(target === undefined ? {} : { target: toText(target) }),
    buildArgs: mode === 'max' ? entries(given) : given.map(([name]) => toText(name)).sort(),
    ...(mode === 'max' ? { labels: entries(labels), secrets: [...secrets.keys()].map(toText).sort() } : {}),
  };
}

/** The statement about the image whose manifest this is. */
export function provenanceOf(inputs: ProvenanceInputs, manifest: Descriptor): Artifact {
  const { mode, builder, version, options, materials, startedMs, finishedMs, names } = inputs;
  const { codecs, random } = options.host;
  const hash = codecs.createDigest('sha256');
  hash.update(bytesOf(options.dockerfile.source));
  const invocation = new Uint8Array(16);
  random(invocation);
  const dockerfile = { name: options.dockerfile.name, digest: { sha256: hash.hex() }, ...(mode === 'max' ? { mediaType: 'text/x-dockerfile', content: btoa(options.dockerfile.source) } : {}) };
  const statement = {
    _type: STATEMENT,
    subject: (names.length === 0 ? ['_'] : names.map((name) => packageUrl(parseReference(name)))).map((name) => ({ name, digest: digestSet(manifest.digest) })),
    predicateType: PREDICATE,
    predicate: {
      buildDefinition: {
        buildType: BUILD_TYPE, externalParameters: externalParameters(inputs), internalParameters: { network: options.network.mode, compression: options.compress ? 'gzip' : 'uncompressed' },
        resolvedDependencies: [...materials.map(({ uri, digest }) => ({ ...(uri === undefined ? {} : { uri }), digest: digestSet(digest) })), dockerfile],
      },
      runDetails: {
        builder: { id: builder ?? BUILDER, version: { caisson: version } },
        metadata: { invocationId: Array.from(invocation, (byte) => byte.toString(16).padStart(2, '0')).join(''), startedOn: timeOf(startedMs), finishedOn: timeOf(finishedMs) },
      },
    },
  };
  return { mediaType: IN_TOTO, bytes: new TextEncoder().encode(JSON.stringify(statement)), annotations: { [PREDICATE_ANNOTATION]: PREDICATE } };
}
