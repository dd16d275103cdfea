/** How a thread of a build is told what it is. No command line has it: its words end at a NUL. */
export const BUILD_WORKER = '\0build';
