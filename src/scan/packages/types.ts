/** Packages as they are found, whatever installed them. */
import type { ScanFile } from '../types.ts';

/** As in package URLs. */
export const PACKAGE_TYPES = ['deb', 'apk', 'rpm', 'npm', 'pypi', 'gem', 'cargo', 'golang', 'maven', 'nuget', 'composer'] as const;
export type PackageType = (typeof PACKAGE_TYPES)[number];

export interface Package {
  readonly type: PackageType;
  /** With its namespace, as people write it: `@types/node`, `org.slf4j:slf4j-api`, `golang.org/x/net`, `symfony/console`. */
  readonly name: string;
  /** With the epoch and the revision where there are some. */
  readonly version: string;
  readonly architecture?: string;
  /** What it was built from, where that has another name or version: what distributions write advisories about. */
  readonly sourceName?: string;
  readonly sourceVersion?: string;
  readonly license?: string;
  /** Names of packages that it needs, where the list of installed ones says so. */
  readonly isDevelopment?: boolean;
  /** What the distribution calls it beyond that: `modularitylabel`, `vendor`. */
  readonly qualifiers?: Readonly<Record<string, string>>;
}

/** `/etc/os-release`. */
export interface Distribution {
  /** `debian` */
  readonly id: string;
  /** `12`, `3.20.1` */
  readonly version: string;
  readonly codename?: string;
  readonly name?: string;
  readonly like?: readonly string[];
}

/** `installed`: it is there as files. `lock`: somebody wrote down what is to be installed. */
export type RecordKind = 'installed' | 'lock' | 'binary' | 'distribution' | 'sources' | 'keyring' | 'owner';

/** What one file of a layer says. */
export interface PackageRecord {
  /** A byte string. */
  readonly path: string;
  readonly kind: RecordKind;
  /** `dpkg`, `npm`, `jar`: the reader. */
  readonly reader: string;
  readonly packages: readonly Package[];
  readonly distribution?: Distribution;
  /** Of `sources`: the text of apt's lists of sources. */
  readonly text?: string;
  /** Of `keyring`: the file, in base64. */
  readonly keyring?: string;
  /** Of `owner`: files with packages of their own that belong to a package of the distribution. */
  readonly owned?: readonly string[];
  /** It was read only in part, or not at all, and why. */
  readonly problem?: string;
}

/** What a reader gets beside the file. */
export interface ReaderTools {
  /** Raw deflate (RFC 1951), at most `most` bytes of output. Undefined: spoiled or longer. */
  inflateRaw(bytes: Uint8Array, most: number): Uint8Array | undefined;
  /** zlib (RFC 1950). */
  inflate(bytes: Uint8Array, most: number): Uint8Array | undefined;
}

/** Reads files of one kind. Whatever a file holds, it answers in bounded time; what it cannot read is a `problem`. */
export interface PackageReader {
  readonly name: string;
  readonly kind: RecordKind;
  wants(file: ScanFile, name: string): boolean;
  read(file: ScanFile, tools: ReaderTools): Omit<PackageRecord, 'path' | 'kind' | 'reader'> | undefined;
}
