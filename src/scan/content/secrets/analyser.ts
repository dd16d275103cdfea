/** Secrets in the files of layers, and in an image's environment, labels and history. A secret that a later layer deletes is still in the image. */
import type { Analyser, ContentFinding, ImageContext, ScanFile, Sink } from '../../types.ts';
import { contentOf, isBinary, isCut, isRegular, latin1, lineCounter } from '../bytes.ts';
import { MOST_TEXT_BYTES } from '../limits.ts';
import { isSecretFile, secretsOfFile } from './files.ts';
import { findSecrets, withoutOverlaps } from './find.ts';
import type { FindOptions, FoundSecrets, Secret } from './find.ts';
import { redacted } from './measures.ts';
import { SECRET_RULES } from './rules.ts';
import { placeOf } from './where.ts';

const encoder = new TextEncoder();
/** Keys that are found by one rule in other people's tests. */
const KEY_RULES = new Set(['private-key', 'gcp-service-account', 'encrypted-private-key', 'jwt', 'url-password']);

/** The line of a secret with the secret taken out, and no other secret in it: of what is before it, what is behind `after`, where the last other one ends. */
function shownLine(bytes: Uint8Array, { start, end }: Secret, after: number): string {
  const from = Math.max(bytes.lastIndexOf(0x0a, Math.max(0, start - 1)) + 1, start - 60, after);
  const before = start === 0 || bytes[start - 1] === 0x0a ? '' : latin1(bytes, from, start);
  const secret = latin1(bytes, start, Math.min(end, start + 100));
  return `${before}${secret.startsWith('-----') ? secret.slice(0, secret.indexOf('-----', 5) + 5) : redacted(secret)}`;
}

function findingOf(bytes: Uint8Array, secret: Secret, lineOf: (offset: number) => number, after: number): ContentFinding {
  const title = `${secret.title.charAt(0).toUpperCase()}${secret.title.slice(1)}`;
  const text = latin1(bytes, secret.start, Math.min(secret.end, secret.start + 100));
  return {
    rule: secret.rule, ...(secret.severity !== undefined && { severity: secret.severity }),
    message: text.startsWith('-----') || text.startsWith('PuTTY') ? title : `${title}: ${redacted(text)}`,
    line: lineOf(secret.start), source: shownLine(bytes, secret, after), staysWhenDeleted: true,
  };
}

export function secretsIn(path: string, bytes: Uint8Array): FoundSecrets {
  const place = placeOf(path);
  const options: FindOptions = { assignments: place.hasAssignments, unquoted: place.isUnquoted };
  const { secrets, all, isComplete } = findSecrets(bytes, options);
  const ofFile = secretsOfFile(path, bytes);
  const found = secrets.filter(({ rule }) => !place.isOthersTest || !KEY_RULES.has(rule));
  return { secrets: withoutOverlaps([...ofFile, ...found]), all: [...ofFile, ...all], isComplete };
}

function analyse(file: ScanFile, sink: Sink): void {
  const bytes = contentOf(file, MOST_TEXT_BYTES);
  if (isBinary(bytes)) return;
  const { secrets, all, isComplete } = secretsIn(file.path, bytes);
  const lineOf = lineCounter(bytes);
  const others = [...all].sort((left, right) => left.start - right.start);
  let [next, after] = [0, 0];
  for (const secret of secrets) {
    for (; next < others.length && others[next]!.start < secret.start; next++) after = Math.max(after, others[next]!.end);
    sink.finding(findingOf(bytes, secret, lineOf, Math.min(after, secret.start)));
  }
  if (!isComplete) sink.finding({ rule: 'secrets-left-out', message: 'The rest of the file was left out, because there is too much in it that looks like a secret' });
  else if (isCut(file, bytes)) sink.finding({ rule: 'secrets-left-out', message: `The rest of the file was left out: its first ${MOST_TEXT_BYTES >> 20} MiB were looked at` });
}

/** Secrets of a text of the configuration. */
function tell(context: ImageContext, text: string, where: string, more: { readonly layer?: number } = {}): void {
  const bytes = encoder.encode(text);
  for (const secret of findSecrets(bytes, { assignments: true, unquoted: true }).secrets) {
    const { source: _source, line: _line, ...finding } = findingOf(bytes, secret, () => 1, 0);
    context.finding({ ...finding, message: `${finding.message}, in ${where}`, ...more });
  }
}

function end(context: ImageContext): void {
  const { config } = context;
  if (config === undefined) return;
  for (const entry of config.env) tell(context, entry, `the environment variable ${entry.slice(0, entry.indexOf('=')).slice(0, 100)}`);
  for (const [name, value] of Object.entries(config.labels)) tell(context, `${name}=${value}`, `the label ${name.slice(0, 100)}`);
  for (const [kind, words] of [['entry point', config.entrypoint], ['command', config.cmd]] as const) tell(context, words.join(' '), `the ${kind}`);
  for (const { createdBy, comment, layer } of config.history) {
    for (const text of [createdBy, comment]) if (text !== undefined) tell(context, text, 'the history', layer === undefined ? {} : { layer });
  }
}

export const secretsAnalyser: Analyser = {
  name: 'secrets',
  scanner: 'secret',
  version: 2,
  rules: SECRET_RULES,
  wants: (file) => file.size > 0 && isRegular(file) && (!placeOf(file.path).isLeftOut || isSecretFile(file.path)),
  analyse,
  end,
};
