/** How a thread of a build is told what it is. No command line has it: its words end at a NUL. */
export const BUILD_WORKER = '\0build';
/** How a process of its own is told which container it runs: by its id, behind this word. Nobody types it. */
export const CONTAINER_PROCESS = '--container-process';
/** Behind the id: it begins when somebody reads what it prints. */
export const WAITS_FOR_READER = 'attached';
/** How a process that makes machine code is told what it is; of what stands behind it. */
export const OPTIMIZING_PROCESS = '--optimizing-process';
/** Stands for the machine's own modules; no path of a program is so called. */
export const THE_MACHINE = 'machine';
/** How the build asks for machine code of the machine: behind it stands where to. */
export const TRAINING_PROCESS = '--training-process';
/** How a process that makes layers ready is told what it is. */
export const PREPARING_PROCESS = '--preparing-process';
