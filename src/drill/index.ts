/** Known ways out, tried: the door of the room. */
export { KINDS } from './types.ts';
export type { Attempt, Field, Grants, GuestReport, Hands, Kind, Neighbour, Outcome, Run, Sighting, Technique, Twin, Verdict } from './types.ts';
export { Program } from './guest/program.ts';
export { TECHNIQUES } from './techniques.ts';
export { judge, readReport, seenAsText } from './verdict.ts';
export { WORD, makeSweeper, makeWatchman } from './watchman.ts';
export type { Watchman } from './watchman.ts';
export { asFindings, drillSummary, drillTable, isProven, listTable, techniqueAsData } from './report.ts';
export type { DrillReport, Result } from './report.ts';
export { bundleConfig } from './bundle.ts';
export { carriedBundle } from './carry.ts';
export type { CarriedFile } from './carry.ts';
