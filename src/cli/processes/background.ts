/** Apart from `own-process.ts`, which loads what starts processes: every start asks this. */

/** Whether a command may leave a process behind that does what nobody needs to wait for: `CAISSON_BACKGROUND=off` says no. */
export function mayLeaveProcesses(): boolean {
  return !['off', 'no', 'false', '0'].includes((process.env['CAISSON_BACKGROUND'] ?? '').toLowerCase());
}
