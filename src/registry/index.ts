/** A registry of images: the door of the room. */
export { ACTIONS, Access, openAccess } from './access.ts';
export type { AccessConfig, AccessRule, Action } from './access.ts';
export { Accounts, AccountsError } from './accounts.ts';
export { createApp, createMetricsApp } from './app.ts';
export { Authentication } from './authentication.ts';
export { collectGarbage } from './garbage.ts';
export { DEFAULT_REGISTRY_LIMITS, IDLE_TIMEOUT_MS, MOST_CONNECTIONS, MOST_HEADER_BYTES } from './limits.ts';
export type { RegistryLimits } from './limits.ts';
export { startMaintenance } from './maintenance.ts';
export { isRepositoryName } from './names.ts';
export type { QuotaRule } from './quotas.ts';
export { applyRetention, planRetention } from './retention.ts';
export type { RetentionRule } from './retention.ts';
export { scrub } from './scrub.ts';
export { Registry } from './service.ts';
export { RegistryStorage } from './storage.ts';
export { TokenIssuer, createVerifier, readPublicKeys } from './tokens.ts';
export type { UpstreamRule } from './upstreams.ts';
