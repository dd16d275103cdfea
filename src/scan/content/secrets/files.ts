/** Files that exist to hold a secret: known by their names, read as the programs that use them do. */
import { baseName, latin1 } from '../bytes.ts';
import { MOST_CONFIGURATION_LINES, MOST_LINE_LENGTH, MOST_SECRETS_PER_FILE } from '../limits.ts';
import { parseObject, textFromBase64 } from './checks.ts';
import type { Secret } from './find.ts';
import { isPlaceholder } from './measures.ts';

type Reader = (text: string) => readonly Secret[];

interface Line {
  readonly text: string;
  readonly start: number;
}

function linesOf(text: string): readonly Line[] {
  let start = 0;
  return text.split('\n', MOST_CONFIGURATION_LINES).map((line) => {
    const each = { text: line.slice(0, MOST_LINE_LENGTH).replace(/\r$/, ''), start };
    start += line.length + 1;
    return each;
  });
}

const found = (rule: string, title: string, start: number, value: string): readonly Secret[] => (value.length < 3 || isPlaceholder(value) ? [] : [{ rule, title, start, end: start + value.length, rank: 5 }]);

/** Characters of a netrc. */
const MOST_NETRC = 65_536;

/** `machine HOST login USER password WORD`, in any number of lines. netrc(5). */
function readNetrc(text: string): readonly Secret[] {
  const words = [...text.slice(0, MOST_NETRC).matchAll(/\S+/g)];
  let host = 'default';
  return words.flatMap((word, index) => {
    const next = words[index + 1];
    if (next === undefined) return [];
    if (word[0] === 'machine') host = next[0];
    return word[0] === 'password' ? found('netrc-password', `password for ${host}`, next.index, next[0]) : [];
  });
}

/** `host:port:database:user:password`, with `\:` for a colon. PostgreSQL, "The Password File". */
function readPgpass(text: string): readonly Secret[] {
  return linesOf(text).flatMap((line) => {
    if (line.text.startsWith('#')) return [];
    const fields = line.text.match(/^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):(.+)$/);
    return fields === null ? [] : found('pgpass-password', `PostgreSQL password of "${fields[4]}" at ${fields[1]}`, line.start + line.text.length - fields[5]!.length, fields[5]!);
  });
}

