/** What is told of a call that a profile does not allow. */
import { compileOutput } from '../rules/output.ts';
import type { Alert } from '../detector.ts';
import { MOST_OUTPUT_LENGTH } from '../limits.ts';
import { timeOf } from '../fields.ts';
import type { Subject } from '../subject.ts';
import { toText } from '../text.ts';
import type { Refusal, ProfileMode } from './guard.ts';
import type { Deed } from './profile.ts';

export const PROFILE_RULE = 'Not in the profile';

const DONE: Readonly<Record<Deed['section'], string>> = { programs: 'start', read: 'read', write: 'write or change', connect: 'reach', bind: 'take the address', calls: 'call' };
const WHO = compileOutput('command=%proc.cmdline parent=%proc.pname user=%user.name %container.info');

export function alertOfRefusal(subject: Subject, { section, line }: Refusal, mode: ProfileMode): Alert {
  const { container, event } = subject;
  const shown = toText(line);
  const output = `${toText(event.program.name)} wanted to ${DONE[section]} ${shown}, which the profile does not have (${WHO.text(subject)}); "- ${shown}" in its section ${section} allows it`.slice(0, MOST_OUTPUT_LENGTH);
  return {
    time: timeOf(event), rule: PROFILE_RULE, priority: 'Warning', output, fields: { ...WHO.fields(subject), 'profile.section': section, 'profile.line': shown }, tags: ['profile'], action: mode === 'enforce' ? 'deny' : 'alert',
    event: event.number, container: { id: container.id, name: container.name }, hostname: container.hostname, leftOut: 0,
  };
}
