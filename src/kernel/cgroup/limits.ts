/** Bounds of control groups, each with its reason. */

/** Groups of a container: each costs about 4 KB. EAGAIN, as `cgroup.max.descendants`. */
export const MOST_GROUPS = 4096;
/** Groups within each other: walks go from a task's group to the root. EAGAIN, as `cgroup.max.depth`. */
export const MOST_DEPTH = 64;
/** Longest name (cgroup names are file names: NAME_MAX). ENAMETOOLONG. */
export const MOST_NAME = 255;
