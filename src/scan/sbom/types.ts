/** A bill of materials, in and out. */
import type { FoundPackage } from '../merge.ts';
import type { Distribution } from '../packages/types.ts';
import type { Vulnerability } from '../advisories/match.ts';

export interface Bill {
  /** The image or directory. */
  readonly name: string;
  readonly kind: 'image' | 'directory' | 'sbom';
  /** Of the image's configuration. */
  readonly id?: string;
  readonly distribution: Distribution | undefined;
  readonly packages: readonly FoundPackage[];
  readonly vulnerabilities: readonly Vulnerability[];
  /** Digests of layers, uncompressed, the lowest first. */
  readonly diffIds: readonly string[];
}

export interface BillOptions {
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  /** 32 hexadecimal digits, of the content: the same content gives the same identifier. */
  readonly identifier: string;
}

export interface ReadBill {
  readonly name: string;
  readonly distribution: Distribution | undefined;
  readonly packages: readonly FoundPackage[];
}

/** `8-4-4-4-12`, marked as version 8 (RFC 9562): made of a digest. */
export function uuidOf(identifier: string): string {
  const text = `${identifier.slice(0, 12)}8${identifier.slice(13, 16)}8${identifier.slice(17, 32)}`;
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20, 32)].join('-');
}
