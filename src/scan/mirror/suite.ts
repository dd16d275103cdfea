/** A suite: what it says of itself, and the packages of its lists. */
import { readList } from './lists.ts';
import type { ListedPackage } from './lists.ts';
import type { AptSource } from './sources.ts';
import { readTrustedRelease } from './trust.ts';
import type { TrustContext } from './trust.ts';

export interface Suite {
  readonly name: string;
  readonly isSecurity: boolean;
  readonly packages: readonly ListedPackage[];
}

/** Undefined for a suite that apt does not take from by itself. `architectures`: `amd64` and others that the image has. @throws ScanInputError */
export async function readSuite(source: AptSource, { architectures, ...context }: TrustContext & { readonly architectures: readonly string[] }): Promise<Suite | undefined> {
  const release = await readTrustedRelease(source, context);
  if (release.isManual) return undefined;
  const packages: ListedPackage[] = [];
  for (const component of source.components) {
    for (const architecture of architectures) for (const one of await readList(source, release, `${component}/binary-${architecture}`, context.tools)) packages.push(one);
  }
  return { name: source.suite, isSecurity: release.isSecurity, packages };
}
