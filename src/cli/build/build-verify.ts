/** `--verify`: builds twice and says what differs. */
import { verifyBuild } from '../../build/index.ts';
import type { BuildOptions, BuildResult } from '../../build/index.ts';
import { UserError } from '../errors.ts';

const EXIT_DIFFERENT = 1;

/** @throws UserError that lists the differences. */
export async function verify(options: BuildOptions, first: BuildResult): Promise<void> {
  const differences = await verifyBuild(options, first);
  if (differences.length === 0) {
    options.reporter.note('verified: a second build gives the same bytes');
    return;
  }
  const lines: string[] = [];
  let step: string | undefined;
  for (const difference of differences) {
    if (difference.step !== step) lines.push(difference.step);
    step = difference.step;
    lines.push(`  ${difference.path === '' ? '' : `${difference.path}: `}${difference.what}`);
  }
  throw new UserError('cannot verify the build: a second one differs', 'see the files below', EXIT_DIFFERENT, { detail: lines.join('\n') });
}
