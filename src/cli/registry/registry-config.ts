/** The configuration of a registry: a file of JSON, with every mistake that can be made in it found and named. */
import { readFileSync } from 'node:fs';
import { isLoopback } from '../../image/index.ts';
import { ACTIONS, EVENT_ACTIONS, isRepositoryName } from '../../registry/index.ts';
import type { AccessConfig, AccessRule, Action, NewNameRule, QuotaRule, RetentionRule, UpstreamRule, WebhookRule } from '../../registry/index.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { parseDuration, parseSize } from '../quantities.ts';

export interface RegistryConfig {
  /** Undefined: no rules were given. */
  readonly access: AccessConfig | undefined;
  readonly retention: readonly RetentionRule[];
  readonly quotas: readonly QuotaRule[];
  readonly upstreams: readonly UpstreamRule[];
  readonly webhooks: readonly WebhookRule[];
  /** Undefined: new repositories may have any name. */
  readonly newNames: NewNameRule | undefined;
  /** Where everything is kept, if not in a directory. */
  readonly bucket: BucketConfig | undefined;
}

/** The parameters of docker-registry's driver `s3`, by its names; what is absent is said by flags or the environment. */
export interface BucketConfig {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string | undefined;
  readonly endpoint: string | undefined;
  readonly accessKey: string | undefined;
  readonly secretKey: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  /** False: the endpoint may be one of plain HTTP. */
  readonly secure: boolean | undefined;
  readonly authorityFile: string | undefined;
  readonly chunkBytes: number | undefined;
  readonly encrypt: boolean;
  readonly storageClass: string | undefined;
}

export const NO_CONFIG: RegistryConfig = { access: undefined, retention: [], quotas: [], upstreams: [], webhooks: [], newNames: undefined, bucket: undefined };

class ConfigError extends Error {}

/** A value with the place where it stands: `access[2].actions`. */
class Item {
  readonly #value: unknown;
  readonly #where: string;

  constructor(value: unknown, where: string) {
    this.#value = value;
    this.#where = where;
  }

  fail(expected: string): never {
    throw new ConfigError(`${this.#where} ${expected}`);
  }

