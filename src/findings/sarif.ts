/** OASIS Static Analysis Results Interchange Format 2.1.0, as code scanners read it. */
import { printableJson } from './printable.ts';
import type { Finding, IgnoredFinding, Place, Report, Rule, Severity } from './types.ts';

type Level = 'note' | 'warning' | 'error';
const LEVELS: Readonly<Record<Severity, Level>> = { info: 'note', low: 'note', medium: 'warning', high: 'error', critical: 'error' };
/** The middle of each class as GitHub's code scanning reads `security-severity` (critical above 9.0, high from 7.0, medium from 4.0). */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = { info: '0.0', low: '2.0', medium: '5.5', high: '8.0', critical: '9.5' };

function ruleObject({ id, summary, remedy, severity, url }: Rule, isSecurity: boolean): object {
  return {
    id, name: id, shortDescription: { text: summary }, help: { text: remedy }, ...(url === undefined ? {} : { helpUri: url }),
    defaultConfiguration: { level: LEVELS[severity] }, ...(isSecurity ? { properties: { 'security-severity': SECURITY_SEVERITY[severity] } } : {}),
  };
}

/** A path as a URI reference (RFC 3986). */
function uriOf(file: string): string {
  // Half a surrogate pair has no encoding.
  const path = file.replace(/[\ud800-\udfff]/gu, '\ufffd').split('/').map(encodeURIComponent).join('/');
  return path === '' ? '.' : path;
}

function locationOf({ file, line, endLine, source }: Place): object {
  const region = line === undefined ? {} : { region: { startLine: line, endLine: endLine ?? line, ...(source === undefined ? {} : { snippet: { text: source } }) } };
  return { physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } };
}

function resultObject(rules: readonly Rule[], { rule, severity, subject, message, place, score, evidence, data }: Finding): object {
  const properties = { subject, ...(score === undefined ? {} : { score }), ...Object.fromEntries((evidence ?? []).map(({ name, value }) => [name, value])), ...data };
  return {
    ruleId: rule, ruleIndex: rules.findIndex(({ id }) => id === rule), level: LEVELS[severity], message: { text: message },
    locations: [place === undefined ? { logicalLocations: [{ fullyQualifiedName: subject }] } : locationOf(place)],
    partialFingerprints: { 'caissonFinding/v1': `${rule}:${subject}:${place?.file ?? ''}` }, properties,
  };
}

function ignoredObject(rules: readonly Rule[], { finding, reason }: IgnoredFinding): object {
  return { ...resultObject(rules, finding), suppressions: [{ kind: 'external', justification: reason }] };
}

export function asSarif({ version, rules, findings, ignored, isSecurity = true }: Report): string {
  const driver = { name: 'caisson', version, rules: rules.map((rule) => ruleObject(rule, isSecurity)) };
  const results = [...findings.map((finding) => resultObject(rules, finding)), ...ignored.map((entry) => ignoredObject(rules, entry))];
  return printableJson({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [{ tool: { driver }, results }] });
}
