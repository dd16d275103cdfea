/**
 * `--format` as Docker's users write it: the part of Go's text/template that they use. Literal text, `{{.Field.Field}}`,
 * `{{json .Field}}`, `{{len .Field}}`, `{{index .Field "key"}}`, `{{join .Field ","}}`, `{{upper .Field}}`, `{{lower .Field}}`, `{{range .Field}}...{{end}}`,
 * `{{if .Field}}...{{else}}...{{end}}`, `{{"\n"}}`, `{{println .Field}}`, and of these `{{(index .List 0).Field}}`, `{{.Field | json}}` and a field that is asked for a key, `{{.Label "key"}}`.
 */
import { UserError } from './errors.ts';
import { formatTable } from './table.ts';

/** Something that is asked for a key, `{{.Label "key"}}`; JSON does not show it. */
export type TemplateFunction = (key: string) => TemplateValue;
export type TemplateValue = undefined | null | boolean | number | string | readonly TemplateValue[] | { readonly [key: string]: TemplateValue } | TemplateFunction;
/** A word, or a pipeline in parentheses with fields behind it. */
type Operand = string | { readonly pipeline: Pipeline; readonly path: string };
/** Commands, of which each gets what the one before answers as its last argument. */
type Pipeline = readonly (readonly Operand[])[];
type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipeline: Pipeline }
  | { readonly kind: 'range' | 'if'; readonly pipeline: Pipeline; readonly body: readonly Node[]; readonly otherwise: readonly Node[] };

/** A range within a range within a range: nobody writes more. */
const MOST_DEPTH = 20;

function fail(template: string, why: string): UserError {
  return new UserError(`cannot use --format ${template}: ${why}`, 'such as \'{{.ID}}\', \'{{json .}}\' or json');
}

function wordsOf(action: string): string[] {
  return [...action.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|\)(?:\.[\w.]+)?|[(|]|[^\s()|]+/g)].map(([word]) => word);
}

/** Up to the end, or to the parenthesis that closes it; takes what it has read from the words. */
function pipelineOf(template: string, words: string[], depth = 0): Pipeline {
  if (depth > MOST_DEPTH) throw fail(template, 'it is nested too deep');
  const commands: Operand[][] = [[]];
  for (let word = words[0]; word !== undefined && !word.startsWith(')'); word = words[0]) {
    words.shift();
    if (word === '|') commands.push([]);
    else if (word === '(') {
      const pipeline = pipelineOf(template, words, depth + 1);
      const closing = words.shift();
      if (closing === undefined) throw fail(template, 'a ( has no )');
      commands.at(-1)?.push({ pipeline, path: closing.slice(1) });
    } else commands.at(-1)?.push(word);
  }
  if (depth === 0 && words.length > 0) throw fail(template, 'a ) has no (');
  if (commands.some((command) => command.length === 0)) throw fail(template, 'a value is missing');
  return commands;
}

class Reader {
  readonly #template: string;
  readonly #pieces: readonly string[];
  #at = 0;

  constructor(template: string) {
    this.#template = template;
    this.#pieces = template.split(/(\{\{[\s\S]*?\}\})/);
  }

