/** Statements that a vulnerability does not matter for a product: OpenVEX 0.2, CSAF 2.0 (profile VEX), CycloneDX 1.4 and later. */
import { ScanInputError } from '../errors.ts';
import { arrayOf, fieldOf, parseJson, stringOf } from '../text.ts';
import type { Vulnerability } from './match.ts';
import { isMeant } from './vex-products.ts';
import type { Scanned, VexProduct } from './vex-products.ts';

export interface VexStatement {
  /** The vulnerability, under any of its names. */
  readonly ids: readonly string[];
  /** None: whatever has it. */
  readonly products: readonly VexProduct[];
  readonly status: 'not affected' | 'fixed' | 'affected' | 'under investigation';
  readonly reason: string;
}

const STATUSES: ReadonlyMap<string, VexStatement['status']> = new Map([
  ['not_affected', 'not affected'], ['known_not_affected', 'not affected'], ['false_positive', 'not affected'], ['fixed', 'fixed'], ['resolved', 'fixed'], ['resolved_with_pedigree', 'fixed'], ['first_fixed', 'fixed'],
  ['affected', 'affected'], ['known_affected', 'affected'], ['exploitable', 'affected'], ['under_investigation', 'under investigation'], ['in_triage', 'under investigation'],
]);

function strings(values: readonly unknown[]): readonly string[] {
  return values.filter((value) => typeof value === 'string');
}

/** Of a product, or of something in one. */
function openVexId(one: unknown): string | undefined {
  return typeof one === 'string' ? one : (stringOf(fieldOf(one, 'identifiers'), 'purl') ?? stringOf(one, '@id'));
}

/** Products, and where there is something in them that is meant, that within them. */
function openVexProducts(statement: unknown): readonly VexProduct[] {
  return arrayOf(statement, 'products').flatMap((product) => {
    const parts = arrayOf(product, 'subcomponents');
    const within = openVexId(product);
    if (parts.length === 0) return within === undefined ? [] : [{ name: within }];
    return parts.map(openVexId).filter((name) => name !== undefined).map((name) => (within === undefined ? { name } : { name, within }));
  });
}

function readOpenVex(document: unknown): readonly VexStatement[] {
  return arrayOf(document, 'statements').flatMap((statement): readonly VexStatement[] => {
    const vulnerability = fieldOf(statement, 'vulnerability');
    const name = typeof vulnerability === 'string' ? vulnerability : stringOf(vulnerability, 'name');
    const status = STATUSES.get(stringOf(statement, 'status') ?? '');
    if (name === undefined || status === undefined) return [];
    return [{ ids: [name, ...strings(arrayOf(vulnerability, 'aliases'))], products: openVexProducts(statement), status, reason: stringOf(statement, 'impact_statement') ?? stringOf(statement, 'justification') ?? status }];
  });
}

/** Package URLs of the product tree, by the identifiers that the statements use. */
function csafProducts(tree: unknown, found: Map<string, string>, depth: number): void {
  if (depth > 50) return;
  for (const product of [fieldOf(tree, 'product'), ...arrayOf(tree, 'full_product_names')]) {
    const [id, purl] = [stringOf(product, 'product_id'), stringOf(fieldOf(product, 'product_identification_helper'), 'purl')];
    if (id !== undefined && purl !== undefined) found.set(id, purl);
  }
  for (const branch of arrayOf(tree, 'branches')) csafProducts(branch, found, depth + 1);
  for (const relationship of arrayOf(tree, 'relationships')) {
    const id = stringOf(fieldOf(relationship, 'full_product_name'), 'product_id');
    const purl = found.get(stringOf(relationship, 'product_reference') ?? '');
    if (id !== undefined && purl !== undefined) found.set(id, purl);
  }
}

function readCsaf(document: unknown): readonly VexStatement[] {
  const products = new Map<string, string>();
  csafProducts(fieldOf(document, 'product_tree'), products, 0);
  return arrayOf(document, 'vulnerabilities').flatMap((vulnerability) => {
    const ids = [stringOf(vulnerability, 'cve'), ...arrayOf(vulnerability, 'ids').map((id) => stringOf(id, 'text'))].filter((id) => id !== undefined);
    const reasons = [...arrayOf(vulnerability, 'threats').map((threat) => stringOf(threat, 'details')), ...arrayOf(vulnerability, 'flags').map((flag) => stringOf(flag, 'label'))].filter((text) => text !== undefined);
    return [...STATUSES].flatMap(([name, status]): readonly VexStatement[] => {
      const purls = strings(arrayOf(fieldOf(vulnerability, 'product_status'), name)).flatMap((id) => products.get(id) ?? []).map((name) => ({ name }));
      return purls.length === 0 ? [] : [{ ids, products: purls, status, reason: reasons[0] ?? status }];
    });
  });
}

function readCycloneDx(document: unknown): readonly VexStatement[] {
  const purls = new Map(arrayOf(document, 'components').flatMap((component) => {
    const [reference, purl] = [stringOf(component, 'bom-ref'), stringOf(component, 'purl')];
    return reference === undefined || purl === undefined ? [] : [[reference, purl] as const];
  }));
  return arrayOf(document, 'vulnerabilities').flatMap((vulnerability): readonly VexStatement[] => {
    const analysis = fieldOf(vulnerability, 'analysis');
    const [id, status] = [stringOf(vulnerability, 'id'), STATUSES.get(stringOf(analysis, 'state') ?? '')];
    if (id === undefined || status === undefined) return [];
    const references = arrayOf(vulnerability, 'affects').flatMap((one) => stringOf(one, 'ref') ?? []);
    return [{ ids: [id], products: references.map((reference) => ({ name: purls.get(reference) ?? reference.replace(/^urn:cdx:[^#]*#/, '') })), status, reason: stringOf(analysis, 'detail') ?? stringOf(analysis, 'justification') ?? status }];
  });
}

/** @throws ScanInputError */
export function readVex(bytes: Uint8Array, name: string): readonly VexStatement[] {
  const document = parseJson(bytes);
  if (stringOf(document, '@context')?.startsWith('https://openvex.dev/') === true) return readOpenVex(document);
  if (fieldOf(fieldOf(document, 'document'), 'csaf_version') !== undefined) return readCsaf(document);
  if (stringOf(document, 'bomFormat') === 'CycloneDX') return readCycloneDx(document);
  throw new ScanInputError(`"${name}" is no VEX that is known`, 'there are OpenVEX, CSAF and CycloneDX, each as JSON');
}

/** The last statement about a vulnerability and package that takes it out; undefined where none does, or a later one says that it is affected. */
export function excusedBy(statements: readonly VexStatement[], vulnerability: Vulnerability, scanned: Scanned): VexStatement | undefined {
  const names = new Set([vulnerability.id, ...vulnerability.aliases]);
  const { found: { package: own } } = vulnerability;
  const last = statements.filter(({ ids, products }) => ids.some((id) => names.has(id)) && (products.length === 0 || products.some((product) => isMeant(product, own, scanned)))).at(-1);
  return last?.status === 'not affected' || last?.status === 'fixed' ? last : undefined;
}
