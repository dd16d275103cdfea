/** Exceptions of a rule (falco.org, "Rule Exceptions"): values of fields for which it stays quiet. */
import type { Comparison, Condition, FieldUse, Value } from '../condition/ast.ts';
import { RulesError } from '../errors.ts';
import type { Place } from '../errors.ts';
import type { ItemReader } from './items.ts';

/** One row: a value, or several of which one counts, for each field. */
type Row = readonly (readonly string[])[];

export interface Exception {
  readonly name: string;
  readonly fields: readonly string[];
  readonly comparisons: readonly Comparison[];
  readonly rows: readonly Row[];
  /** `fields` was one name: its values are one list. */
  readonly isSingle: boolean;
  readonly place: Place;
}

const COMPARISONS: ReadonlySet<string> = new Set<Comparison>(['=', '!=', '<', '<=', '>', '>=', 'contains', 'icontains', 'startswith', 'endswith', 'glob', 'iglob', 'in', 'intersects', 'pmatch']);
const LISTS: ReadonlySet<Comparison> = new Set(['in', 'intersects', 'pmatch']);

function textsOf(yaml: ItemReader, node: unknown, what: string): readonly string[] {
  return yaml.isSequence(node) ? yaml.texts(node, what) : [yaml.text(node, what).text];
}

function comparisonsOf(yaml: ItemReader, node: unknown, fallback: Comparison, count: number): readonly Comparison[] {
  if (node === undefined) return Array.from({ length: count }, () => fallback);
  const found = textsOf(yaml, node, 'comps').map((text) => (text === '==' ? '=' : text));
  const wrong = found.find((text) => !COMPARISONS.has(text));
  if (wrong !== undefined) throw new RulesError(`there is no operator ${wrong}`, `there are ${[...COMPARISONS].join(' ')}`, yaml.placeOf(node));
  return found as Comparison[];
}

function rowsOf(yaml: ItemReader, node: unknown, isSingle: boolean, count: number): readonly Row[] {
  const rows = yaml.sequence(node, 'values');
  if (isSingle) return rows.map((row) => [textsOf(yaml, row, 'a value')]);
  return rows.map((row) => {
    const values = yaml.sequence(row, 'a row of values').map((value) => textsOf(yaml, value, 'a value'));
    if (values.length !== count) throw new RulesError(`the row has ${values.length} values, and the exception ${count} fields`, 'write a value for each field', yaml.placeOf(row));
    return values;
  });
}

/** `before`: those that it has; one of the same name gets more values. @throws RulesError */
export function readExceptions(yaml: ItemReader, node: unknown, before: readonly Exception[]): readonly Exception[] {
  const found = [...before];
  for (const entry of yaml.sequence(node, 'exceptions')) {
    const { values, place } = yaml.map(entry, 'an exception');
    const name = yaml.text(values.get('name'), 'the name of an exception').text;
    const index = found.findIndex((exception) => exception.name === name);
    const fieldsNode = values.get('fields');
    const known = found[index];
    if (fieldsNode === undefined && known === undefined) throw new RulesError(`the exception ${name} has no fields`, 'write "fields: [proc.name]"', place);
    const isSingle = fieldsNode === undefined ? known!.isSingle : !yaml.isSequence(fieldsNode);
    const fields = fieldsNode === undefined ? known!.fields : textsOf(yaml, fieldsNode, 'fields');
    const comparisons = values.has('comps') || known === undefined ? comparisonsOf(yaml, values.get('comps'), isSingle ? 'in' : '=', fields.length) : known.comparisons;
    if (comparisons.length !== fields.length) throw new RulesError(`the exception ${name} has ${fields.length} fields and ${comparisons.length} comps`, 'write an operator for each field', place);
    const rows = values.has('values') ? rowsOf(yaml, values.get('values'), isSingle, fields.length) : [];
    const exception: Exception = { name, fields, comparisons, isSingle, place, rows: [...(known?.rows ?? []), ...rows] };
    if (index < 0) found.push(exception);
    else found[index] = exception;
  }
  return found;
}

function fieldUse(name: string): FieldUse {
  const [, bare = name, argument] = /^(.*?)\[([^\]]*)\]$/.exec(name) ?? [];
  return { name: bare, argument, transformers: [], offset: 0 };
}

const valueOf = (text: string): Value => ({ text: text.replace(/^(['"])(.*)\1$/s, '$2'), isQuoted: false, offset: 0 });

function checkOf(field: string, operator: Comparison, values: readonly string[]): Condition {
  if (LISTS.has(operator)) return { kind: 'check', field: fieldUse(field), operator, values: values.map(valueOf), isList: true };
  const parts = values.map((value): Condition => ({ kind: 'check', field: fieldUse(field), operator, values: [valueOf(value)], isList: false }));
  return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
}

/** What must not be, or undefined where there is no exception with a value. */
export function exceptionCondition({ fields, comparisons, rows, isSingle }: Exception): Condition | undefined {
  if (rows.length === 0) return undefined;
  if (isSingle && LISTS.has(comparisons[0]!)) return checkOf(fields[0]!, comparisons[0]!, rows.flatMap((row) => [...row[0]!]));
  const parts = rows.map((row): Condition => {
    const checks = row.map((values, index) => checkOf(fields[index]!, comparisons[index]!, values));
    return checks.length === 1 ? checks[0]! : { kind: 'and', parts: checks };
  });
  return parts.length === 1 ? parts[0]! : { kind: 'or', parts };
}
