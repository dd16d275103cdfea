/** Pages to look at what is there: repositories, tags, layers, sizes. Server-rendered, without scripts; who may not pull sees nothing. */
import type { Context, Hono } from 'hono';
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { HttpConnection } from '../host/types.ts';
import { fieldOf, isObject, listOf, parseJson, parseManifest } from '../image/index.ts';
import type { Descriptor, Json, JsonObject } from '../image/index.ts';
import type { Caller } from './authentication.ts';
import { RegistryFailure } from './errors.ts';
import { MOST_MANIFEST_BYTES, MOST_PAGE_ROWS } from './limits.ts';
import { checkRepositoryName } from './names.ts';
import { findManifest, readStored } from './routes-manifests.ts';
import type { Registry } from './service.ts';
import { mapParallel } from './storage.ts';
import type { Repository } from './storage.ts';

type Page = HtmlEscapedString | Promise<HtmlEscapedString>;
type Bindings = { readonly Bindings: HttpConnection };

const STYLE = `body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number, th.number { text-align: right; } code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; } h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; } a { color: #0645ad; }
@media (prefers-color-scheme: dark) { body { background: #1b1b1b; color: #ddd; } a { color: #8ab4f8; } th, td { border-color: #444; } }`;
const HEADERS = { 'content-security-policy': "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'", 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' };

/** `12.3 MB`, as Docker shows sizes: powers of ten. */
export function showSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

const showTime = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ');
const short = (digest: string): string => digest.replace(/^(\w+:[0-9a-f]{12})[0-9a-f]+$/, '$1');
const addressOf = (repository: string, reference?: string): string => `/ui/repositories/${repository}${reference === undefined ? '' : `?reference=${encodeURIComponent(reference)}`}`;

function layout(title: string, body: Page | readonly Page[]): Page {
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><link rel="stylesheet" href="/ui/style.css"></head>
<body><p><a href="/ui/">Repositories</a></p><h1>${title}</h1>${body}</body></html>`;
}

function table(heads: readonly string[], rows: readonly (readonly (Page | string)[])[], numbers: readonly number[] = []): Page {
  const style = (index: number): string => (numbers.includes(index) ? 'number' : '');
  return html`<table><thead><tr>${heads.map((head, index) => html`<th class="${style(index)}">${head}</th>`)}</tr></thead>
<tbody>${rows.slice(0, MOST_PAGE_ROWS).map((row) => html`<tr>${row.map((cell, index) => html`<td class="${style(index)}">${cell}</td>`)}</tr>`)}</tbody></table>${rows.length > MOST_PAGE_ROWS ? html`<p>and ${rows.length - MOST_PAGE_ROWS} more</p>` : ''}`;
}

interface Found {
  readonly mediaType: string;
  readonly children: readonly Descriptor[];
  readonly layers: readonly Descriptor[];
  readonly config: JsonObject | undefined;
  /** Bytes of configuration and layers. */
  readonly size: number;
}

/** @throws RegistryFailure */
async function describe(registry: Registry, repository: Repository, reference: string): Promise<Found> {
  const { digest, record } = await findManifest(repository, reference);
  const document = parseManifest(await readStored(registry, repository, digest), record.mediaType, 'the manifest');
  if (document.kind === 'index') return { mediaType: document.mediaType, children: document.manifests, layers: [], config: undefined, size: 0 };
  const size = document.layers.reduce((sum, layer) => sum + layer.size, document.config.size);
  return { mediaType: document.mediaType, children: [], layers: document.layers, config: await readConfig(repository, document.config), size };
}

async function readConfig(repository: Repository, { digest, size }: Descriptor): Promise<JsonObject | undefined> {
  if (size > MOST_MANIFEST_BYTES) return undefined;
  try {
    const bytes = await repository.blobBytes(digest, MOST_MANIFEST_BYTES);
    return bytes === undefined ? undefined : parseJson(bytes, 'the configuration');
  } catch {
    return undefined;
  }
}

async function repositoriesPage(registry: Registry, caller: Caller): Promise<Page> {
  const rows = await mapParallel((await registry.storage.repositories()).filter((name) => caller.sees(name)), async (name) => {
    const repository = registry.storage.repository(name);
    return [html`<a href="${addressOf(name)}">${name}</a>`, String((await repository.tags()).length), showSize(await registry.bytesOf(repository))];
  });
  return layout('Repositories', rows.length === 0 ? html`<p>There is nothing here yet.</p>` : table(['name', 'tags', 'size'], rows, [1, 2]));
}

async function sizeOf(registry: Registry, repository: Repository, reference: string): Promise<string> {
  try {
    const { children, size } = await describe(registry, repository, reference);
    return children.length > 0 ? `${children.length} manifests` : showSize(size);
  } catch (error) {
    if (error instanceof RegistryFailure) return 'spoiled';
    throw error;
  }
}

async function repositoryPage(registry: Registry, repository: Repository): Promise<Page> {
  const tags = await repository.tags();
  const records = await mapParallel(tags, (tag) => repository.tag(tag));
  const rows = await mapParallel(tags.slice(0, MOST_PAGE_ROWS), async (tag, index) => {
    const record = records[index];
    return record === undefined ? [] : [[html`<a href="${addressOf(repository.name, tag)}">${tag}</a>`, html`<code>${short(record.digest)}</code>`, await sizeOf(registry, repository, tag), showTime(record.pushedMs)]];
  });
  const tagged = new Set(records.map((record) => record?.digest));
  const untagged = (await repository.manifests()).filter((digest) => !tagged.has(digest));
  const others = await mapParallel(untagged, async (digest, index) => (index >= MOST_PAGE_ROWS ? [] : [html`<a href="${addressOf(repository.name, digest)}"><code>${short(digest)}</code></a>`, showTime((await repository.manifest(digest))?.pushedMs ?? 0)]));
  return layout(repository.name, [
    html`<h2>Tags</h2>`, table(['tag', 'digest', 'size', 'pushed (UTC)'], rows.flat(), [2]), others.length === 0 ? html`` : html`<h2>Without a tag</h2>${table(['digest', 'pushed (UTC)'], others)}`,
  ]);
}

const textOf = (value: Json | undefined): string => (typeof value === 'string' ? value : Array.isArray(value) ? (listOf(value) ?? []).join(' ') : '');

function configSection(config: JsonObject | undefined): Page {
  if (config === undefined) return html``;
  const inner = fieldOf(config, 'config');
  const run = isObject(inner) ? inner : {};
  const rows = [
    ['platform', `${textOf(fieldOf(config, 'os'))}/${textOf(fieldOf(config, 'architecture'))}`], ['created', textOf(fieldOf(config, 'created'))], ['entrypoint', textOf(fieldOf(run, 'Entrypoint'))],
    ['command', textOf(fieldOf(run, 'Cmd'))], ['user', textOf(fieldOf(run, 'User'))], ['directory', textOf(fieldOf(run, 'WorkingDir'))],
  ].filter(([, value]) => value !== '' && value !== '/');
  return rows.length === 0 ? html`` : html`<h2>Configuration</h2>${table(['', ''], rows.map(([name = '', value = '']) => [name, html`<code>${value}</code>`]))}`;
}

async function manifestPage(registry: Registry, repository: Repository, reference: string): Promise<Page> {
  const { digest, record } = await findManifest(repository, reference);
  const { mediaType, children, layers, config, size } = await describe(registry, repository, reference);
  const about: Page[][] = [];
  for await (const { digest: own, artifactType = '' } of repository.referrers(digest)) about.push([html`<a href="${addressOf(repository.name, own)}"><code>${short(own)}</code></a>`, html`${artifactType}`]);
  const platforms = children.map(({ digest: own, platform, size: bytes }) => [html`<a href="${addressOf(repository.name, own)}"><code>${short(own)}</code></a>`, platform === undefined ? '' : `${platform.os}/${platform.architecture}`, showSize(bytes)]);
  return layout(`${repository.name}${reference.includes(':') ? '' : `:${reference}`}`, [
    table(['', ''], [['digest', html`<code>${digest}</code>`], ['type', html`<code>${mediaType}</code>`], ['pushed (UTC)', showTime(record.pushedMs)], ...(children.length > 0 ? [] : [['size', showSize(size)]])]),
    platforms.length === 0 ? html`` : html`<h2>Manifests</h2>${table(['digest', 'platform', 'size of the manifest'], platforms, [2])}`,
    layers.length === 0 ? html`` : html`<h2>Layers</h2>${table(['', 'digest', 'type', 'size'], layers.map((layer, index) => [String(index + 1), html`<code>${short(layer.digest)}</code>`, html`<code>${layer.mediaType}</code>`, showSize(layer.size)]), [3])}`,
    configSection(config), about.length === 0 ? html`` : html`<h2>Referrers</h2>${table(['digest', 'type'], about)}`,
  ]);
}

/** A browser that is nobody is asked for a password where there is nothing for nobody. */
async function callerOf(registry: Registry, request: Request, connection: HttpConnection, repository?: string): Promise<Caller> {
  const { authentication } = registry;
  const identified = await authentication.identify(request, connection).catch((error: unknown) => {
    throw error instanceof RegistryFailure && error.status === 401 ? authentication.askPassword() : error;
  });
  registry.admit(identified, connection);
  const sees = repository === undefined ? (await registry.storage.repositories()).some((name) => identified.sees(name)) : identified.sees(repository);
  if (!sees && identified.name === undefined && !authentication.isOff) throw authentication.askPassword();
  if (!sees && repository !== undefined) throw new RegistryFailure('NAME_UNKNOWN', `there is no repository ${repository}`);
  return identified;
}

export function addPages(app: Hono<Bindings>, registry: Registry): void {
  const send = async (context: Context<Bindings>, make: () => Promise<Page>): Promise<Response> => {
    try {
      return context.html(await make(), 200, HEADERS);
    } catch (error) {
      if (!(error instanceof RegistryFailure)) throw error;
      return context.html(layout('Not possible', html`<p>${error.message}</p>`), error.status as 404, { ...HEADERS, ...error.headers });
    }
  };
  app.get('/', (context) => context.redirect('/ui/'));
  app.get('/ui', (context) => context.redirect('/ui/'));
  app.get('/ui/style.css', (context) => context.body(STYLE, 200, { 'content-type': 'text/css; charset=utf-8', 'x-content-type-options': 'nosniff' }));
  app.get('/ui/', (context) => send(context, async () => repositoriesPage(registry, await callerOf(registry, context.req.raw, context.env))));
  app.get('/ui/repositories/*', (context) => send(context, async () => {
    const name = checkRepositoryName(context.req.path.slice('/ui/repositories/'.length));
    await callerOf(registry, context.req.raw, context.env, name);
    const repository = registry.storage.repository(name);
    const reference = context.req.query('reference');
    if (!await repository.exists()) throw new RegistryFailure('NAME_UNKNOWN', `there is no repository ${name}`);
    return reference === undefined ? repositoryPage(registry, repository) : manifestPage(registry, repository, reference);
  }));
}
