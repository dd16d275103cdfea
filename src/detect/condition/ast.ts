/** A condition as a tree. Offsets count characters of its text. */

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' | 'icontains' | 'startswith' | 'endswith' | 'glob' | 'iglob' | 'in' | 'intersects' | 'pmatch';

export interface FieldUse {
  /** Without the argument. */
  readonly name: string;
  /** Between brackets: `proc.aname[2]`. */
  readonly argument: string | undefined;
  /** `tolower(...)` and others, the innermost first. */
  readonly transformers: readonly string[];
  readonly offset: number;
}

export interface Value {
  readonly text: string;
  /** In quotes: never the name of a list. */
  readonly isQuoted: boolean;
  readonly offset: number;
}

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  | { readonly kind: 'macro'; readonly name: string; readonly offset: number }
  | { readonly kind: 'exists'; readonly field: FieldUse }
  | { readonly kind: 'check'; readonly field: FieldUse; readonly operator: Comparison; readonly values: readonly Value[]; readonly isList: boolean };
