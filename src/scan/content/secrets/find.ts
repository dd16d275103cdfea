/** Secrets in bytes: one pass for all words by which they are known, then each is looked at where it stands. The time is that of the bytes times a constant. */
import type { Severity } from '../../../findings/index.ts';
import { latin1 } from '../bytes.ts';
import { MOST_FINDINGS_PER_RULE_AND_FILE, MOST_SECRETS_PER_FILE, MOST_SECRET_STEPS } from '../limits.ts';
import { Automaton } from '../patterns/automaton.ts';
import { keywordsOf } from '../patterns/keywords.ts';
import type { Keywords } from '../patterns/keywords.ts';
import { WORD_BYTES, hasByte, parsePattern } from '../patterns/syntax.ts';
import { NAME_KEYWORDS, assignmentAt, isSecretAssignment } from './assignments.ts';
import { entropyOf, isPlaceholder } from './measures.ts';
import { KEY_KEYWORDS, MOST_KEY_BYTES, privateKeyAt } from './private-keys.ts';
import { TOKEN_RULES } from './token-rules.ts';
import type { TokenRule } from './token-rules.ts';
import { urlPasswordAt } from './urls.ts';

export interface Secret {
  readonly rule: string;
  /** `GitHub token`. */
  readonly title: string;
  readonly severity?: Severity;
  /** In the bytes. */
  readonly start: number;
  readonly end: number;
  /** Higher ones hide lower ones that overlap. */
  readonly rank: number;
}

export interface FindOptions {
  readonly assignments: boolean;
  /** Values without quotes too. */
  readonly unquoted: boolean;
}

interface Token {
  readonly rule: TokenRule;
  readonly automaton: Automaton;
}

type Purpose = Token | 'key' | 'url' | 'name';

interface Search {
  readonly keywords: Keywords;
  /** What each keyword is for. */
  readonly purposes: readonly Purpose[];
}

function makeSearch(): Search {
  const tokens = TOKEN_RULES.map((rule) => ({ rule, automaton: new Automaton(parsePattern(rule.pattern)) }));
  const words: readonly (readonly [string, Purpose])[] = [
    ...tokens.flatMap((token) => token.rule.keywords.map((keyword) => [keyword, token] as const)),
    ...KEY_KEYWORDS.map((keyword) => [keyword, 'key'] as const), ['://', 'url'], ...NAME_KEYWORDS.map((keyword) => [keyword, 'name'] as const),
  ];
  return { keywords: keywordsOf(words.map(([word]) => word)), purposes: words.map(([, purpose]) => purpose) };
}

/** Made when it is first needed. */
let search: Search | undefined;

/** Of a line, so many bytes before and after a keyword are looked at. */
const LINE_BEFORE = 120;
const LINE_AFTER = 700;

function isWordByte(byte: number | undefined): boolean {
  return byte !== undefined && hasByte(WORD_BYTES, byte);
}

function tokenAt(bytes: Uint8Array, { rule, automaton }: Token, keyword: number, steps: { count: number }): Secret | undefined {
  // Where the expression begins with something of several lengths, each is tried.
  for (let start = keyword - (rule.back ?? 0); start <= keyword && start >= keyword - 10 - (rule.back ?? 0); start++) {
    if (start < 0) continue;
    if (rule.back === undefined || !isWordByte(bytes[start - 1])) {
      const end = isWordByte(bytes[start - 1]) && !isEscape(bytes, start) ? -1 : automaton.matchAt(bytes, start, steps);
      if (end !== -1 && !isWordByte(bytes[end])) {
        const text = latin1(bytes, start, end);
        const judged = text.slice(text.search(/[^A-Za-z]/) + 1);
        const isReal = (rule.check === undefined || rule.check(text)) && (rule.entropy === undefined || entropyOf(judged.length < 12 ? text : judged) >= rule.entropy);
        if (isReal && !isPlaceholder(text)) return { rule: rule.id, title: rule.title, severity: rule.severity, start, end, rank: 3 };
      }
    }
    if (rule.id !== 'telegram-token') break;
  }
  return undefined;
}

