/** Docker's `config.json`: who logs in where. Credential helpers are asked where it names them (docker/cli `configfile`). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { env, pid } from 'node:process';

export interface Credentials {
  readonly username: string;
  readonly password: string;
  /** A refresh token, instead of a password. */
  readonly identityToken?: string | undefined;
}

interface Auth {
  readonly auth?: string;
  readonly identitytoken?: string;
}

interface DockerConfig {
  auths?: Record<string, Auth>;
  credHelpers?: Record<string, string>;
  credsStore?: string;
}

/** Docker's key for its own registry. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';
const HELPER_TIMEOUT_MS = 30_000;

export function dockerConfigPath(): string {
  return join(env['DOCKER_CONFIG'] ?? join(homedir(), '.docker'), 'config.json');
}

function readConfig(): DockerConfig {
  let text: string;
  try {
    text = readFileSync(dockerConfigPath(), 'utf8');
  } catch {
    return {};
  }
  try {
    return JSON.parse(text) as DockerConfig;
  } catch (error) {
    throw new Error(`${dockerConfigPath()} is not JSON`, { cause: error });
  }
}

function writeConfig(config: DockerConfig): void {
  const path = dockerConfigPath();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${pid}`;
  writeFileSync(temporary, `${JSON.stringify(config, undefined, '\t')}\n`, { mode: 0o600 });
  renameSync(temporary, path);
}

function keyOf(registry: string): string {
  return registry === 'docker.io' ? DOCKER_HUB_KEY : registry;
}

function helperOf(config: DockerConfig, key: string): string | undefined {
  const name = config.credHelpers !== undefined && Object.hasOwn(config.credHelpers, key) ? config.credHelpers[key] : config.credsStore;
  return name !== undefined && /^[a-zA-Z0-9_.-]+$/.test(name) ? `docker-credential-${name}` : undefined;
}

function askHelper(helper: string, action: 'get' | 'store' | 'erase', input: string): string | undefined {
  const { status, stdout, error } = spawnSync(helper, [action], { input, encoding: 'utf8', timeout: HELPER_TIMEOUT_MS });
  // One that answers without reading what it was told breaks the pipe, and has answered all the same.
  if (error !== undefined && status === null) throw new Error(`the credential helper ${helper} cannot be run: ${error.message}`, { cause: error });
  return status === 0 ? stdout : undefined;
}

export function readCredentials(registry: string): Credentials | undefined {
  const config = readConfig();
  const key = keyOf(registry);
  const helper = helperOf(config, key);
  if (helper !== undefined) {
    const answer = askHelper(helper, 'get', key);
    const found = answer === undefined ? undefined : (JSON.parse(answer) as { Username?: string; Secret?: string });
    if (found?.Secret === undefined) return undefined;
    return found.Username === '<token>' ? { username: '', password: '', identityToken: found.Secret } : { username: found.Username ?? '', password: found.Secret };
  }
  const entry = config.auths !== undefined && Object.hasOwn(config.auths, key) ? config.auths[key] : undefined;
  if (entry?.auth === undefined) return undefined;
  const decoded = Buffer.from(entry.auth, 'base64').toString('utf8').replace(/\0+$/, '');
  const colon = decoded.indexOf(':');
  if (colon < 0) return undefined;
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), ...(entry.identitytoken === undefined ? {} : { identityToken: entry.identitytoken }) };
}

export function storeCredentials(registry: string, { username, password }: Credentials): void {
  const config = readConfig();
  const key = keyOf(registry);
  const helper = helperOf(config, key);
  if (helper !== undefined) {
    if (askHelper(helper, 'store', JSON.stringify({ ServerURL: key, Username: username, Secret: password })) === undefined) throw new Error(`the credential helper ${helper} refused`);
    writeConfig({ ...config, auths: { ...config.auths, [key]: {} } });
    return;
  }
  writeConfig({ ...config, auths: { ...config.auths, [key]: { auth: Buffer.from(`${username}:${password}`).toString('base64') } } });
}

/** False: there was nothing to forget. */
export function removeCredentials(registry: string): boolean {
  const config = readConfig();
  const key = keyOf(registry);
  const helper = helperOf(config, key);
  if (helper !== undefined) askHelper(helper, 'erase', key);
  if (config.auths === undefined || !Object.hasOwn(config.auths, key)) return false;
  const { [key]: _, ...auths } = config.auths;
  writeConfig({ ...config, auths });
  return true;
}
