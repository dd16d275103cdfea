/** `events --learn FILE --replay STREAM`: a profile of what a recorded stream has; `events --profile FILE`: a profile, in another form. */
import { ProfileLearner, profileText, replay, seccompText } from '../../detect/index.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { learnedBefore, parseProfile, writeProfile } from './profile-files.ts';
import { linesOf, replayError } from './replay-command.ts';
import { profileOf } from './watch-flags.ts';
import { leftOutText } from './watching.ts';

/** @throws UserError */
export async function learnFromStream(values: FlagValues, stream: string, path: string): Promise<number> {
  const stray = ['rules', 'on-rule', 'profile', 'format'].find((flag) => values.has(flag));
  if (stray !== undefined) throw new UserError(`cannot use --learn with --${stray}`, 'learn first, and then use the profile');
  learnedBefore(path);
  const learner = new ProfileLearner(false);
  try {
    const { events, images } = await replay(stream, linesOf(stream), { rules: [], onAlert: () => true, alsoSees: [learner] });
    writeProfile(path, learner.profile(learnedBefore(path), images));
    process.stderr.write(`${events} events\n`);
    if (learner.leftOut > 0) process.stderr.write(`${leftOutText(learner.leftOut)}\n`);
    return 0;
  } catch (error) {
    throw replayError(error, stream);
  }
}

/** @throws UserError */
export function showProfile(values: FlagValues): number {
  const { name, text } = profileOf(values)!;
  const profile = parseProfile(name, text);
  const format = values.last('format') ?? 'yaml';
  if (format === 'seccomp') {
    const filter = seccompText(profile);
    if (filter === undefined) throw new UserError(`cannot make a filter of seccomp of "${name}": it says nothing of calls`, 'learn it from a run: a recorded stream does not have all calls');
    process.stdout.write(filter);
  } else if (format === 'json') process.stdout.write(`${JSON.stringify({ caisson: 'profile', version: 1, runs: profile.runs, images: profile.images, ...Object.fromEntries(profile.sections) })}\n`);
  else if (format === 'yaml') process.stdout.write(profileText(profile));
  else throw new UserError(`cannot show a profile as "${format}"`, 'write yaml, json or seccomp');
  return 0;
}
