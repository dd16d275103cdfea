/** The door to the room: what containers do, put before rules. */
export { parseAction, type Action } from './actions.ts';
export { defaultRules, readRuleFiles, type RulesFile } from './rules-files.ts';
export { AlertRate } from './alert-rate.ts';
export { Detector, type Alert, type DetectorOptions } from './detector.ts';
export { attach } from './attach.ts';
export { ConditionError, RulesError, type Place } from './errors.ts';
export { eventLine, footerLine, headerLine } from './event-json.ts';
export { FIELDS } from './fields.ts';
export { MOST_EVENT_LINE, MOST_NAMES, MOST_RULES_BYTES } from './limits.ts';
export { actionsOf, hasAction } from './rule-actions.ts';
export { readNames } from './names.ts';
export { OcsfWriter } from './ocsf/event.ts';
export { replay, type ReplayResult } from './replay.ts';
export { findRule, readRules, type Rule, type RuleSet } from './rules/rule-set.ts';
export { PRIORITIES, type Priority } from './rules/sources.ts';
export { NO_CONTAINER, type ContainerFacts } from './subject.ts';
export { toText } from './text.ts';
export { USES, UseRecord, type Use } from './use.ts';
