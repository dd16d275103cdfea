/** Users, capabilities and resource limits of a configuration as the kernel wants them. */
import * as capabilityNumbers from '../abi/capability.ts';
import { RLIMIT_NAMES } from '../abi/resource.ts';
import { ALL_CAPABILITIES, makeCredentials, withEffective } from '../kernel/task/credentials.ts';
import type { Identity } from '../kernel/task/credentials.ts';
import { ResourceLimits } from '../kernel/task/resource-limits.ts';
import { DEFAULT_CAPABILITIES } from './config.ts';
import type { ProcessConfig, RlimitConfig } from './config.ts';

const numberOf = new Map<string, number>(
  Object.entries(capabilityNumbers).flatMap(([name, value]) => (name.startsWith('CAP_') && typeof value === 'number' ? [[name.slice(4).toLowerCase(), value]] : [])),
);

function toSet(names: readonly string[]): bigint {
  return names.reduce((set, name) => {
    const number = numberOf.get(name);
    return number === undefined ? set : set | (1n << BigInt(number));
  }, 0n) & ALL_CAPABILITIES;
}

/** Root starts with its capabilities; others get them as ambient ones, so that their programs keep them. */
export function credentialsOf({ user, capabilities }: ProcessConfig): Identity {
  const granted = toSet(capabilities);
  const bounding = granted | toSet(user.uid === 0 ? [] : DEFAULT_CAPABILITIES);
  const credentials = makeCredentials(user.uid, user.gid, user.groups, bounding);
  if (user.uid === 0) return credentials;
  return withEffective({ ...credentials, permitted: granted, inheritable: granted, ambient: granted }, granted);
}

/** Limits that the configuration names, over the kernel's defaults. */
export function resourceLimitsOf(configured: readonly RlimitConfig[]): ResourceLimits {
  const limits = new ResourceLimits();
  for (const { name, soft, hard } of configured) {
    const resource = RLIMIT_NAMES.indexOf(`RLIMIT_${name.toUpperCase()}`);
    if (resource >= 0) limits.set(resource, { soft, hard });
  }
  return limits;
}