  /** Up to `{{end}}` or `{{else}}` where `inside`. */
  read(inside: boolean, depth = 0): { readonly nodes: readonly Node[]; readonly stop: string } {
    if (depth > MOST_DEPTH) throw fail(this.#template, 'it is nested too deep');
    const nodes: Node[] = [];
    while (this.#at < this.#pieces.length) {
      const piece = this.#pieces[this.#at++] ?? '';
      if (!piece.endsWith('}}') && piece.includes('{{')) throw fail(this.#template, 'a {{ has no }}');
      if (!piece.startsWith('{{')) {
        if (piece !== '') nodes.push({ kind: 'text', text: piece });
        continue;
      }
      const words = wordsOf(piece.slice(2, -2).replace(/^-|-$/g, '').trim());
      const [word] = words;
      if (word === 'end' || word === 'else') {
        if (!inside) throw fail(this.#template, `{{${word}}} without a beginning`);
        return { nodes, stop: word };
      }
      if (word === 'range' || word === 'if') nodes.push(this.#block(word, pipelineOf(this.#template, words.slice(1)), depth));
      else nodes.push({ kind: 'action', pipeline: pipelineOf(this.#template, words) });
    }
    if (inside) throw fail(this.#template, '{{end}} is missing');
    return { nodes, stop: '' };
  }

  #block(kind: 'range' | 'if', pipeline: Pipeline, depth: number): Node {
    const body = this.read(true, depth + 1);
    const otherwise = body.stop === 'else' ? this.read(true, depth + 1).nodes : [];
    return { kind, pipeline, body: body.nodes, otherwise };
  }
}

function isList(value: TemplateValue): value is readonly TemplateValue[] {
  return Array.isArray(value);
}

function show(value: TemplateValue): string {
  if (value === undefined || value === null) return '<no value>';
  if (isList(value)) return `[${value.map(show).join(' ')}]`;
  if (typeof value === 'object') return `map[${Object.keys(value).sort().map((key) => `${key}:${show(value[key])}`).join(' ')}]`;
  return String(value);
}

function isTrue(value: TemplateValue): boolean {
  if (isList(value)) return value.length > 0;
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

class Evaluator {
  readonly #template: string;
  readonly #root: TemplateValue;

  constructor(template: string, root: TemplateValue) {
    this.#template = template;
    this.#root = root;
  }

  render(nodes: readonly Node[], dot: TemplateValue): string {
    return nodes.map((node) => {
      if (node.kind === 'text') return node.text;
      const value = this.#pipeline(node.pipeline, dot);
      if (typeof value === 'function') throw fail(this.#template, 'a field is asked for a key, such as {{.Label "com.example.role"}}');
      if (node.kind === 'action') return show(value);
      if (node.kind === 'if') return this.render(isTrue(value) ? node.body : node.otherwise, dot);
      const items = isList(value) ? value : typeof value === 'object' && value !== null ? Object.keys(value).sort().map((key) => value[key]) : [];
      return items.length === 0 ? this.render(node.otherwise, dot) : items.map((item) => this.render(node.body, item)).join('');
    }).join('');
  }

  #pipeline(pipeline: Pipeline, dot: TemplateValue): TemplateValue {
    return pipeline.reduce<readonly TemplateValue[]>((before, command) => [this.#command(command, before, dot)], [])[0];
  }

  /** `before`: what the last command answered, if there was one. */
  #command([first = '', ...rest]: readonly Operand[], before: readonly TemplateValue[], dot: TemplateValue): TemplateValue {
    if (rest.length === 0 && before.length === 0) return this.#operand(first, dot);
    const values = [...rest.map((operand) => this.#operand(operand, dot)), ...before];
    if (typeof first === 'string' && /^[a-z]+$/.test(first)) return this.#call(first, values);
    return values.reduce<TemplateValue>((value, key) => this.#member(value, String(key)), this.#operand(first, dot));
  }

  #call(word: string, values: readonly TemplateValue[]): TemplateValue {
    const [first, second] = values;
    switch (word) {
      case 'json':
        return JSON.stringify(first ?? null);
      case 'len':
        return isList(first) || typeof first === 'string' ? first.length : typeof first === 'object' && first !== null ? Object.keys(first).length : 0;
      case 'index':
        return values.slice(1).reduce<TemplateValue>((value, key) => this.#member(value, String(key)), first);
      case 'join':
        return isList(first) ? first.map(show).join(String(second ?? '')) : show(first);
      case 'upper':
        return show(first).toUpperCase();
      case 'lower':
        return show(first).toLowerCase();
      case 'println':
        return `${values.map(show).join(' ')}\n`;
      default:
        throw fail(this.#template, `there is no function "${word}"`);
    }
  }

  #operand(word: Operand, dot: TemplateValue): TemplateValue {
    if (typeof word !== 'string') return word.path.split('.').filter((key) => key !== '').reduce<TemplateValue>((value, key) => this.#member(value, key), this.#pipeline(word.pipeline, dot));
    if (word.startsWith('"')) return this.#unquote(word);
    if (word.startsWith('`')) return word.slice(1, -1);
    if (/^-?\d+$/.test(word)) return Number(word);
    const path = word.startsWith('$') ? word.slice(1) : word;
    if (!path.startsWith('.') && path !== '') throw fail(this.#template, `"${word}" is no field: fields begin with a dot`);
    return path.split('.').filter((key) => key !== '').reduce<TemplateValue>((value, key) => this.#field(value, key), word.startsWith('$') ? this.#root : dot);
  }

  #unquote(word: string): string {
    try {
      return JSON.parse(word.replaceAll('\t', '\\t').replaceAll('\n', '\\n')) as string;
    } catch {
      throw fail(this.#template, `${word} is no text`);
    }
  }

  #member(value: TemplateValue, key: string): TemplateValue {
    if (isList(value)) return value[Number(key)];
    if (typeof value === 'function') return value(key);
    return typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? value[key] : undefined;
  }

  #field(value: TemplateValue, key: string): TemplateValue {
    const isMap = typeof value === 'object' && value !== null && !isList(value);
    if (isMap && value === this.#root && !Object.hasOwn(value, key)) throw fail(this.#template, `there is no field "${key}"; there are ${Object.keys(value).join(', ')}`);
    return this.#member(value, key);
  }
}

/** A template that can be filled in. @throws UserError for one that cannot be read. */
export function compileTemplate(template: string): (value: TemplateValue) => string {
  if (template === 'json') return (value) => JSON.stringify(value ?? null);
  const text = template.replace(/^table\s+/, '').replace(/\\t/g, '\t').replace(/\\n/g, '\n');
  const { nodes } = new Reader(text).read(false);
  return (value) => new Evaluator(template, value).render(nodes, value);
}

/** Docker's: the last part of a name such as `com.example.my-role`. */
function labelTitle(key: string): string {
  return (key.split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
}

/** A line for each; `table ...` has a line of titles, of which those that are not upper case of the field are given. */
export function formatRows(format: string, rows: readonly { readonly [key: string]: TemplateValue }[], titles: Readonly<Record<string, string>>): string {
  const fill = compileTemplate(format);
  const lines = rows.map((item) => fill(item));
  if (!format.startsWith('table')) return lines.map((line) => `${line}\n`).join('');
  const title = (field: string): TemplateValue => (field === 'Label' ? labelTitle : Object.hasOwn(titles, field) ? titles[field] : field.toUpperCase());
  return formatTable([fill(title), ...lines].map((line) => line.split('\t')));
}