/** `name = value` lines, for names that a pattern takes. */
const settings = (rule: string, title: string, names: RegExp): Reader => (text) => linesOf(text).flatMap((line) => {
  const equals = line.text.search(/[=:]/);
  if (equals === -1 || /^\s*[#;]/.test(line.text) || !names.test(line.text.slice(0, equals).trim())) return [];
  const rest = line.text.slice(equals + 1);
  const value = rest.trim().replace(/^(["'])(.*)\1$/, '$2');
  return value === '' ? [] : found(rule, title, line.start + line.text.lastIndexOf(value), value);
});

/** Like `settings`, but the name may have an address before it: `//registry/:_authToken=...`. npm, "npmrc". */
function readNpmrc(text: string): readonly Secret[] {
  return linesOf(text).flatMap((line) => {
    const name = /(?:^|:)(_authToken|_auth|_password)\s*=\s*/.exec(line.text);
    if (name === null || /^\s*[#;]/.test(line.text)) return [];
    const value = line.text.slice(name.index + name[0].length).trim().replace(/^"(.*)"$/, '$1');
    return found('npmrc-credentials', 'npm registry credentials', line.start + line.text.lastIndexOf(value), value);
  });
}

function at(text: string, value: string): number {
  return Math.max(0, text.indexOf(value));
}

/** `auths.HOST.auth` is `user:password` in base64. */
function readDockerConfig(text: string): readonly Secret[] {
  const auths = parseObject(text)?.['auths'];
  if (typeof auths !== 'object' || auths === null) return [];
  return Object.entries(auths as Readonly<Record<string, unknown>>).slice(0, 100).flatMap(([host, entry]) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { auth, identitytoken, registrytoken } = entry as Readonly<Record<string, unknown>>;
    const token = identitytoken ?? registrytoken;
    if (typeof token === 'string') return found('docker-auth', `registry token for ${host}`, at(text, token), token);
    if (typeof auth !== 'string' || auth === '') return [];
    const pair = textFromBase64(auth);
    const password = pair?.slice(pair.indexOf(':') + 1) ?? '';
    return pair === undefined || !pair.includes(':') || password === '' || isPlaceholder(password) ? [] : [{ rule: 'docker-auth', title: `registry password of "${pair.slice(0, pair.indexOf(':'))}" at ${host}`, start: at(text, auth), end: at(text, auth) + auth.length, rank: 5 }];
  });
}

function readGcpAccount(text: string): readonly Secret[] {
  const account = parseObject(text);
  const key = account?.['private_key'];
  if (account?.['type'] !== 'service_account' || typeof key !== 'string' || !key.includes('PRIVATE KEY') || key.length < 300) return [];
  const start = text.indexOf('-----BEGIN');
  return start === -1 ? [] : [{ rule: 'gcp-service-account', title: `key of the Google service account ${String(account['client_email'] ?? '')}`.trim(), start, end: start + key.length, rank: 6 }];
}

const STATE_NAMES = /(?:^|_)(?:password|secret|token|private_key(?:_pem)?|secret_key|access_key|connection_string|client_secret|master_password)$/;
const MOST_STATE_NODES = 200_000;

/** Attributes of resources whose names say that they are secret. */
function readTerraformState(text: string): readonly Secret[] {
  const state = parseObject(text);
  if (state === undefined || (state['terraform_version'] === undefined && state['resources'] === undefined)) return [];
  const secrets: Secret[] = [];
  const waiting: unknown[] = [state];
  for (let count = 0; waiting.length > 0 && count < MOST_STATE_NODES && secrets.length < MOST_SECRETS_PER_FILE; count++) {
    const node = waiting.pop();
    if (typeof node !== 'object' || node === null) continue;
    for (const [name, value] of Object.entries(node).slice(0, MOST_STATE_NODES)) {
      if (typeof value === 'object') waiting.push(value);
      // Where it stands is looked for in the whole text: only for what is told.
      else if (secrets.length < MOST_SECRETS_PER_FILE && typeof value === 'string' && value.length >= 6 && STATE_NAMES.test(name) && !isPlaceholder(value)) secrets.push(...found('terraform-state', `"${name}" of a resource`, at(text, JSON.stringify(value)) + 1, value));
    }
  }
  return secrets;
}

/** Of a cluster's user: a key, a token or a password. */
const readKubeconfig = (text: string): readonly Secret[] => (/^[ \t]*(?:apiVersion|clusters|users):/m.test(text) ? settings('kubeconfig-credentials', 'Kubernetes credentials', /^(?:- )?(?:client-key-data|token|password|id-token|refresh-token)$/)(text) : []);

/** `<?php define('DB_PASSWORD', '...');` */
function readWordpress(text: string): readonly Secret[] {
  return linesOf(text).flatMap((line) => {
    const define = /^\s*define\(\s*['"](DB_PASSWORD|[A-Z_]+_(?:KEY|SALT))['"]\s*,\s*(['"])(.+)\2\s*\)/.exec(line.text);
    return define === null ? [] : found('wordpress-secret', `WordPress "${define[1]}"`, line.start + line.text.lastIndexOf(define[3]!), define[3]!);
  });
}

/** Files by their names, or by their paths' ends. */
const READERS: readonly (readonly [RegExp, Reader])[] = [
  [/(?:^|\/)[._]netrc$|^etc\/netrc$/, readNetrc],
  [/(?:^|\/)\.?pgpass(?:\.conf)?$/, readPgpass],
  [/(?:^|\/)\.aws\/(?:credentials|config)$|(?:^|\/)aws-credentials$/, settings('aws-credentials', 'AWS secret key', /^(?:aws_secret_access_key|aws_session_token)$/)],
  [/(?:^|\/)\.?npmrc$/, readNpmrc],
  [/(?:^|\/)\.pypirc$/, settings('pip-credentials', 'password of a package index', /^password$/)],
  [/(?:^|\/)\.docker\/config\.json$|(?:^|\/)\.dockercfg$|(?:^|\/)containers\/auth\.json$|(?:^|\/)\.dockerconfigjson$/, readDockerConfig],
  [/\.json$/, readGcpAccount],
  [/\.tfstate(?:\.backup)?$/, readTerraformState],
  [/(?:^|\/)\.kube\/config$|(?:^|\/)kubeconfig(?:\.ya?ml)?$|^etc\/kubernetes\/[^/]*\.conf$|^etc\/rancher\/k3s\/k3s\.yaml$/, readKubeconfig],
  [/(?:^|\/)\.?my\.cnf$|(?:^|\/)\.mylogin\.cnf$|^etc\/mysql\/debian\.cnf$/, settings('mysql-password', 'MySQL password', /^password$/)],
  [/(?:^|\/)\.s3cfg$/, settings('s3-credentials', 'S3 secret key', /^secret_key$/)],
  [/(?:^|\/)\.boto$/, settings('s3-credentials', 'S3 secret key', /^(?:aws_secret_access_key|gs_secret_access_key|gs_oauth2_refresh_token)$/)],
  [/(?:^|\/)(?:auth|credentials)\.toml$|(?:^|\/)\.cargo\/credentials$/, settings('cargo-credentials', 'registry token', /^token$/)],
  [/(?:^|\/)\.gem\/credentials$/, settings('gem-credentials', 'RubyGems key', /api_key$/)],
  [/(?:^|\/)wp-config\.php$/, readWordpress],
];

/** Whether a file of this name is read for what only it has. */
export function isSecretFile(path: string): boolean {
  return READERS.some(([pattern]) => pattern.test(path)) || /^(?:\.git-credentials|id_(?:rsa|dsa|ecdsa|ed25519)|\.env.*)$/.test(baseName(path));
}

export function secretsOfFile(path: string, bytes: Uint8Array): readonly Secret[] {
  const readers = READERS.filter(([pattern]) => pattern.test(path));
  if (readers.length === 0) return [];
  const text = latin1(bytes);
  return readers.flatMap(([, read]) => read(text));
}
