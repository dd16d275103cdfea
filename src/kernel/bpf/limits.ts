/** Bounds of BPF programs, each with its reason. */

/** Instructions of one program (BPF_MAXINSNS, which Linux has for who is not privileged): each is interpreted for each device that is opened. E2BIG. */
export const MOST_INSTRUCTIONS = 4096;
/** Programs of a container that are attached, or have a descriptor. ENOMEM. */
export const MOST_PROGRAMS = 1024;
/** Programs of one control group (BPF_CGROUP_MAX_PROGS). E2BIG. */
export const MOST_OF_GROUP = 64;
