/** `update --allow-net` and `--deny-net`: other rules for containers that are there. */
import type { NetworkConfig, NetworkRules } from '../../container/index.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { rulesIn } from './outbound-options.ts';

/** What `update` changes: a list that is given stands for the one before. Undefined: neither is given. @throws UserError */
export function newRules(values: FlagValues): NetworkRules | undefined {
  if (!values.has('allow-net') && !values.has('deny-net')) return undefined;
  const isEmptied = values.all('deny-net').length === 1 && values.last('deny-net') === '';
  if (values.all('allow-net').includes('')) throw new UserError("cannot use --allow-net '': without a rule everything public could be reached", "--deny-net '*' closes everything, and --allow-net '*' says that it is open");
  return {
    ...(values.has('allow-net') ? { allow: rulesIn(values, 'allow-net') } : {}), ...(values.has('deny-net') ? { deny: isEmptied ? [] : rulesIn(values, 'deny-net') } : {}),
  };
}

/** Of a container that is there. @throws UserError where it has no way out, and `isRunning`, so that it gets none either */
export function withRules(network: NetworkConfig, rules: NetworkRules, isRunning: boolean): NetworkConfig {
  if (network.mode === 'none' && (isRunning || rules.allow === undefined)) {
    throw new UserError('nothing goes out of this container, so there is nothing to allow or deny', isRunning ? 'stop it first, and give --allow-net; or make one with --network outbound' : 'give --allow-net', EXIT_FAILED);
  }
  return { ...network, mode: 'outbound', ...rules };
}
