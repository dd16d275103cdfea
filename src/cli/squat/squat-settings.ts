/**
 * What a user wants done about names that may be traps: `--squat` and `--squat-allow`, CAISSON_SQUAT, and `squat.json` in the configuration directory:
 *
 *     { "policy": "refuse", "allow": ["ghcr.io/acme/*"], "names": "names.txt" }
 */
import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';

export const POLICIES = ['warn', 'refuse', 'off'] as const;
export type SquatPolicy = (typeof POLICIES)[number];

export interface SquatSettings {
  readonly policy: SquatPolicy;
  readonly allow: readonly string[];
  /** A file of names. */
  readonly names: string | undefined;
}

/** XDG Base Directory Specification: a relative XDG_CONFIG_HOME is ignored. */
function configFile(): string | undefined {
  const { CAISSON_SQUAT_CONFIG: given, XDG_CONFIG_HOME: configHome, HOME: home } = process.env;
  if (given !== undefined && given !== '') return given;
  const base = configHome !== undefined && isAbsolute(configHome) ? configHome : home === undefined || home === '' ? undefined : join(home, '.config');
  return base === undefined ? undefined : join(base, 'caisson', 'squat.json');
}

function fail(file: string, why: string, cause?: unknown): never {
  throw new UserError(`cannot use the configuration "${file}": ${why}`, 'such as {"policy": "refuse", "allow": ["ghcr.io/acme/*"]}', undefined, { cause });
}

type Given = Partial<SquatSettings>;

function checked(file: string, value: unknown): Given {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(file, 'it is no object');
  const fields = new Map<string, unknown>(Object.entries(value));
  for (const name of fields.keys()) if (!['policy', 'allow', 'names'].includes(name)) fail(file, `"${name}" means nothing`);
  const policy = fields.get('policy');
  const known = POLICIES.find((word) => word === policy);
  if (policy !== undefined && known === undefined) fail(file, `"policy" is one of ${POLICIES.join(', ')}`);
  const allow = fields.get('allow') ?? [];
  if (!Array.isArray(allow) || !allow.every((pattern) => typeof pattern === 'string')) fail(file, '"allow" is a list of names');
  const names = fields.get('names');
  if (names !== undefined && typeof names !== 'string') fail(file, '"names" is a path');
  return { ...(known === undefined ? {} : { policy: known }), allow, ...(names === undefined ? {} : { names: resolve(dirname(file), names) }) };
}

function readConfig(): Given {
  const file = configFile();
  if (file === undefined) return {};
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '') && process.env['CAISSON_SQUAT_CONFIG'] === undefined) return {};
    return fail(file, (error as Error).message, error);
  }
  try {
    return checked(file, JSON.parse(text));
  } catch (error) {
    if (error instanceof UserError) throw error;
    return fail(file, `it is not JSON: ${(error as Error).message}`, error);
  }
}

function policyOf(text: string | undefined, where: string): SquatPolicy | undefined {
  if (text === undefined || text === '') return undefined;
  const known = POLICIES.find((policy) => policy === text);
  if (known === undefined) throw new UserError(`cannot use ${where} ${text}: it is one of ${POLICIES.join(', ')}`, 'see the command\'s --help');
  return known;
}

/** The flag goes before the environment, and that before the configuration; all that is allowed anywhere is. @throws UserError */
export function squatSettings(values: FlagValues): SquatSettings {
  const config = readConfig();
  return {
    policy: policyOf(values.last('squat'), '--squat') ?? policyOf(process.env['CAISSON_SQUAT'], 'CAISSON_SQUAT') ?? config.policy ?? 'warn',
    allow: [...values.all('squat-allow'), ...config.allow ?? []], names: config.names,
  };
}

/** Where the policy is not `off`, a name that may be a trap is spoken of, and asked about, or refused. `verb`: `pull`. @throws UserError */
export async function holdAgainstNames(typed: string, verb: string, values: FlagValues): Promise<void> {
  const settings = squatSettings(values);
  if (settings.policy !== 'off') await (await import('./squat-policy.ts')).judgeForUse(typed, verb, settings);
}

/** An image that is here was judged when it came; where traps are refused, its name is not used either. @throws UserError */
export async function refuseTraps(typed: string, verb: string, values: FlagValues): Promise<void> {
  const settings = squatSettings(values);
  if (settings.policy === 'refuse') await (await import('./squat-policy.ts')).judgeForUse(typed, verb, settings);
}
