/** A runtime configuration to a running kernel: the door of the room. */
export { DEFAULT_CAPABILITIES, DEFAULT_LIMITS } from './config.ts';
export type { ContainerConfig, ExitStatus, LimitsConfig, MountConfig, NetworkConfig, ProcessConfig, RlimitConfig, UserConfig } from './config.ts';
