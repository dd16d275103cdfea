/**
 * What SPDX 2.3 demands of a document in JSON, as a JSON schema of our own: written from the specification's clauses, because no package has the project's own schema file. It allows
 * no field that the specification does not name, and demands the mandatory ones, as that file does; beyond it, identifiers, dates and license expressions have to have their form.
 * Files, snippets, annotations and licenses of the document's own are not written by us, and so not in it.
 */
import parseExpression from 'spdx-expression-parse';
import type { Ajv } from 'ajv';

type Schema = Readonly<Record<string, unknown>>;

const TEXT: Schema = { type: 'string' };
/** Clause 3.2: one line. */
const LINE: Schema = { type: 'string', minLength: 1, pattern: '^[^\\n]*$' };
/** 7.2 and others: `SPDXRef-` and letters, digits, dots and hyphens. */
const IDENTIFIER: Schema = { type: 'string', pattern: '^SPDXRef-[a-zA-Z0-9.-]+$' };
/** 6.9: ISO 8601 in UTC, to the second. */
const DATE: Schema = { type: 'string', format: 'date-time', pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ$' };
/** 7.13, 7.15 and annex D. */
const LICENSE: Schema = { type: 'string', format: 'spdx-license' };
/** 6.8, 7.5, 7.6. */
const CREATOR: Schema = { type: 'string', pattern: '^(?:Person|Organization|Tool): \\S' };
const AGENT: Schema = { type: 'string', pattern: '^(?:NOASSERTION$|(?:Person|Organization): \\S)' };

/** Nothing but these. */
function closed(properties: Readonly<Record<string, Schema>>, required: readonly string[], more: Schema = {}): Schema {
  return { type: 'object', properties, required, additionalProperties: false, ...more };
}

function list(items: Schema, more: Schema = {}): Schema {
  return { type: 'array', items, ...more };
}

/** 7.10 */
const CHECKSUM = closed({
  algorithm: { enum: ['SHA1', 'SHA224', 'SHA256', 'SHA384', 'SHA512', 'SHA3-256', 'SHA3-384', 'SHA3-512', 'BLAKE2b-256', 'BLAKE2b-384', 'BLAKE2b-512', 'BLAKE3', 'MD2', 'MD4', 'MD5', 'MD6', 'ADLER32'] },
  checksumValue: { type: 'string', pattern: '^[0-9a-f]+$' },
}, ['algorithm', 'checksumValue']);

/** 7.21: a locator has no spaces. */
const EXTERNAL_REFERENCE = closed({
  referenceCategory: { enum: ['SECURITY', 'PACKAGE-MANAGER', 'PERSISTENT-ID', 'OTHER'] }, referenceType: { type: 'string', pattern: '^[a-zA-Z0-9.-]+$' },
  referenceLocator: { type: 'string', pattern: '^\\S+$' }, comment: TEXT,
}, ['referenceCategory', 'referenceType', 'referenceLocator'], {
  // Annex F 3.5
  if: { properties: { referenceType: { const: 'purl' } } }, then: { properties: { referenceCategory: { const: 'PACKAGE-MANAGER' }, referenceLocator: { type: 'string', pattern: '^pkg:[a-z][a-z0-9.+-]*/' } } },
});

/** 7 */
const PACKAGE = closed({
  name: LINE, SPDXID: IDENTIFIER, versionInfo: LINE, packageFileName: LINE, supplier: AGENT, originator: AGENT,
  downloadLocation: { type: 'string', pattern: '^(?:NONE|NOASSERTION|[a-z][a-z0-9+.-]*:\\S+)$' }, filesAnalyzed: { type: 'boolean' }, checksums: list(CHECKSUM), homepage: TEXT, sourceInfo: TEXT,
  licenseConcluded: LICENSE, licenseInfoFromFiles: list(LICENSE), licenseDeclared: LICENSE, licenseComments: TEXT, copyrightText: TEXT, summary: TEXT, description: TEXT, comment: TEXT,
  externalRefs: list(EXTERNAL_REFERENCE), attributionTexts: list(TEXT), releaseDate: DATE, builtDate: DATE, validUntilDate: DATE,
  primaryPackagePurpose: { enum: ['APPLICATION', 'FRAMEWORK', 'LIBRARY', 'CONTAINER', 'OPERATING-SYSTEM', 'DEVICE', 'FIRMWARE', 'SOURCE', 'ARCHIVE', 'FILE', 'INSTALL', 'OTHER'] },
}, ['name', 'SPDXID', 'downloadLocation'], {
  // 7.9 and 7.14: what was not looked at has no licenses of its files.
  if: { properties: { filesAnalyzed: { const: false } }, required: ['filesAnalyzed'] }, then: { not: { required: ['licenseInfoFromFiles'] } },
});

/** 11.1 */
const RELATIONSHIP = closed({
  spdxElementId: IDENTIFIER, relatedSpdxElement: { anyOf: [IDENTIFIER, { enum: ['NONE', 'NOASSERTION'] }] }, comment: TEXT,
  relationshipType: {
    enum: [
      'DESCRIBES', 'DESCRIBED_BY', 'CONTAINS', 'CONTAINED_BY', 'DEPENDS_ON', 'DEPENDENCY_OF', 'DEPENDENCY_MANIFEST_OF', 'BUILD_DEPENDENCY_OF', 'DEV_DEPENDENCY_OF', 'OPTIONAL_DEPENDENCY_OF', 'PROVIDED_DEPENDENCY_OF', 'TEST_DEPENDENCY_OF',
      'RUNTIME_DEPENDENCY_OF', 'EXAMPLE_OF', 'GENERATES', 'GENERATED_FROM', 'ANCESTOR_OF', 'DESCENDANT_OF', 'VARIANT_OF', 'DISTRIBUTION_ARTIFACT', 'PATCH_FOR', 'PATCH_APPLIED', 'COPY_OF', 'FILE_ADDED', 'FILE_DELETED', 'FILE_MODIFIED',
      'EXPANDED_FROM_ARCHIVE', 'DYNAMIC_LINK', 'STATIC_LINK', 'DATA_FILE_OF', 'TEST_CASE_OF', 'BUILD_TOOL_OF', 'DEV_TOOL_OF', 'TEST_OF', 'TEST_TOOL_OF', 'DOCUMENTATION_OF', 'OPTIONAL_COMPONENT_OF', 'METAFILE_OF', 'PACKAGE_OF', 'AMENDS',
      'PREREQUISITE_FOR', 'HAS_PREREQUISITE', 'REQUIREMENT_DESCRIPTION_FOR', 'SPECIFICATION_FOR', 'OTHER',
    ],
  },
}, ['spdxElementId', 'relatedSpdxElement', 'relationshipType']);

/** 6 */
export const SPDX_DOCUMENT: Schema = closed({
  spdxVersion: { const: 'SPDX-2.3' }, dataLicense: { const: 'CC0-1.0' }, SPDXID: { const: 'SPDXRef-DOCUMENT' }, name: LINE,
  // 6.5: an absolute URI without a fragment.
  documentNamespace: { type: 'string', format: 'uri', pattern: '^[^#]+$' },
  creationInfo: closed({ creators: list(CREATOR, { minItems: 1 }), created: DATE, licenseListVersion: { type: 'string', pattern: '^\\d+\\.\\d+$' }, comment: TEXT }, ['creators', 'created']),
  comment: TEXT, packages: list(PACKAGE), relationships: list(RELATIONSHIP),
}, ['spdxVersion', 'dataLicense', 'SPDXID', 'name', 'documentNamespace', 'creationInfo']);

/** Annex D, with identifiers of the license list. */
export function addLicenseFormat(ajv: Ajv): void {
  ajv.addFormat('spdx-license', (text) => {
    if (text === 'NONE' || text === 'NOASSERTION') return true;
    try {
      parseExpression(text);
      return true;
    } catch {
      return false;
    }
  });
}

interface Elements {
  readonly packages: readonly { readonly SPDXID: string }[];
  readonly relationships: readonly { readonly spdxElementId: string; readonly relatedSpdxElement: string; readonly relationshipType: string }[];
}

/** What a schema cannot say: each identifier once, relationships between what is there, and the document describes something (6.11, 11.1). */
export function brokenReferences({ packages, relationships }: Elements): readonly string[] {
  const ids = ['SPDXRef-DOCUMENT', ...packages.map(({ SPDXID }) => SPDXID)];
  const known = new Set(ids);
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  const missing = relationships.flatMap(({ spdxElementId, relatedSpdxElement }) => [spdxElementId, relatedSpdxElement]).filter((id) => !known.has(id));
  const describes = relationships.some(({ relationshipType, spdxElementId }) => relationshipType === 'DESCRIBES' && spdxElementId === 'SPDXRef-DOCUMENT');
  return [...twice.map((id) => `${id} twice`), ...missing.map((id) => `${id} missing`), ...(describes ? [] : ['describes nothing'])];
}
