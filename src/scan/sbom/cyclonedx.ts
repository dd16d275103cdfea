/** CycloneDX 1.6 (ECMA-424), as JSON. */
import { printableJson } from '../../findings/printable.ts';
import { purlOf } from '../purl.ts';
import { shownPath } from '../text.ts';
import type { Vulnerability } from '../advisories/match.ts';
import type { FoundPackage } from '../merge.ts';
import { knownLicense } from './licenses.ts';
import { uuidOf } from './types.ts';
import type { Bill, BillOptions } from './types.ts';

const ROOT = 'target';
const SYSTEM = 'operating-system';

function splitName({ package: { type, name } }: FoundPackage): { readonly group?: string; readonly name: string } {
  const at = type === 'maven' ? name.indexOf(':') : type === 'npm' || type === 'composer' ? name.lastIndexOf('/') : -1;
  return at <= 0 ? { name } : { group: name.slice(0, at), name: name.slice(at + 1) };
}

function licensesOf(license: string | undefined): object {
  if (license === undefined || license === '') return {};
  const known = knownLicense(license);
  if (known?.isIdentifier === false) return { licenses: [{ expression: license }] };
  return { licenses: [{ license: known === undefined ? { name: license } : { id: license } }] };
}

function componentOf(found: FoundPackage, purl: string, { diffIds }: Bill): object {
  const { package: { version, license }, paths, layer, reader } = found;
  const properties = [
    { name: 'caisson:reader', value: reader }, ...paths.slice(0, 20).map((path) => ({ name: 'caisson:path', value: shownPath(path) })),
    ...(diffIds[layer] === undefined ? [] : [{ name: 'caisson:layer', value: diffIds[layer] }]),
  ];
  return { type: 'library', 'bom-ref': purl, ...splitName(found), version, purl, ...licensesOf(license), properties };
}

const METHODS: readonly (readonly [start: string, method: string])[] = [['CVSS:4.', 'CVSSv4'], ['CVSS:3.1', 'CVSSv31'], ['CVSS:3.0', 'CVSSv3']];

function vulnerabilitiesOf(list: readonly Vulnerability[], referenceOf: (found: FoundPackage) => string): readonly object[] {
  const byId = new Map<string, Vulnerability[]>();
  for (const one of list) byId.set(one.id, [...(byId.get(one.id) ?? []), one]);
  return Array.from(byId, ([id, [first, ...rest]]) => {
    if (first === undefined) return {};
    const { advisory: { vector, score, title, url, source }, severity, severitySource } = first;
    const method = METHODS.find(([start]) => vector?.startsWith(start) === true)?.[1];
    return {
      id, source: { name: source, ...(url === undefined ? {} : { url }) },
      ratings: [{ source: { name: severitySource }, severity, ...(score === undefined ? {} : { score }), ...(method === undefined ? {} : { method, vector }) }],
      ...(title === undefined ? {} : { description: title }),
      affects: Array.from(new Map([first, ...rest].map(({ found }) => [referenceOf(found), found.package.version])), ([ref, version]) => ({ ref, versions: [{ version, status: 'affected' }] })),
      ...(first.fixed === undefined ? {} : { recommendation: `Upgrade ${first.found.package.name} to version ${first.fixed}` }),
    };
  });
}

export function toCycloneDx(bill: Bill, { version, nowMs, identifier }: BillOptions): string {
  const { name, kind, distribution, packages, vulnerabilities, diffIds } = bill;
  const references = new Map(packages.map((found) => [found, purlOf(found.package, distribution)]));
  const referenceOf = (found: FoundPackage): string => references.get(found) ?? '';
  const unique = [...new Map(packages.map((found) => [referenceOf(found), found])).values()];
  const system = distribution === undefined ? [] : [{ type: 'operating-system', 'bom-ref': SYSTEM, name: distribution.id, version: distribution.version, ...(distribution.name === undefined ? {} : { description: distribution.name }) }];
  const ofSystem = unique.filter(({ package: { type } }) => ['deb', 'apk', 'rpm'].includes(type)).map(referenceOf);
  const others = unique.filter(({ package: { type } }) => !['deb', 'apk', 'rpm'].includes(type)).map(referenceOf);
  const document = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json', bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber: `urn:uuid:${uuidOf(identifier)}`, version: 1,
    metadata: {
      timestamp: new Date(nowMs).toISOString(), tools: { components: [{ type: 'application', name: 'caisson', version }] },
      component: { type: kind === 'image' ? 'container' : 'application', 'bom-ref': ROOT, name, properties: diffIds.map((value) => ({ name: 'caisson:diffId', value })) },
    },
    components: [...system, ...unique.map((found) => componentOf(found, referenceOf(found), bill))],
    dependencies: [{ ref: ROOT, dependsOn: system.length === 0 ? [...ofSystem, ...others] : [SYSTEM, ...others] }, ...(system.length === 0 ? [] : [{ ref: SYSTEM, dependsOn: ofSystem }])],
    ...(vulnerabilities.length === 0 ? {} : { vulnerabilities: vulnerabilitiesOf(vulnerabilities, referenceOf) }),
  };
  return printableJson(document);
}
