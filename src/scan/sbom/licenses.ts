/** What packages say of their licenses, as far as SPDX knows it: identifiers of its list and expressions of them (SPDX 2.3 annex D). */
import parse from 'spdx-expression-parse';

/** Longer ones are no expression that somebody reads; the parser descends at each parenthesis. */
const MOST_CHARACTERS = 1000;
const MOST_PARENTHESES = 100;

export interface KnownLicense {
  readonly expression: string;
  /** It is one identifier and nothing else. */
  readonly isIdentifier: boolean;
}

/** Undefined for what is no expression, names a license that is not on the list, or one that the document would have to bring along (`LicenseRef-`). */
export function knownLicense(text: string | undefined): KnownLicense | undefined {
  if (text === undefined || text === '' || text.length > MOST_CHARACTERS || text.split('(').length > MOST_PARENTHESES || /(?:License|Document)Ref-/i.test(text)) return undefined;
  try {
    const info = parse(text);
    return { expression: text, isIdentifier: 'license' in info && info.license === text };
  } catch {
    return undefined;
  }
}
