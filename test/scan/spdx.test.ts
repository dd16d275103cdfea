/** Bills of materials in SPDX 2.3 against what the specification demands, with licenses as packages really write them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { cycloneDxValidator, spdxValidator } from './schemas.ts';
import { brokenReferences } from './spdx-schema.ts';
import { scanPlace } from './testing.ts';

const { scratch, write, mustRun } = scanPlace();
const validate = spdxValidator();

interface Package {
  readonly name: string;
  readonly SPDXID: string;
  readonly licenseDeclared: string;
  readonly licenseComments?: string;
}
interface Document {
  readonly packages: readonly Package[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string; readonly relationshipType: string }[];
}

/** With fields that are taken away or changed. */
interface Spoilable extends Document {
  documentNamespace?: string;
  readonly creationInfo: object;
  readonly packages: readonly (Package & { downloadLocation?: string; readonly externalRefs: readonly object[] })[];
}

/** What npm, Alpine, Fedora and Python packages say of their licenses; `known`: SPDX knows it. */
const LICENSES: readonly (readonly [license: string, known: boolean])[] = [
  ['MIT', true], ['Apache-2.0', true], ['(MIT OR Apache-2.0)', true], ['GPL-2.0-only WITH Classpath-exception-2.0', true], ['MPL-2.0 AND (BSD-3-Clause OR ISC)', true], ['GPL-2.0+', true], ['Unlicense', true],
  ['GPLv2+', false], ['BSD', false], ['Apache License 2.0', false], ['SEE LICENSE IN LICENSE.md', false], ['UNLICENSED', false], ['MIT/X11', false], ['ASL 2.0', false], ['LicenseRef-Ours', false], ['MIT AND', false], ['(((MIT', false], ['mit', false], [`${'('.repeat(900)}MIT`, false], ['a\u001b[31m\nb', false],
];
for (const [index, [license]] of LICENSES.entries()) write(`app/node_modules/p${index}/package.json`, JSON.stringify({ name: `p${index}`, version: '1.0.0', license }));
write('app/etc/os-release', 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian"\n');
write('app/var/lib/dpkg/status', 'Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:3.0~rc1-1+b2\nSource: openssl (1:3.0~rc1-1)\n');

test('a document has all that SPDX 2.3 demands and nothing that it does not know; licenses are expressions of its list, or told as a comment', async () => {
  const document = JSON.parse(await mustRun(['scan', '-f', 'spdx', join(scratch, 'app')])) as Document;
  assert.ok(validate(document), JSON.stringify(validate.errors?.slice(0, 3)));
  assert.deepEqual(brokenReferences(document), []);
  for (const [index, [license, known]] of LICENSES.entries()) {
    const found = document.packages.find(({ name }) => name === `p${index}`);
    assert.equal(found?.licenseDeclared, known ? license : 'NOASSERTION', license);
    assert.equal(found?.licenseComments?.startsWith('declared as: '), known ? undefined : true, license);
  }
});

test('the check can fail: each document with one fault does', async () => {
  const text = await mustRun(['scan', '-f', 'spdx', join(scratch, 'app')]);
  const faults: readonly (readonly [name: string, (document: Spoilable) => void])[] = [
    ['another version', (document) => Object.assign(document, { spdxVersion: 'SPDX-2.2' })], ['no namespace', (document) => delete document.documentNamespace], ['a fragment', (document) => Object.assign(document, { documentNamespace: 'https://example.com/a#b' })],
    ['milliseconds', ({ creationInfo }) => Object.assign(creationInfo, { created: '2026-01-01T00:00:00.000Z' })], ['no such day', ({ creationInfo }) => Object.assign(creationInfo, { created: '2026-02-31T00:00:00Z' })], ['no creator', ({ creationInfo }) => Object.assign(creationInfo, { creators: [] })],
    ['creator', ({ creationInfo }) => Object.assign(creationInfo, { creators: ['caisson'] })], ['an unknown field', ({ packages }) => Object.assign(packages[0]!, { vendor: 'x' })], ['no download location', ({ packages }) => delete packages[1]!.downloadLocation],
    ['an identifier', ({ packages }) => Object.assign(packages[1]!, { SPDXID: 'SPDXRef-a_b' })], ['a license', ({ packages }) => Object.assign(packages[2]!, { licenseDeclared: 'GPLv2+' })], ['a purpose', ({ packages }) => Object.assign(packages[2]!, { primaryPackagePurpose: 'BINARY' })],
    ['a locator', ({ packages }) => Object.assign(packages[2]!.externalRefs[0]!, { referenceLocator: 'pkg:npm/a b' })], ['a category', ({ packages }) => Object.assign(packages[2]!.externalRefs[0]!, { referenceCategory: 'SECURITY' })],
    ['a relationship', ({ relationships }) => Object.assign(relationships[0]!, { relationshipType: 'HAS' })], ['an end', ({ relationships }) => Object.assign(relationships[1]!, { relatedSpdxElement: 'SPDXRef-Nobody' })], ['twice', ({ packages }) => Object.assign(packages[2]!, { SPDXID: 'SPDXRef-Target' })],
  ];
  for (const [name, spoil] of faults) {
    const document = JSON.parse(text) as Spoilable;
    spoil(document);
    assert.ok(!validate(document) || brokenReferences(document).length > 0, name);
  }
});

test('CycloneDX names the same licenses, by identifier, as an expression or by name, and validates', async () => {
  const isValid = cycloneDxValidator();
  const document = JSON.parse(await mustRun(['scan', '-f', 'cyclonedx', join(scratch, 'app')])) as { readonly components: readonly { readonly name: string; readonly licenses?: readonly { readonly expression?: string; readonly license?: { readonly id?: string; readonly name?: string } }[] }[] };
  assert.ok(isValid(document), JSON.stringify(isValid.errors?.slice(0, 3)));
  const shown = (name: string): string => JSON.stringify(document.components.find((one) => one.name === name)?.licenses?.[0]);
  assert.deepEqual(['p0', 'p2', 'p8'].map(shown), ['{"license":{"id":"MIT"}}', '{"expression":"(MIT OR Apache-2.0)"}', '{"license":{"name":"BSD"}}']);
});
