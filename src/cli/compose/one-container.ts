/** The container of a service that a command is about. */
import type { Containers } from '../../lifecycle/index.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { need } from '../option-values.ts';
import { parseCount } from '../quantities.ts';
import { itemsOf } from './compose-down.ts';
import type { KnownProject } from './compose-down.ts';
import type { ProjectContainer } from './project-containers.ts';

/** `--index`, or the first that runs. @throws UserError */
export function oneContainer(containers: Containers, known: KnownProject, service: string, values: FlagValues): ProjectContainer {
  const items = itemsOf(containers, known, [service]);
  const text = values.last('index');
  const index = text === undefined ? undefined : need(parseCount(text), 'index', text, 'it is not a number');
  const found = index === undefined ? items.find(({ container }) => container.state.status === 'running') : items.find(({ number }) => number === index);
  if (found === undefined) throw new UserError(`service "${service}" is not running${index === undefined ? '' : ` container #${index}`}`, 'start it with "caisson compose up -d"', EXIT_FAILED);
  return found;
}
