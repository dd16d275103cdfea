/** What a set of rules says of steps, each some lines for a shell. */
import assert from 'node:assert/strict';
import { OWN_NETWORK } from '../../src/net/index.ts';
import { caisson } from '../cli/caisson.ts';
import { jsonLines } from './testing.ts';
import type { JsonAlert, Root } from './testing.ts';

/** A step makes a file whose name says which it is: alerts in between are its own. */
const MARKS = '- rule: Mark\n  desc: A step begins.\n  condition: evt.type in (open, openat, creat) and evt.is_open_create = true and fd.name startswith /tmp/mark-\n  output: "%fd.filename"\n  priority: DEBUG\n';

/** Rules of a set that alerted, by step. What a step starts has a process of its own above it. */
export async function alertsOf(root: Root, set: string, steps: readonly string[]): Promise<readonly (readonly string[])[]> {
  const marks = root.file('marks.yaml', MARKS);
  const alerts = root.file('alerts.json');
  const script = [
    'PATH=/bin', 'exec 2>&1', `ADDRESS=${OWN_NETWORK.address}`, ...steps.map((step, index) => `: > /tmp/mark-${index}\n(\n(\n${step}\n)\ntrue\n)`), ': > /tmp/mark-end', 'true',
  ].join('\n');
  const flags = ['--net', 'outbound', '--rules', set, '--rules', marks, '--alerts', alerts];
  const { status, stdout, stderr } = await caisson(root.shell(script, flags));
  assert.equal(status, 0, stdout + stderr);
  const found: string[][] = steps.map(() => []);
  let at = -1;
  for (const { rule, output } of jsonLines<JsonAlert>(alerts)) {
    if (rule === 'Mark') at = output === 'mark-end' ? steps.length : Number(output.slice('mark-'.length));
    else found[at]?.push(rule);
  }
  assert.equal(at, steps.length, 'the last step was reached');
  return found.map((rules) => [...new Set(rules)].sort());
}
