/** Findings, and all that is done with them: the door of the room. */
export { SEVERITIES } from './types.ts';
export type { Evidence, Finding, IgnoredFinding, Place, Report, Rule, Section, Severity } from './types.ts';
export { bySeverity, countBySeverity, isAtLeast } from './severity.ts';
export { IgnoreFileError, MOST_IGNORE_BYTES, parseIgnoreFile, siftFindings } from './ignore.ts';
export type { IgnoreEntry, Sifted } from './ignore.ts';
export { asJson, asMarkdown, asTable } from './formats.ts';
export { asSarif } from './sarif.ts';
export { asHtml, escapeMarkup } from './html.ts';
export { matches } from './wildcard.ts';
