/**
 * `--inject-header 'HOST NAME: VALUE'`: headers that requests of a container to a host get on their way out. In VALUE `{env:VARIABLE}` and `{file:PATH}` stand for what this
 * process has there when the container starts; only what was written is kept.
 */
import { readFileSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { toByteString } from '../bytes.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';

/** As written, without what its values are. */
export interface HeaderRule {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  readonly name: string;
  readonly template: string;
}

const EXAMPLE = "such as 'api.example.com Authorization: Bearer {env:TOKEN}'";
const MOST_RULES = 64;
/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Of the connection, or what says how long a request is and whom it is for. */
const NOT_OURS = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'upgrade', 'te', 'trailer', 'expect', 'keep-alive', 'proxy-connection']);
const NAME = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;
const PLACE = /\{(env|file):([^{}]+)\}/g;
const MOST_VALUE_LENGTH = 16_384;

export function parseHeaderRule(text: string): HeaderRule {
  const wrong = (why: string): UserError => new UserError(`cannot use --inject-header ${text}: ${why}`, EXAMPLE);
  const [, scheme = 'https', host = '', portText, name = '', template = ''] = /^(?:(https?):\/\/)?([^\s:/]+)(?::(\d{1,5}))?\/?\s+([^\s:]+):\s*(.*)$/s.exec(text.trim()) ?? [];
  if (name === '') throw wrong('it is not HOST NAME: VALUE');
  const lower = host.toLowerCase();
  if (!NAME.test(lower)) throw wrong(host.includes('*') ? 'a host is one host: each has a certificate of its own' : `"${host}" is neither a name nor an IPv4 address`);
  const port = portText === undefined ? (scheme === 'http' ? 80 : 443) : Number(portText);
  if (port < 1 || port > 65_535) throw wrong('the port is not a number from 1 to 65535');
  if (!TOKEN.test(name)) throw wrong(`"${name}" is no name of a header`);
  if (NOT_OURS.has(name.toLowerCase())) throw wrong(`${name} is not a header that can be given`);
  if (!new RegExp(PLACE).test(template)) throw wrong('the value says nothing of {env:VARIABLE} or {file:PATH}, and what stands in a command line is seen by others');
  return { scheme: scheme as HeaderRule['scheme'], host: lower, port, name, template };
}

/** Files by their whole path, since a container is started elsewhere, too. @throws UserError */
export function headerRulesIn(values: FlagValues): readonly string[] {
  const rules = values.all('inject-header').map((text) => text.replace(PLACE, (place, kind: string, of: string) => (kind === 'file' ? `{file:${resolve(of)}}` : place)));
  if (rules.length > MOST_RULES) throw new UserError(`cannot use --inject-header more than ${MOST_RULES} times`, 'leave some out');
  const parsed = rules.map(parseHeaderRule);
  const mixed = parsed.find((one) => parsed.some((other) => other.host === one.host && other.port === one.port && other.scheme !== one.scheme));
  if (mixed !== undefined) throw new UserError(`cannot use --inject-header for http and https at one port of ${mixed.host}`, 'a port speaks one of them');
  return rules;
}

/** What the values come from: neither is to be seen in a container. */
export interface SecretPlaces {
  readonly variables: ReadonlySet<string>;
  /** Byte strings. */
  readonly files: readonly string[];
}

export function secretPlaces(rules: readonly string[]): SecretPlaces {
  const places = rules.flatMap((text) => [...parseHeaderRule(text).template.matchAll(PLACE)]);
  return {
    variables: new Set(places.flatMap(([, kind, of = '']) => (kind === 'env' ? [of] : []))),
    files: places.flatMap(([, kind, of = '']) => (kind === 'file' ? namesOfFile(of).map(toByteString) : [])),
  };
}

/** What it is called, and where links lead; that it is not there is said when it is read. */
function namesOfFile(path: string): readonly string[] {
  try {
    return [...new Set([path, realpathSync(path)])];
  } catch {
    return [path];
  }
}

function valueAt(kind: string, of: string): string {
  if (kind === 'env') {
    const value = process.env[of];
    if (value === undefined) throw new UserError(`cannot use --inject-header: the variable ${of} is not set`, `set it where the container is started: ${of}=... caisson ...`);
    return value;
  }
  try {
    return readFileSync(of, 'utf8').trimEnd();
  } catch (error) {
    throw new UserError(`cannot read "${of}": ${(error as Error).message}`, 'check --inject-header', undefined, { cause: error });
  }
}

/** With its value as it is now. @throws UserError */
export function valueOf({ name, host, template }: HeaderRule): string {
  const value = template.replace(PLACE, (_, kind: string, of: string) => valueAt(kind, of));
  // What a header may hold (RFC 9110 5.5). The value itself is not for messages.
  if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value) || value.length > MOST_VALUE_LENGTH) throw new UserError(`cannot use the value of --inject-header ${host} ${name}: no header may hold it`, `one line of ${MOST_VALUE_LENGTH} characters at most`);
  return value;
}
