/**
 * Variables of a command. Of the host's, `do` shows all except those that look like credentials or that point at the
 * host's agents; `-e NAME` gives one back.
 */
import { readFileSync } from 'node:fs';
import { toByteString } from './bytes.ts';
import { UserError } from './errors.ts';

/** A name that says so itself: one of its words does. */
const CREDENTIAL_WORDS = new Set([
  'TOKEN', 'TOKENS', 'SECRET', 'SECRETS', 'PASSWORD', 'PASSWORDS', 'PASSWD', 'PASS', 'PASSPHRASE', 'CREDENTIAL', 'CREDENTIALS', 'APIKEY', 'AUTH', 'COOKIE', 'PAT', 'KEY',
]);
const CREDENTIAL_NAMES = new Set(['PGPASSWORD', 'MYSQL_PWD', 'NETRC', 'KUBECONFIG']);
/** Cloud accounts, agents of the host (their sockets are not inside) and what would change how programs load. */
const HOST_ONLY = /^(?:AWS|AZURE|ARM|GOOGLE|GCLOUD|GCP|CLOUDSDK|DIGITALOCEAN|VAULT|DOCKER|CONTAINER_HOST|BUILDKIT|SSH|GPG|DBUS|XDG_RUNTIME_DIR|WAYLAND|LD_PRELOAD|LD_AUDIT)(?:_|$)|^CAISSON_/;
/** `scheme://user:password@host`, as in a proxy's or database's address. */
const CREDENTIAL_VALUE = /[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i;

/** The expression for values is slow on long ones before it is compiled, so it sees only what has an @. */
function isHidden(name: string, value: string): boolean {
  const upper = name.toUpperCase();
  if (CREDENTIAL_NAMES.has(upper) || upper.split('_').some((word) => CREDENTIAL_WORDS.has(word))) return true;
  return HOST_ONLY.test(name) || (value.includes('@') && CREDENTIAL_VALUE.test(value));
}

function splitVariable(entry: string): [name: string, value: string] {
  const equals = entry.indexOf('=');
  return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)];
}

function readEnvFile(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new UserError(`cannot read the variables in "${file}": ${(error as Error).message}`, 'check --env-file', undefined, { cause: error });
  }
  return text
    .split('\n')
    .map((line) => line.replace(/\r$/, '').trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

export interface EnvironmentFlags {
  readonly env: readonly string[];
  readonly envFiles: readonly string[];
}

/** The host's variables that a command of `do` sees. */
export function visibleEnvironment(hostEnvironment: readonly string[]): readonly string[] {
  return hostEnvironment.filter((entry) => !isHidden(...splitVariable(entry)));
}

/** `NAME=VALUE` byte strings: those of `base` with what the flags say over them; a name without a value is the host's. */
export function mergeEnvironment(base: readonly string[], hostEnvironment: readonly string[], flags: EnvironmentFlags): readonly string[] {
  const host = new Map(hostEnvironment.map(splitVariable));
  const result = new Map(base.map(splitVariable));
  for (const entry of [...flags.envFiles.flatMap(readEnvFile), ...flags.env.map(toByteString)]) {
    const [name, value] = splitVariable(entry);
    if (name === '') throw new UserError(`cannot set the variable "${entry}": it has no name`, 'write NAME=VALUE');
    if (entry.includes('=')) result.set(name, value);
    else if (host.has(name)) result.set(name, host.get(name) ?? '');
  }
  return [...result].map(([name, value]) => `${name}=${value}`);
}
