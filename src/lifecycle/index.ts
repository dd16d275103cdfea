/** Containers that are kept: the door of the room. */
export { Containers } from './containers.ts';
export type { KeptContainer, WholeContainer } from './containers.ts';
export { LifecycleError, NameConflictError, NoSuchContainerError } from './errors.ts';
export { DEFAULT_LOG, DEFAULT_STOP_TIMEOUT_S } from './limits.ts';
export { Life, runningState } from './life.ts';
export { checkName, randomId, shortId } from './names.ts';
export { Networks, NoSuchNetworkError, gatewayOf, prefixOf } from './networks.ts';
export type { NetworkMember, NetworkRecord } from './networks.ts';
export type { ContainerRecord, ProcessInputs } from './record.ts';
export { CREATED, EXIT_KILLED } from './state.ts';
export type { ContainerState } from './state.ts';
