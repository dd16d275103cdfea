/** Compose files: the door of the room. */
export { readEnvironmentFile } from './environment-file.ts';
export { ComposeError } from './errors.ts';
export { MOST_FILE_BYTES, MOST_SCALE } from './limits.ts';
export type { Dependency, GrantSetting, MountSetting, Note, PortSetting, Project, Service, ServiceSettings } from './model.ts';
export { checkedName, normalizedName } from './names.ts';
export { withDependencies } from './order.ts';
export { readProject } from './project.ts';
export { timeOf } from './quantities.ts';
