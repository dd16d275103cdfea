/** Bills of materials of others and our own: CycloneDX and SPDX, as JSON. What has no package URL of a kind that we know is passed over. */
import { ScanInputError } from '../errors.ts';
import { MOST_NESTING, MOST_PACKAGES } from '../limits.ts';
import type { FoundPackage } from '../merge.ts';
import type { Distribution, Package } from '../packages/types.ts';
import { readPurl } from '../purl.ts';
import { arrayOf, isObject, parseJson, stringOf } from '../text.ts';
import type { ReadBill } from './types.ts';

class BillReader {
  readonly #found = new Map<string, FoundPackage>();
  #distribution: Distribution | undefined;
  #said: Distribution | undefined;

  /** What says itself to be the system goes before what package URLs say. */
  system(id: string | undefined, version: string | undefined): void {
    if (id !== undefined) this.#said ??= { id: id.toLowerCase(), version: version ?? '' };
  }

  add(purl: string | undefined, source: Partial<Package>, paths: readonly string[]): void {
    const read = purl === undefined ? undefined : readPurl(purl);
    if (read === undefined || purl === undefined || this.#found.size >= MOST_PACKAGES) return;
    this.#distribution ??= read.distribution;
    this.#found.set(purl, { package: { ...read.package, ...source }, paths: paths.length === 0 ? [purl] : paths, layer: 0, reader: 'sbom' });
  }

  result(name: string): ReadBill {
    return { name, distribution: this.#said ?? this.#distribution, packages: [...this.#found.values()] };
  }
}

/** What Trivy and Syft say beside the package URL about where a package comes from. */
function sourceOf(properties: ReadonlyMap<string, string>): Partial<Package> {
  const trivy = (name: string): string => properties.get(`aquasecurity:trivy:${name}`) ?? '';
  const sourceName = trivy('SrcName') || properties.get('syft:metadata:source') || '';
  const [epoch, version, release] = [trivy('SrcEpoch'), trivy('SrcVersion'), trivy('SrcRelease')];
  const sourceVersion = version === '' ? (properties.get('syft:metadata:sourceVersion') ?? '') : `${epoch === '' || epoch === '0' ? '' : `${epoch}:`}${version}${release === '' ? '' : `-${release}`}`;
  return { ...(sourceName === '' ? {} : { sourceName }), ...(sourceVersion === '' ? {} : { sourceVersion }) };
}

function readComponents(reader: BillReader, components: readonly unknown[], depth: number): void {
  if (depth > MOST_NESTING) return;
  for (const component of components) {
    const pairs = arrayOf(component, 'properties').flatMap((property) => {
      const [name, value] = [stringOf(property, 'name'), stringOf(property, 'value')];
      return name === undefined || value === undefined ? [] : [[name, value] as const];
    });
    if (stringOf(component, 'type') === 'operating-system') reader.system(stringOf(component, 'name'), stringOf(component, 'version'));
    else reader.add(stringOf(component, 'purl'), sourceOf(new Map(pairs)), pairs.filter(([name]) => name === 'caisson:path').map(([, value]) => value));
    readComponents(reader, arrayOf(component, 'components'), depth + 1);
  }
}

function readPackages(reader: BillReader, packages: readonly unknown[]): void {
  for (const one of packages) {
    if (stringOf(one, 'primaryPackagePurpose') === 'OPERATING-SYSTEM') reader.system(stringOf(one, 'name'), stringOf(one, 'versionInfo'));
    for (const reference of arrayOf(one, 'externalRefs')) if (stringOf(reference, 'referenceType') === 'purl') reader.add(stringOf(reference, 'referenceLocator'), {}, []);
  }
}

export function isBill(document: unknown): boolean {
  return stringOf(document, 'bomFormat') === 'CycloneDX' || stringOf(document, 'spdxVersion') !== undefined;
}

/** Undefined for what is no bill of materials. @throws ScanInputError for one of a form that we do not read */
export function readBill(bytes: Uint8Array): ReadBill | undefined {
  const document = parseJson(bytes);
  if (!isObject(document) || !isBill(document)) return undefined;
  const reader = new BillReader();
  if (stringOf(document, 'bomFormat') === 'CycloneDX') {
    readComponents(reader, arrayOf(document, 'components'), 0);
    const metadata = isObject(document['metadata']) ? document['metadata'] : {};
    return reader.result(stringOf(metadata['component'], 'name') ?? '');
  }
  if (stringOf(document, 'spdxVersion')?.startsWith('SPDX-2.') !== true) throw new ScanInputError(`it is a bill of materials of the form ${stringOf(document, 'spdxVersion') ?? ''}`, 'SPDX 2.x and CycloneDX are read');
  readPackages(reader, arrayOf(document, 'packages'));
  return reader.result(stringOf(document, 'name') ?? '');
}
