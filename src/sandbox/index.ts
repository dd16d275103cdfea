/** The public API. */
export { Sandbox } from './sandbox.ts';
export { SandboxError } from './client.ts';
export { CommandHandle } from './commands.ts';
export type { CommandResult, Commands, RunOptions, StartOptions } from './commands.ts';
export type { Files, WatchEvent } from './files.ts';
export type { OcsfObject } from '../detect/index.ts';
export type { SandboxAlert, SandboxCall, SandboxProgram, SandboxWatch } from './watch.ts';
export type { SandboxMount, SandboxOptions, SandboxPort } from './options.ts';
export type { ChangeInfo, FileInfo, SandboxMetrics } from './protocol.ts';
export type { EventOptions, SandboxEvent, SandboxInfo } from './remote.ts';
