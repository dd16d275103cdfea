/** What operators do, ready for one right side. Texts are byte strings. */
import { inRange, parseAddress, parseRange } from '../../net/index.ts';
import type { AddressRange } from '../../net/index.ts';
import { MOST_STARS } from '../limits.ts';
import { ConditionError } from '../errors.ts';
import type { Field, FieldValue } from '../fields.ts';
import { toBytes } from '../text.ts';
import type { Comparison, Value } from './ast.ts';
import { compileGlob, countStars } from './glob.ts';

export type Test = (value: Exclude<FieldValue, undefined>) => boolean;

function numberOf({ text, offset }: Value, field: string): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : /^0x[0-9a-f]+$/i.test(text) ? Number.parseInt(text, 16) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new ConditionError(`${field} is a number, and "${text}" is none`, 'such as 0 or -13', offset);
  return value;
}

function flagOf({ text, offset }: Value, field: string): boolean {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new ConditionError(`${field} is true or false, and not "${text}"`, 'write true or false', offset);
}

function rangeOf({ text, offset }: Value, field: string): AddressRange {
  const range = parseRange(text);
  if (range === undefined) throw new ConditionError(`${field} is held against addresses, and "${text}" is none`, 'such as 10.0.0.0/8', offset);
  return range;
}

/** By what sort the field is, a value of the right side as it is compared. */
function literal(field: Field, name: string, value: Value): string | number | boolean {
  if (field.kind === 'number') return numberOf(value, name);
  if (field.kind === 'flag') return flagOf(value, name);
  return toBytes(value.text);
}

const ORDERS: ReadonlyMap<Comparison, (left: number, right: number) => boolean> = new Map<Comparison, (left: number, right: number) => boolean>([
  ['<', (left, right) => left < right], ['<=', (left, right) => left <= right], ['>', (left, right) => left > right], ['>=', (left, right) => left >= right],
]);

const TEXT_TESTS: ReadonlyMap<Comparison, (right: string) => (left: string) => boolean> = new Map<Comparison, (right: string) => (left: string) => boolean>([
  ['contains', (right) => (left) => left.includes(right)],
  ['icontains', (right) => (left) => left.toLowerCase().includes(right.toLowerCase())],
  ['startswith', (right) => (left) => left.startsWith(right)],
  ['endswith', (right) => (left) => left.endsWith(right)],
  ['glob', (right) => compileGlob(right)],
  ['iglob', (right) => {
    const fits = compileGlob(right.toLowerCase());
    return (left) => fits(left.toLowerCase());
  }],
]);

/** The path or one of the directories above it is in the set. */
function hasPrefix(paths: ReadonlySet<string>): (path: string) => boolean {
  return (path) => {
    if (paths.has(path) || paths.has('/')) return true;
    for (let slash = path.indexOf('/', 1); slash >= 0; slash = path.indexOf('/', slash + 1)) if (paths.has(path.slice(0, slash)) || paths.has(path.slice(0, slash + 1))) return true;
    return false;
  };
}

function netTest(ranges: readonly AddressRange[]): Test {
  return (value) => {
    const address = parseAddress(String(value));
    return address !== undefined && ranges.some((range) => inRange(address, range));
  };
}

/** The right side may be several values only where the operator takes a list. @throws ConditionError for a value or an operator that the field cannot have. */
export function makeTest(field: Field, name: string, operator: Comparison, values: readonly Value[], offset: number): Test {
  const order = ORDERS.get(operator);
  if (order !== undefined) {
    if (field.kind !== 'number') throw new ConditionError(`${operator} compares numbers, and ${name} is none`, 'use =, != or another operator for texts', offset);
    const right = numberOf(values[0]!, name);
    return (left) => order(left as number, right);
  }
  if (field.kind === 'net') {
    if (operator !== '=' && operator !== '!=' && operator !== 'in') throw new ConditionError(`${name} cannot be asked with ${operator}`, 'use =, != or in', offset);
    const within = netTest(values.map((value) => rangeOf(value, name)));
    return operator === '!=' ? (left) => !within(left) : within;
  }
  const textTest = TEXT_TESTS.get(operator);
  if (textTest !== undefined || operator === 'pmatch') {
    if (field.kind !== 'text') throw new ConditionError(`${operator} is for texts, and ${name} is none`, 'use = or in', offset);
    if (textTest === undefined) return hasPrefix(new Set(values.map(({ text }) => toBytes(text)))) as Test;
    const [value] = values;
    if (operator.endsWith('glob') && countStars(value!.text) > MOST_STARS) throw new ConditionError(`the pattern has more than ${MOST_STARS} stars`, 'take some out', value!.offset);
    return textTest(toBytes(value!.text)) as Test;
  }
  const known = new Set(values.map((value) => literal(field, name, value)));
  if (operator === '!=') return (left) => !known.has(left);
  if (operator !== '=') return (left) => known.has(left);
  const [only] = known;
  return (left) => left === only;
}
