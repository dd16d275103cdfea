/** Names that are not the ones that are meant: the door of the room. */
export { SquatError } from './errors.ts';
export { kindsOfEdit } from './edits.ts';
export { generate } from './generate.ts';
export type { Candidate } from './generate.ts';
export { judge, judgeReference } from './judge.ts';
export type { Judgement, Part, Slip, Suspicion } from './judge.ts';
export { BUILT_IN_NAMES, Names } from './names.ts';
export { nearRepository, nearWellKnown } from './near.ts';
export type { NearName } from './near.ts';
export { KINDS, LEAST_SCORE, RULES, isHint, severityOf } from './rules.ts';
export type { Kind } from './rules.ts';
export { MOST_SOURCE_BYTES } from './limits.ts';
export { isPassedOver, readSource, sourceKind } from './sources/index.ts';
export type { FoundReference, SourceKind } from './sources/index.ts';
export { MOST_STATE_BYTES, changeOf, formatSeen, parseSeen } from './watch.ts';
export type { Change, Seen, SeenNames } from './watch.ts';
