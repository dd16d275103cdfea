/** Attack paths: chains of steps from a process in the container to an effect on the host, with what each needs. */
import type { Severity } from '../findings/index.ts';
import type { Change } from './change.ts';
import type { HostFacts } from './host-facts.ts';
import type { Configuration } from './model.ts';

export type Platform = 'docker' | 'gvisor' | 'caisson';

/** `unknown`: it depends on what the configuration does not show. */
export type ConditionState = 'met' | 'missing' | 'unknown';

export interface Condition {
  /** A clause: `it has CAP_SYS_ADMIN`. */
  readonly text: string;
  readonly state: (configuration: Configuration, facts: HostFacts) => ConditionState;
  /** Items that are this condition. */
  readonly items: readonly string[];
  /** Sets of changes that may each make it missing; the smallest first. */
  readonly cuts: (configuration: Configuration) => readonly (readonly Change[])[];
}

/** What is left of a path on another engine. */
export type Verdict = { readonly open: false; readonly why: string } | { readonly open: true; readonly severity: Severity; readonly why: string };

export interface AttackPath {
  /** `release-agent`. */
  readonly id: string;
  readonly title: string;
  /** What an attacker in the container does, one after another. */
  readonly steps: readonly string[];
  readonly effect: string;
  /** Where nothing is missing and nothing unknown. */
  readonly severity: Severity;
  /** CVE, or who described it. */
  readonly source: string;
  /** All of them are needed. For each container, as some name what they found. */
  readonly conditions: (configuration: Configuration) => readonly Condition[];
  /** It is only told where the host's versions are known. */
  readonly needsFacts?: boolean;
  readonly gvisor: Verdict;
  readonly caisson: Verdict;
}

export function closed(why: string): Verdict {
  return { open: false, why };
}

export function stillOpen(severity: Severity, why: string): Verdict {
  return { open: true, severity, why };
}

export const SENTRY = closed('the kernel that is attacked is gVisor\'s sentry, not the host\'s');
export const OURS = closed('the kernel that is attacked is the container\'s own: Caisson passes no call on to the host');
