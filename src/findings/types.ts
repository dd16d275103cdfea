/** What a tool that judges something found, and the rules that it judged by. */

/** From the least to the worst. */
export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Rule {
  /** `omission`; one word, without spaces, unique within a tool. */
  readonly id: string;
  /** One sentence: what the rule is about. */
  readonly summary: string;
  /** One clause: what to do. */
  readonly remedy: string;
  /** What a finding has unless it says otherwise. */
  readonly severity: Severity;
  /** Where it is described. */
  readonly url?: string;
}

/** A place in a file. */
export interface Place {
  /** As text; relative to what was asked for. */
  readonly file: string;
  /** From 1 on. */
  readonly line?: number;
  /** The last line, where there are several. */
  readonly endLine?: number;
  /** What stands there, without the line break at its end. */
  readonly source?: string;
}

export interface Evidence {
  readonly name: string;
  readonly value: string;
}

export interface Finding {
  readonly rule: string;
  readonly severity: Severity;
  /** What it is about: a reference, a container, a package. */
  readonly subject: string;
  /** One sentence, without the rule's name. */
  readonly message: string;
  /** What to do here, where that is more than the rule says. */
  readonly remedy?: string;
  readonly place?: Place;
  /** From 0 to 1: how sure the rule is. */
  readonly score?: number;
  readonly evidence?: readonly Evidence[];
  /** More for readers of JSON and SARIF; plain data. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A finding that an ignore file takes out. */
export interface IgnoredFinding {
  readonly finding: Finding;
  readonly reason: string;
  /** The last day, `YYYY-MM-DD`. */
  readonly until: string | undefined;
}

/** More for the HTML report. Text is escaped; an SVG is taken as it is, so whoever draws it escapes what it shows (`escapeMarkup`). */
export type Section =
  | { readonly title: string; readonly text: string }
  | { readonly title: string; readonly rows: readonly (readonly string[])[] }
  | { readonly title: string; readonly svg: string };

/** All that is written in any of the formats. */
export interface Report {
  /** The command: `squat`. */
  readonly tool: string;
  readonly version: string;
  /** What was looked at, as a person would say it. */
  readonly target: string;
  readonly rules: readonly Rule[];
  readonly findings: readonly Finding[];
  readonly ignored: readonly IgnoredFinding[];
  /** How it is said that there is nothing: `no findings`. */
  readonly nothing?: string;
  /** False: rules of style, which code scanners show apart from those of security. */
  readonly isSecurity?: boolean;
  /** More fields for JSON. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly sections?: readonly Section[];
}
