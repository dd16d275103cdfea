/** SPDX 2.3 (ISO/IEC 5962), as JSON. */
import { printableJson } from '../../findings/printable.ts';
import { purlOf } from '../purl.ts';
import { shownPath } from '../text.ts';
import { knownLicense } from './licenses.ts';
import { uuidOf } from './types.ts';
import type { Bill, BillOptions } from './types.ts';

const ROOT = 'SPDXRef-Target';
const SYSTEM = 'SPDXRef-OperatingSystem';
const UNKNOWN = 'NOASSERTION';
function licenseFields(license: string | undefined): object {
  const known = knownLicense(license);
  return { licenseConcluded: UNKNOWN, licenseDeclared: known?.expression ?? UNKNOWN, ...(license === undefined || license === '' || known !== undefined ? {} : { licenseComments: `declared as: ${license}` }) };
}

export function toSpdx({ name, kind, id, distribution, packages }: Bill, { version, nowMs, identifier }: BillOptions): string {
  const common = { downloadLocation: UNKNOWN, filesAnalyzed: false, copyrightText: UNKNOWN };
  const described = packages.map((found, index) => ({
    SPDXID: `SPDXRef-Package-${index + 1}`, name: found.package.name, versionInfo: found.package.version, ...common, ...licenseFields(found.package.license), primaryPackagePurpose: 'LIBRARY',
    sourceInfo: `found in ${found.paths.slice(0, 20).map(shownPath).join(', ')}`,
    externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purlOf(found.package, distribution) }],
  }));
  const system = distribution === undefined ? [] : [{ SPDXID: SYSTEM, name: distribution.id, versionInfo: distribution.version, ...common, ...licenseFields(undefined), primaryPackagePurpose: 'OPERATING-SYSTEM' }];
  const root = { SPDXID: ROOT, name, ...(id === undefined ? {} : { versionInfo: id }), ...common, ...licenseFields(undefined), primaryPackagePurpose: kind === 'image' ? 'CONTAINER' : 'APPLICATION' };
  const document = {
    spdxVersion: 'SPDX-2.3', dataLicense: 'CC0-1.0', SPDXID: 'SPDXRef-DOCUMENT', name, documentNamespace: `https://spdx.org/spdxdocs/caisson-${uuidOf(identifier)}`,
    creationInfo: { creators: [`Tool: caisson-${version}`], created: new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z') },
    packages: [root, ...system, ...described],
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: ROOT },
      ...[...system, ...described].map(({ SPDXID }) => ({ spdxElementId: ROOT, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID })),
    ],
  };
  return printableJson(document);
}
