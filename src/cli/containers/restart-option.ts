/** `--restart` of `run`, `create` and `update`. */
import type { RestartName, RestartPolicy } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { parseCount } from '../quantities.ts';

const NAMES: readonly RestartName[] = ['no', 'always', 'unless-stopped', 'on-failure'];

/** Messages as Docker's. @throws UserError */
export function parseRestart(text: string): RestartPolicy {
  const [name = '', count, ...rest] = text.split(':');
  const known = NAMES.find((one) => one === name);
  if (known === undefined) {
    const guess = nearest(name, NAMES);
    throw new UserError(`cannot use --restart ${text}: invalid restart policy: unknown policy '${name}'`, guess === undefined ? `use one of ${NAMES.map((one) => `'${one}'`).join(', ')}` : `did you mean ${guess}?`);
  }
  const maximumRetries = count === undefined || count === '' ? 0 : parseCount(count);
  if (rest.length > 0 || maximumRetries === undefined) throw new UserError(`cannot use --restart ${text}: invalid restart policy format: maximum retry count must be an integer`, 'such as on-failure:3');
  if (known !== 'on-failure' && count !== undefined) throw new UserError(`cannot use --restart ${text}: invalid restart policy: maximum retry count can only be used with 'on-failure'`, `write ${known}`);
  return { name: known, maximumRetries };
}
