/** Names that are not the ones that are meant: the door of the room. */
export { SquatError } from './errors.ts';
export { judge, judgeReference } from './judge.ts';
export type { Judgement, Part, Slip, Suspicion } from './judge.ts';
export { BUILT_IN_NAMES, Names } from './names.ts';
export { KINDS, LEAST_SCORE, RULES, severityOf } from './rules.ts';
export type { Kind } from './rules.ts';
