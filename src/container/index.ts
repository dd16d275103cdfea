/** A runtime configuration to a running kernel: the door of the room. */
export { UnknownAccountError, readAccounts, resolveUser } from './accounts.ts';
export type { Account, AccountReader } from './accounts.ts';
export { accountReader, processOf } from './conversion.ts';
export type { ImageProcess, ProcessOverrides } from './conversion.ts';
export type { ContainerFiles } from './files.ts';
export { DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from './config.ts';
export type { ContainerConfig, ExitStatus, LayerPaths, LimitsConfig, MountConfig, NetworkConfig, NetworkMembership, OutboundLimits, ProcessConfig, PublishedPort, RlimitConfig, UserConfig } from './config.ts';
export { Container } from './container.ts';
export type { ContainerOptions } from './container.ts';
export type { Membership } from './container-network.ts';
export { ContainerError } from './errors.ts';
export { prepareMachine } from '../machine/index.ts';
export type { MachineImage, RegionCompiler } from '../machine/index.ts';
export { UnknownFilterError } from './trace-filter.ts';
export type { Change, ContainerStatistics, ContainerUsage, ProcessIo, RunningProcess } from './types.ts';
export { NetworkRuleError, OWN_NETWORK, PUBLISHED6, PortError, formatAddress, inRange, parseAddress, parseNetworkRule, parseRange } from '../net/index.ts';
export type { AddressRange, BoundPort, MemberDirectory, NetworkRules, OuterNetwork, Refusal } from '../net/index.ts';