/** `\n` and `\t` written out, before a token in a string. */
function isEscape(bytes: Uint8Array, at: number): boolean {
  return bytes[at - 2] === 0x5c && (bytes[at - 1] === 0x6e || bytes[at - 1] === 0x74);
}

function lineAround(bytes: Uint8Array, at: number): { readonly text: string; readonly from: number } {
  let from = at;
  while (from > 0 && at - from < LINE_BEFORE && bytes[from - 1] !== 0x0a) from--;
  let to = at;
  while (to < bytes.length && to - at < LINE_AFTER && bytes[to] !== 0x0a) to++;
  return { text: latin1(bytes, from, to), from };
}

function otherAt(bytes: Uint8Array, purpose: 'key' | 'url' | 'name', start: number, end: number, options: FindOptions, steps: { count: number }): Secret | undefined {
  if (purpose === 'key') {
    steps.count += MOST_KEY_BYTES;
    const key = privateKeyAt(bytes, start);
    if (key === undefined) return undefined;
    return { rule: key.isEncrypted ? 'encrypted-private-key' : 'private-key', title: key.isEncrypted ? `${key.title} with a passphrase` : key.title, start: key.start, end: key.start + key.length, rank: 4 };
  }
  const line = lineAround(bytes, start);
  steps.count += line.text.length;
  if (purpose === 'url') {
    const url = urlPasswordAt(line.text, start - line.from);
    return url === undefined ? undefined : { rule: 'url-password', title: `password of ${url.user === '' ? 'an address' : `"${url.user}"`} at ${url.host}`, start: line.from + url.end - url.password.length, end: line.from + url.end, rank: 2 };
  }
  const assignment = assignmentAt(line.text, end - line.from);
  if (assignment === undefined || (!assignment.isQuoted && !options.unquoted) || !isSecretAssignment(assignment)) return undefined;
  const from = line.from + assignment.valueStart;
  return { rule: 'secret-assignment', title: `value of "${assignment.name}"`, start: from, end: from + assignment.value.length, rank: 1 };
}

/** Without those that overlap one of a higher rank, in their order. */
export function withoutOverlaps(secrets: readonly Secret[]): readonly Secret[] {
  const kept: Secret[] = [];
  const perRule = new Map<string, number>();
  for (const secret of [...secrets].sort((left, right) => left.start - right.start || right.rank - left.rank)) {
    const previous = kept.at(-1);
    if (previous !== undefined && secret.start < previous.end) {
      if (secret.rank > previous.rank) kept[kept.length - 1] = secret;
      continue;
    }
    const count = (perRule.get(secret.rule) ?? 0) + 1;
    perRule.set(secret.rule, count);
    if (count <= MOST_FINDINGS_PER_RULE_AND_FILE) kept.push(secret);
  }
  return kept;
}

export interface FoundSecrets {
  readonly secrets: readonly Secret[];
  /** Also those that are not told: one beside what is told is no more shown than the others. */
  readonly all: readonly Secret[];
  /** False: the rest was left out. */
  readonly isComplete: boolean;
}

/** All secrets in the bytes of a file or a text. */
export function findSecrets(bytes: Uint8Array, options: FindOptions): FoundSecrets {
  const found: Secret[] = [];
  let isComplete = true;
  const seen = new Set<string>();
  const steps = { count: 0 };
  const { keywords, purposes } = (search ??= makeSearch());
  keywords.scan(bytes, (word, end) => {
    const start = end - keywords.lengthOf(word);
    const purpose = purposes[word]!;
    if (purpose === 'name' && !options.assignments) return true;
    const secret = typeof purpose === 'string' ? otherAt(bytes, purpose, start, end, options, steps) : tokenAt(bytes, purpose, start, steps);
    isComplete = steps.count < MOST_SECRET_STEPS;
    if (secret === undefined) return isComplete;
    const key = `${secret.rule}:${secret.start}`;
    if (!seen.has(key)) found.push(secret);
    seen.add(key);
    isComplete &&= found.length < MOST_SECRETS_PER_FILE;
    return isComplete;
  });
  return { secrets: withoutOverlaps(found), all: found, isComplete };
}
