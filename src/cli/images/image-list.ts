/** `images`, `history`, `inspect`: what is said about images. */
import { NoSuchImageError, formatPlatform } from '../../image/index.ts';
import type { Descriptor, ImageStore, StoredImage } from '../../image/index.ts';
import { familiarName, familiarReference } from '../../image/reference.ts';
import { readCommand } from '../command.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { nearest } from '../flags.ts';
import { createdMs, hasLabel, sizeOf } from './image-facts.ts';
import { HISTORY, IMAGES, INSPECT } from './image-specs.ts';
import { withStore } from './image-store.ts';
import { oneOf } from '../option-values.ts';
import { formatTable, humanAge, humanSize } from '../table.ts';
import { compileTemplate } from '../template.ts';
import type { TemplateValue } from '../template.ts';

const SHORT_ID = 12;
const FILTERS = ['dangling', 'reference', 'label', 'before', 'since'];

function shortId(id: string, whole: boolean): string {
  return whole ? id : id.replace(/^sha256:/, '').slice(0, SHORT_ID);
}

/** `*` and `?`, as `path.Match` of Go: a star does not go over a slash. */
function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '[^/]*').replace(/\?/g, '[^/]');
  return new RegExp(`^${source}$`).test(name);
}

function filterOf(store: ImageStore, text: string): (image: StoredImage) => boolean {
  const equals = text.indexOf('=');
  const [key, value] = equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  switch (key) {
    case 'dangling':
      return ({ record }) => (record.reference === undefined) === (value === 'true' || value === '1');
    case 'reference':
      return ({ record: { reference } }) => reference !== undefined && [familiarName(reference), familiarReference(reference)].some((name) => matchesPattern(name, value));
    case 'label':
      return (image) => hasLabel(image, value);
    case 'before':
    case 'since': {
      const limit = createdMs(store.find(value));
      return (image) => (key === 'before' ? createdMs(image) < limit : createdMs(image) > limit);
    }
    default: {
      const guess = nearest(key, FILTERS);
      throw new UserError(`cannot use --filter ${text}: no filter is called "${key}"`, guess === undefined ? `there are ${FILTERS.join(', ')}` : `did you mean ${guess}?`);
    }
  }
}

function row(store: ImageStore, image: StoredImage, whole: boolean, nowMs: number): { readonly [key: string]: TemplateValue } {
  const { record: { reference, target, typed }, id } = image;
  const created = createdMs(image);
  return {
    ID: shortId(id, whole), Repository: reference === undefined ? '<none>' : familiarName(reference), Tag: reference?.tag ?? '<none>', Digest: target.digest,
    CreatedSince: created === 0 ? 'N/A' : humanAge(nowMs - created), CreatedAt: image.config.created ?? 'N/A', Size: humanSize(sizeOf(store, image)), Typed: typed ?? '',
    Platform: formatPlatform(image.config.platform),
  };
}

export async function imagesCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(IMAGES, args);
  if (values === undefined) return 0;
  return withStore('list images', (store) => {
    const [name] = values.command;
    const filters = [...values.all('filter'), ...(name === undefined ? [] : [`reference=${name}`])].map((text) => filterOf(store, text));
    const images = store.list().filter((image) => filters.every((filter) => filter(image)));
    process.stdout.write(imageLines(store, images, values));
    return 0;
  });
}

