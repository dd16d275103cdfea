/** Compose files: the door of the room. */
export { readEnvironmentFile } from './environment-file.ts';
export { ComposeError } from './errors.ts';
export { interpolate } from './interpolate.ts';
export { MOST_FILE_BYTES, MOST_SCALE } from './limits.ts';
export type { BuildSetting, Dependency, DependencyCondition, GrantSetting, HealthSetting, MountSetting, Note, PortSetting, Project, ProjectFile, ProjectNetwork, ProjectVolume, Service, ServiceSettings } from './model.ts';
export { checkedName, normalizedName } from './names.ts';
export { withDependencies } from './order.ts';
export { directoryOf, resolvePath } from './paths.ts';
export { readProject } from './project.ts';
export type { ProjectOptions } from './project.ts';
export { timeOf } from './quantities.ts';