  /** An object with no other fields than these. */
  fields<Name extends string>(names: readonly Name[]): Readonly<Record<Name, Item | undefined>> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail('must be an object');
    for (const name of Object.keys(value)) {
      if ((names as readonly string[]).includes(name)) continue;
      const guess = nearest(name, names);
      this.fail(`has a field "${name}", which means nothing${guess === undefined ? '' : ` (did you mean "${guess}"?)`}`);
    }
    return Object.fromEntries(names.map((name) => [name, Object.hasOwn(value, name) ? new Item((value as Record<string, unknown>)[name], this.#where === '' ? name : `${this.#where}.${name}`) : undefined])) as Readonly<Record<Name, Item | undefined>>;
  }

  list(): readonly Item[] {
    if (!Array.isArray(this.#value)) this.fail('must be a list');
    return (this.#value as readonly unknown[]).map((item, index) => new Item(item, `${this.#where}[${index}]`));
  }

  /** A size as flags have it, or a number of bytes. */
  bytes(): number {
    return typeof this.#value === 'number' ? this.count() : this.measured(parseSize, '16m');
  }

  text(): string {
    if (typeof this.#value !== 'string' || this.#value === '') this.fail('must be a text');
    return this.#value as string;
  }

  texts(): readonly string[] {
    return this.list().map((item) => item.text());
  }

  oneOf<Word extends string>(words: readonly Word[]): Word {
    const text = this.text();
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const guess = nearest(text, words);
    return this.fail(`is "${text}"${guess === undefined ? `, and must be one of ${words.join(', ')}` : ` (did you mean "${guess}"?)`}`);
  }

  count(): number {
    if (!Number.isSafeInteger(this.#value) || (this.#value as number) < 0) this.fail('must be a number, 0 or more');
    return this.#value as number;
  }

  flag(): boolean {
    if (typeof this.#value !== 'boolean') this.fail('must be true or false');
    return this.#value as boolean;
  }

  measured(parse: (text: string) => number | undefined, example: string): number {
    return parse(this.text()) ?? this.fail(`is "${this.text()}", and must be such as ${example}`);
  }

  names(): ReadonlyMap<string, readonly string[]> {
    const value = this.#value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.fail('must be an object of lists of users');
    return new Map(Object.entries(value).map(([name, users]) => [name, new Item(users, `${this.#where}.${name}`).texts()]));
  }
}

function repositoriesOf(item: Item | undefined, rule: Item): readonly string[] {
  return item?.texts() ?? rule.fail('says no "repositories"');
}

function accessRule(item: Item, groups: ReadonlyMap<string, readonly string[]>): AccessRule {
  const { repositories, users, anonymous, actions } = item.fields(['repositories', 'users', 'anonymous', 'actions']);
  const unknown = users?.list().find((user) => user.text().startsWith('@') && !groups.has(user.text().slice(1)));
  if (unknown !== undefined) unknown.fail(`is "${unknown.text()}", and there is no such group`);
  if (users === undefined && anonymous === undefined) item.fail('is for nobody: give "users" or "anonymous"');
  return { repositories: repositoriesOf(repositories, item), users: users?.texts() ?? [], anonymous: anonymous?.flag() ?? false, actions: actions?.list().map((action) => action.oneOf<Action>(ACTIONS)) ?? item.fail('says no "actions"') };
}

function retentionRule(item: Item): RetentionRule {
  const { repositories, tags, keep, olderThan, untagged } = item.fields(['repositories', 'tags', 'keep', 'olderThan', 'untagged']);
  if (keep === undefined && olderThan === undefined && untagged === undefined) item.fail('takes nothing away: give "keep", "olderThan" or "untagged"');
  const duration = (value: Item | undefined): number | undefined => value?.measured(parseDuration, '30d');
  return { repositories: repositoriesOf(repositories, item), tags: tags?.texts() ?? ['**'], keep: keep?.count(), olderThanMs: duration(olderThan), untaggedMs: duration(untagged) };
}

function quotaRule(item: Item): QuotaRule {
  const { repositories, size } = item.fields(['repositories', 'size']);
  return { repositories: repositoriesOf(repositories, item), bytes: size?.measured(parseSize, '10g') ?? item.fail('says no "size"') };
}

/** What a tag of another registry leads to is believed for ten minutes. */
const DEFAULT_FRESH_MS = 600_000;

function credentialsOf(user: Item | undefined, passwordFile: Item | undefined, rule: Item): UpstreamRule['credentials'] {
  if (user === undefined && passwordFile === undefined) return undefined;
  if (user === undefined || passwordFile === undefined) return rule.fail('must have both "user" and "passwordFile", or neither');
  return { username: user.text(), password: secretIn(passwordFile.text()) };
}

function upstreamRule(item: Item): UpstreamRule {
  const { prefix, registry, user, passwordFile, plainHttp, fresh } = item.fields(['prefix', 'registry', 'user', 'passwordFile', 'plainHttp', 'fresh']);
  const name = prefix?.text() ?? item.fail('says no "prefix"');
  if (!isRepositoryName(name)) prefix?.fail(`is "${name}", and must be the beginning of names of repositories, such as "hub"`);
  return {
    prefix: name, registry: registry?.text() ?? item.fail('says no "registry"'), credentials: credentialsOf(user, passwordFile, item),
    plainHttp: plainHttp?.flag() ?? false, freshMs: fresh?.measured(parseDuration, '10m') ?? DEFAULT_FRESH_MS,
  };
}

/** A file's text without the end of its line. */
function secretIn(file: string): string {
  return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
}

/** What happens here is told unencrypted to this machine only, unless asked. */
function webhookUrl(item: Item, plainHttp: boolean): string {
  const text = item.text();
  if (!URL.canParse(text)) item.fail(`is "${text}", which is no address`);
  const { protocol, host, username } = new URL(text);
  if (username !== '') item.fail('must not have a user in it: sign with "secretFile"');
  if (protocol !== 'https:' && !(protocol === 'http:' && (plainHttp || isLoopback(host)))) item.fail(`is "${text}", which is not encrypted: use https, or "plainHttp": true`);
  return text;
}

function webhookRule(item: Item): WebhookRule {
  const { name, url, repositories, actions, secretFile, plainHttp } = item.fields(['name', 'url', 'repositories', 'actions', 'secretFile', 'plainHttp']);
  const own = name?.text() ?? item.fail('says no "name"');
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(own)) name?.fail(`is "${own}", and must be of a-z, 0-9 and -`);
  return {
    name: own, url: webhookUrl(url ?? item.fail('says no "url"'), plainHttp?.flag() ?? false), repositories: repositories?.texts() ?? ['**'],
    actions: actions?.list().map((action) => action.oneOf(EVENT_ACTIONS)) ?? EVENT_ACTIONS, secret: secretFile === undefined ? undefined : secretIn(secretFile.text()),
  };
}

function webhookRules(items: readonly Item[]): readonly WebhookRule[] {
  const rules = items.map(webhookRule);
  for (const [index, { name }] of rules.entries()) if (rules.findIndex((rule) => rule.name === name) !== index) items[index]?.fail(`has the name "${name}" of another one`);
  return rules;
}

const S3_FIELDS = ['bucket', 'rootdirectory', 'region', 'regionendpoint', 'accesskey', 'secretkey', 'secretkeyfile', 'forcepathstyle', 'secure', 'cacert', 'chunksize', 'encrypt', 'storageclass'] as const;

function bucketConfig(item: Item): BucketConfig {
  const { s3 } = item.fields(['s3']);
  if (s3 === undefined) return item.fail('says no "s3"');
  const fields = s3.fields(S3_FIELDS);
  if (fields.secretkey !== undefined && fields.secretkeyfile !== undefined) fields.secretkeyfile.fail('and "secretkey" say the same: give one of them');
  const secretKey = fields.secretkeyfile === undefined ? fields.secretkey?.text() : secretIn(fields.secretkeyfile.text());
  if ((fields.accesskey === undefined) !== (secretKey === undefined)) s3.fail('must have both "accesskey" and "secretkey" (or "secretkeyfile"), or neither');
  return {
    bucket: fields.bucket?.text() ?? s3.fail('says no "bucket"'), prefix: fields.rootdirectory?.text() ?? '', region: fields.region?.text(), endpoint: fields.regionendpoint?.text(), accessKey: fields.accesskey?.text(), secretKey,
    forcePathStyle: fields.forcepathstyle?.flag(), secure: fields.secure?.flag(), authorityFile: fields.cacert?.text(), chunkBytes: fields.chunksize?.bytes(), encrypt: fields.encrypt?.flag() ?? false, storageClass: fields.storageclass?.text(),
  };
}

function newNameRule(item: Item): NewNameRule | undefined {
  const { refuseNear, allow, wellKnown } = item.fields(['refuseNear', 'allow', 'wellKnown']);
  return refuseNear?.flag() === true ? { allow: allow?.texts() ?? [], wellKnown: wellKnown?.flag() ?? false } : undefined;
}

function parseConfig(text: string): RegistryConfig {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new ConfigError(`it is not JSON: ${(error as Error).message}`);
  }
  const { groups, access, retention, quotas, upstreams, webhooks, newNames, storage } = new Item(document, '').fields(['groups', 'access', 'retention', 'quotas', 'upstreams', 'webhooks', 'newNames', 'storage']);
  const members = groups?.names() ?? new Map<string, readonly string[]>();
  return {
    access: access === undefined ? undefined : { groups: members, rules: access.list().map((item) => accessRule(item, members)) },
    retention: retention?.list().map(retentionRule) ?? [], quotas: quotas?.list().map(quotaRule) ?? [], upstreams: upstreams?.list().map(upstreamRule) ?? [],
    webhooks: webhookRules(webhooks?.list() ?? []), newNames: newNames === undefined ? undefined : newNameRule(newNames), bucket: storage === undefined ? undefined : bucketConfig(storage),
  };
}

/** @throws UserError */
export function readRegistryConfig(file: string | undefined): RegistryConfig {
  if (file === undefined) return NO_CONFIG;
  try {
    return parseConfig(readFileSync(file, 'utf8'));
  } catch (error) {
    if (!(error instanceof ConfigError) && !(error instanceof Error && 'code' in error)) throw error;
    throw new UserError(`cannot use the configuration "${file}": ${error.message.trim()}`, 'see "Rules" in docs/images.md', undefined, { cause: error });
  }
}
