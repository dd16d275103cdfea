/** Containers that are kept: the door of the room. */
export { Containers } from './containers.ts';
export type { KeptContainer, WholeContainer } from './containers.ts';
export { LifecycleError, NameConflictError, NoSuchContainerError } from './errors.ts';
export { EventLog, EventReader } from './events.ts';
export type { EventType, LifeEvent } from './events.ts';
export { DEFAULT_HEALTH, STARTING, afterCheck, pauseBeforeCheck } from './health.ts';
export type { HealthCheck, HealthResult, HealthState } from './health.ts';
export { DEFAULT_LOG, DEFAULT_STOP_TIMEOUT_S, MOST_VOLUMES } from './limits.ts';
export { Life, runningState } from './life.ts';
export { checkName, checkVolumeName, randomId, shortId } from './names.ts';
export { Networks, NoSuchNetworkError, address6Of, gatewayOf, prefixOf } from './networks.ts';
export type { NetworkMember, NetworkRecord } from './networks.ts';
export type { ContainerRecord, GivenFile, ProcessInputs, VolumeUse, WatchRecord } from './record.ts';
export { NO_RESTART, restartPause } from './restart.ts';
export type { RestartName, RestartPolicy } from './restart.ts';
export { bytesOf } from './sizes.ts';
export { CREATED, EXIT_KILLED } from './state.ts';
export type { ContainerState, JoinedNetwork } from './state.ts';
