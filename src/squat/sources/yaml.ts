/**
 * Compose files, manifests of Kubernetes, charts and values of Helm, workflows of CI services, and the same as JSON. They are read line by line, by
 * keys and indentation, not as YAML: templates of Helm are none, and each reference needs its line. What is said once and used by an alias is found
 * where it is said.
 */
import { MOST_LINE_CHARACTERS } from '../limits.ts';
import { imagesInCommands, joinedLine, lineOf, literalOf } from './shell.ts';
import type { FoundReference } from './types.ts';

/** Keys whose value is a reference. */
const IMAGE_KEY = /^(?:image|.{0,60}[_-]image|.{0,60}[a-z]Image|baseImage|container|docker-image|containerImage|newName)$/;
/** Keys of references in parts: Helm's values. */
const PARTS: ReadonlySet<string> = new Set(['registry', 'repository', 'tag', 'digest', 'name']);
/** Keys that look like it and are not about an image. */
const NOT_IMAGES: ReadonlySet<string> = new Set(['vmImage', 'disk-image', 'os-image', 'machine-image']);
const LINE = /^(\s{0,200})((?:-\s{1,20}){0,4})(?:["']?([A-Za-z0-9_.$/-]{1,100})["']?\s{0,4}:(?:\s{1,40}|$))?(.{0,2000})$/;

const MOST_FLOW_CHARACTERS = 2000;

interface Entry {
  readonly indent: number;
  readonly isItem: boolean;
  readonly key: string | undefined;
  readonly value: string;
  readonly line: number;
}

function unquoted(text: string): string {
  const value = text.trim().replace(/,$/, '').replace(/^(?:&[\w-]{1,60}|!![a-z]{1,20})\s{1,10}/, '');
  const quoted = /^(["'])(.{0,1000}?)\1(?:\s{1,40}#.{0,1000})?$/.exec(value)?.[2];
  return quoted ?? value.replace(/(?:^|\s)#.{0,2000}$/, '').trim();
}

function isFlow(value: string): boolean {
  return (value.startsWith('{') && !value.startsWith('{{')) || /^\[\s{0,20}\{/.test(value);
}

function readLine(text: string, line: number): Entry | undefined {
  if (text.length > MOST_LINE_CHARACTERS || /^\s*(?:#|$)/.test(text)) return undefined;
  const match = LINE.exec(text);
  if (match === null) return undefined;
  const [, space = '', dashes = '', key, value = ''] = match;
  return { indent: space.length + dashes.length, isItem: dashes !== '', key, value: unquoted(value), line };
}

/** `{{ .Values.image | default "debian:12" }}`: what it says if nothing is set. */
function plain(value: string): string | undefined {
  if (!value.includes('{{')) return literalOf(value);
  const byDefault = /\bdefault\s{1,4}"([^"{}]{1,300})"/.exec(value)?.[1];
  if (byDefault !== undefined && value.startsWith('{{')) return literalOf(byDefault);
  const name = /^([a-z0-9][a-z0-9._/-]{0,300})[:@]\{\{/.exec(value)?.[1];
  return name;
}

/** `image: {repository: x, tag: y}` and `containers: [{image: x}, {image: y}]` on one line. */
function inFlow(value: string): readonly string[] {
  return value.slice(0, MOST_FLOW_CHARACTERS).split('{').flatMap(inBraces);
}

function inBraces(text: string): readonly string[] {
  const fields = new Map<string, string>();
  for (const [, key = '', quoted, bare] of text.matchAll(/["']?([A-Za-z]{1,40})["']?\s{0,4}:\s{0,4}(?:["']([^"']{1,400})["']|([^\s,{}"']{1,400}))/g)) fields.set(key, quoted ?? bare ?? '');
  const image = fields.get('image');
  return image === undefined ? joinParts(fields) : [image];
}

function joinParts(parts: ReadonlyMap<string, string>): readonly string[] {
  const repository = parts.get('repository');
  if (repository === undefined || repository === '') return [];
  const registry = parts.get('registry') ?? '';
  const tag = parts.get('tag') ?? '';
  return [`${registry === '' || registry.includes('{') ? '' : `${registry}/`}${repository}${tag === '' || /[{$~]/.test(tag) || tag === 'null' ? '' : `:${tag}`}`];
}

/** Parts of a reference at one level: `repository:` and its neighbours below `image:`. */
class PartReader {
  #indent = -1;
  #parts = new Map<string, string>();
  #line = 0;
  #isBelowImage = false;
  readonly #take: (text: string, line: number, how: string) => void;

  constructor(take: (text: string, line: number, how: string) => void) {
    this.#take = take;
  }

  read({ indent, isItem, key, value, line }: Entry): void {
    if (indent !== this.#indent || isItem) {
      const goesOn = this.#parts.has('repository') && indent > this.#indent;
      if (!goesOn) this.end();
    }
    if (key === undefined) return;
    if (value === '') {
      this.end();
      this.#isBelowImage = /image$/i.test(key);
      return;
    }
    if (!PARTS.has(key) || (this.#parts.size > 0 && indent !== this.#indent)) return;
    this.#indent = indent;
    if (key === 'repository') this.#line = line;
    this.#parts.set(key, value);
  }

  end(): void {
    const repository = this.#parts.get('repository') ?? '';
    // A repository of code, or of charts, is named so as well.
    const isImage = this.#isBelowImage || this.#parts.has('tag') || this.#parts.has('digest');
    if (isImage && !repository.includes('://')) for (const text of joinParts(this.#parts)) this.#take(text, this.#line, 'repository:');
    if (this.#parts.size > 0) this.#isBelowImage = false;
    this.#parts = new Map();
    this.#indent = -1;
  }
}

/** Pipelines list images of services: `services:`, and below it `- postgres:15` or `- name: postgres:15`. */
class ServiceReader {
  #indent = -1;

  read({ indent, isItem, key, value }: Entry): string | undefined {
    if (key === 'services' && value === '') {
      this.#indent = indent;
      return undefined;
    }
    if (this.#indent < 0 || indent < this.#indent || (indent === this.#indent && !isItem)) {
      this.#indent = -1;
      return undefined;
    }
    return isItem && value !== '' && (key === undefined || key === 'name') ? value : undefined;
  }
}

export function readYaml(text: string, { isPipeline }: { readonly isPipeline: boolean }): readonly FoundReference[] {
  const found: FoundReference[] = [];
  const take = (word: string, line: number, how: string): void => {
    const literal = plain(word);
    if (literal !== undefined && !literal.startsWith('.') && !literal.includes('://')) found.push({ text: literal, line, how });
  };
  const parts = new PartReader(take);
  const services = new ServiceReader();
  let imageIndent = -1;
  const lines = text.split('\n');
  for (const [index, raw] of lines.entries()) {
    const line = index + 1;
    if (/docker|podman|nerdctl|buildah|caisson/.test(raw)) for (const { text: word, how, line: at } of commandImages(lines, index)) take(word, at, how);
    const entry = readLine(raw.trimEnd(), line);
    if (entry === undefined) continue;
    parts.read(entry);
    const { indent, key, value } = entry;
    const service = isPipeline ? services.read(entry) : undefined;
    if (service !== undefined) take(service, line, 'services:');
    // GitLab: "image:" with "name:" below it.
    if (imageIndent >= 0 && indent <= imageIndent) imageIndent = -1;
    if (imageIndent >= 0 && key === 'name' && isPipeline && value !== '') take(value, line, 'image: name:');
    if (key === undefined || !IMAGE_KEY.test(key) || NOT_IMAGES.has(key)) {
      if (isFlow(value)) for (const image of inFlow(value)) take(image, line, 'image:');
      continue;
    }
    if (value === '') imageIndent = indent;
    else if (isFlow(value)) for (const image of inFlow(value)) take(image, line, `${key}:`);
    else if (!/\s/.test(value) || value.startsWith('{{')) take(value, line, `${key}:`);
    else if (/^[a-z0-9]/.test(value) && value.includes('{{')) take(value, line, `${key}:`);
  }
  parts.end();
  return found;
}

/** The command of a line that is one of a list, or the value of a key; with the lines that it goes on with. */
function commandImages(lines: readonly string[], index: number): readonly FoundReference[] {
  const { whole, end } = joinedLine(lines, index);
  const text = whole.trimStart().replace(/^(?:-\s{1,20}){1,4}/, '').replace(/^(?:run|script|command|entrypoint|bash|sh|args|uses)\s{0,4}:\s{1,20}/, '').replace(/^["']|["']$/g, '');
  return imagesInCommands(text).map((named) => ({ ...named, line: lineOf(lines, index + 1, end, named.text) }));
}
