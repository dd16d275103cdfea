/** An item is one fact of a configuration that a rule of some standard asks about: whether it is so, what it means on three engines, and what changes it. */
import type { Change } from './change.ts';
import type { Configuration } from './model.ts';

export interface Meaning {
  /** Under Docker, Podman, containerd or CRI-O with runc or crun: one sentence. */
  readonly docker: string;
  /** With gVisor's runsc as the runtime. */
  readonly gvisor: string;
  /** Here: whether it can happen at all, and why. */
  readonly caisson: { readonly applies: boolean; readonly why: string };
}

export interface Item {
  /** One word: `host-pid`. */
  readonly id: string;
  /** A sentence about a container: `It shares the host's process namespace`. */
  readonly summary: string;
  /** A clause: what to do. */
  readonly remedy: string;
  /** What shows it; nothing: it is not so. Undefined: this kind of input does not say. */
  readonly find: (configuration: Configuration) => readonly string[] | undefined;
  /** What makes it so no more. */
  readonly changes: (configuration: Configuration) => readonly Change[];
  readonly meaning: Meaning;
  /** An image shows it by itself; others are of containers only. */
  readonly isOfImages?: boolean;
}

/** Evidence of a fact that is either so or not. */
export function when(isSo: boolean, evidence: string): readonly string[] {
  return isSo ? [evidence] : [];
}

/** Why most of what an escape needs is not there. */
export const OWN_KERNEL = { applies: false, why: 'cannot happen: each container has a kernel of its own, written in TypeScript, so its rights are rights in that kernel; no call of it reaches the host\'s' } as const;
export const NO_SUCH_FLAG = { applies: false, why: 'cannot be asked for: "caisson run" has nothing of the kind to give' } as const;
export const NOT_OPENED = { applies: false, why: 'cannot happen: sockets, devices and FIFOs in a mounted directory are shown and never opened' } as const;
export const OWN_FILES = { applies: false, why: 'cannot happen: /proc, /sys and cgroups are the container\'s own kernel\'s; a mount of the host\'s shows plain files, with the rights of the user who runs it' } as const;
export const AS_THE_USER = { applies: true, why: 'applies: what is mounted is the host\'s, read with the rights of the user who runs it (not of root), and written where "ro" is not said; known places of credentials are hidden' } as const;
export const SAME_INSIDE = { applies: true, why: 'applies inside the container only: it is the same program with the same rights in its own kernel' } as const;