function imageLines(store: ImageStore, images: readonly StoredImage[], values: FlagValues): string {
  const whole = values.has('no-trunc');
  if (values.has('quiet')) return [...new Set(images.map(({ id }) => `${shortId(id, whole)}\n`))].join('');
  const rows = images.map((image) => row(store, image, whole, Date.now()));
  const format = values.last('format');
  if (format !== undefined) {
    const fill = compileTemplate(format);
    return rows.map((item) => `${fill(item)}\n`).join('');
  }
  const columns = ['Repository', 'Tag', ...(values.has('digests') ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'];
  const titles = columns.map((column) => (column === 'ID' ? 'IMAGE ID' : column === 'CreatedSince' ? 'CREATED' : column.toUpperCase()));
  return formatTable([titles, ...rows.map((item) => columns.map((column) => String(item[column])))]);
}

export async function historyCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(HISTORY, args);
  if (values === undefined) return 0;
  return withStore('show the history', (store) => {
    const image = store.find(values.command[0] ?? '');
    const whole = values.has('no-trunc');
    let layer = 0;
    const rows = image.config.history.map((entry, index) => {
      const size = entry.emptyLayer ? 0 : store.layerBytes(image, layer++);
      const last = index === image.config.history.length - 1;
      const command = entry.createdBy ?? '';
      return {
        ID: last ? shortId(image.id, whole) : '<missing>', CreatedSince: entry.created === undefined ? 'N/A' : humanAge(Date.now() - Date.parse(entry.created)), CreatedAt: entry.created ?? '',
        CreatedBy: whole || command.length <= 45 ? command : `${command.slice(0, 44)}…`, Size: humanSize(size), Comment: entry.comment ?? '',
      };
    }).reverse();
    const format = values.last('format');
    const fill = format === undefined ? undefined : compileTemplate(format);
    const text = values.has('quiet') ? rows.map(({ ID }) => `${ID}\n`).join('')
      : fill !== undefined ? rows.map((item) => `${fill(item)}\n`).join('')
        : formatTable([['IMAGE', 'CREATED', 'CREATED BY', 'SIZE', 'COMMENT'], ...rows.map((item) => [item.ID, item.CreatedSince, item.CreatedBy, item.Size, item.Comment])]);
    process.stdout.write(text);
    return 0;
  });
}

function descriptorFields({ mediaType, digest, size }: Descriptor): { readonly [key: string]: TemplateValue } {
  return { MediaType: mediaType, Digest: digest, Size: size };
}

/** Fields as `docker inspect` names them, and what Docker does not keep: what was typed, and what was got. */
function inspection(store: ImageStore, image: StoredImage): { readonly [key: string]: TemplateValue } {
  const { record, config, manifest, id } = image;
  const names = store.namesOf(id).flatMap(({ record: { reference } }) => (reference === undefined ? [] : [familiarReference(reference)]));
  const { document } = config;
  return {
    Id: id, RepoTags: names, RepoDigests: record.digests, Typed: record.typed ?? '', Target: descriptorFields(record.target), Manifest: descriptorFields(record.manifest),
    Created: config.created ?? '', Author: config.author ?? '', Os: config.platform.os, Architecture: config.platform.architecture, Variant: config.platform.variant ?? '',
    Size: sizeOf(store, image), Config: (document['config'] ?? {}) as TemplateValue, RootFS: { Type: 'layers', Layers: config.diffIds },
    Layers: manifest.layers.map(descriptorFields), Added: new Date(record.addedMs).toISOString(),
  };
}

/** A container, unless only images are wanted or there is none of the name: then an image. */
async function inspected(store: ImageStore, text: string, type: 'container' | 'image' | undefined): Promise<{ readonly [key: string]: TemplateValue }> {
  if (type === 'image') return inspection(store, store.find(text));
  const { Containers } = await import('../../lifecycle/index.ts');
  const containers = new Containers(store);
  try {
    const container = containers.findWhole(text);
    return (await import('../containers/container-inspect.ts')).containerInspection(containers, container);
  } catch (error) {
    if (type === 'container' || !(error instanceof Error) || error.name !== 'NoSuchContainerError') throw error;
    try {
      return inspection(store, store.find(text));
    } catch (failure) {
      if (!(failure instanceof NoSuchImageError)) throw failure;
      throw new UserError(`No such object: ${text}`, failure.nearest === undefined ? 'see "caisson ps -a" and "caisson images"' : failure.advice, EXIT_FAILED, { cause: failure });
    }
  }
}

export async function inspectCommand(args: readonly string[], only?: 'container' | 'image'): Promise<number> {
  const values = await readCommand(INSPECT, args);
  if (values === undefined) return 0;
  const type = only ?? oneOf(values, 'type', ['container', 'image'] as const);
  return withStore(`inspect ${type === undefined ? 'containers and images' : `${type}s`}`, async (store) => {
    const items: { readonly [key: string]: TemplateValue }[] = [];
    for (const text of values.command) items.push(await inspected(store, text, type));
    const format = values.last('format');
    const fill = format === undefined ? undefined : compileTemplate(format);
    process.stdout.write(fill === undefined ? `${JSON.stringify(items, undefined, 2)}\n` : items.map((item) => `${fill(item)}\n`).join(''));
    return 0;
  });
}

export function imageInspectCommand(args: readonly string[]): Promise<number> {
  return inspectCommand(args, 'image');
}

export function containerInspectCommand(args: readonly string[]): Promise<number> {
  return inspectCommand(args, 'container');
}
