/** From a Dockerfile to an image: the door of the room. */
export { CHECK_NAMES, CHECK_RULES, ruleUrl } from './check-rules.ts';
export type { CheckName } from './check-rules.ts';
export { checkDockerfile, checkSettings } from './checks.ts';
export type { CheckOptions, Finding } from './checks.ts';
export { Builder } from './builder.ts';
export type { BuildResult } from './builder.ts';
export { contextFromStream, ignoreRulesOf, readTextFile, withoutIgnored } from './context.ts';
export { parseDockerfile } from './dockerfile.ts';
export type { Dockerfile } from './dockerfile.ts';
export { BuildError } from './errors.ts';
export { MOST_DOCKERFILE_BYTES, MOST_SECRET_BYTES } from './limits.ts';
export type { IgnoreRules } from './patterns.ts';
export { HostNode, InodeNode, MemoryNode } from './tree.ts';
export type { TreeNode } from './tree.ts';
export type { BuildOptions, BuildReporter, StepInfo } from './types.ts';
export { exportTar, exportTree } from './export.ts';
export { verifyBuild } from './verify.ts';
export type { Difference } from './verify.ts';
