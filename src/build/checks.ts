/**
 * Build checks: what a Dockerfile does that it should rather not. Names, conditions and messages are BuildKit's
 * (`frontend/dockerfile/linter/ruleset.go`); https://docs.docker.com/reference/build-checks/ describes them.
 */
import type { Dockerfile, Instruction } from './dockerfile.ts';
import { CHECK_RULES } from './check-rules.ts';
import type { CheckName } from './check-rules.ts';
import { CheckedFile } from './checked-file.ts';
import type { CheckedStage } from './checked-file.ts';
import { argumentChecks } from './check-arguments.ts';
import type { Lines } from './errors.ts';
import { jsonForm } from './words.ts';
import { cleanPath, hasWildcard } from './patterns.ts';
import type { IgnoreRules } from './patterns.ts';
import { splitRaw } from './expand.ts';
import { toText } from './text.ts';

export interface Finding {
  readonly rule: CheckName;
  readonly message: string;
  readonly lines: Lines;
}

export interface CheckOptions {
  /** What .dockerignore leaves out. */
  readonly ignored: IgnoreRules | undefined;
  /** Variables of an image; undefined: nobody knows them. */
  readonly environmentOf: (image: string) => readonly string[] | undefined;
}

export type Report = (rule: CheckName, lines: Lines, message: string) => void;

const RESERVED_NAMES = new Set(['context', 'scratch']);

function checkCasing({ instructions }: Dockerfile, report: Report): void {
  const isUpper = ({ typedKeyword }: Instruction): boolean => typedKeyword === typedKeyword.toUpperCase();
  const isLower = ({ typedKeyword }: Instruction): boolean => typedKeyword === typedKeyword.toLowerCase();
  const lower = instructions.filter(isLower).length > instructions.filter(isUpper).length;
  for (const instruction of instructions) {
    if (lower ? isLower(instruction) : isUpper(instruction)) continue;
    report('ConsistentInstructionCasing', instruction.lines, `Command '${instruction.typedKeyword}' should match the case of the command majority (${lower ? 'lowercase' : 'uppercase'})`);
  }
}

function checkContinuations({ instructions, lines, escape }: Dockerfile, report: Report): void {
  for (const instruction of instructions) {
    const { start, end } = instruction.lines;
    let continues = false;
    for (let line = start; line <= end; line++) {
      const text = lines[line - 1] ?? '';
      if (continues && text.trim() === '') {
        report('NoEmptyContinuation', { start: line, end: line }, `Empty continuation line found in: ${instruction.keyword} ${toText(instruction.text)}`);
        break;
      }
      if (text.trimStart().startsWith('#') && continues) continue;
      continues = text.trimEnd().endsWith(escape);
      if (!continues) break;
    }
  }
}

function checkStageNames(stages: readonly CheckedStage[], report: Report): void {
  const seen = new Set<string>();
  for (const { from, typedName, asKeyword } of stages) {
    if (typedName === undefined || asKeyword === undefined) continue;
    const name = typedName.toLowerCase();
    if (typedName !== name) report('StageNameCasing', from.lines, `Stage name '${typedName}' should be lowercase`);
    const upper = from.typedKeyword === from.typedKeyword.toUpperCase();
    if ((upper ? asKeyword.toUpperCase() : asKeyword.toLowerCase()) !== asKeyword) report('FromAsCasing', from.lines, `'${asKeyword}' and '${from.typedKeyword}' keywords' casing do not match`);
    if (RESERVED_NAMES.has(name)) report('ReservedStageName', from.lines, `Stage name should not use the same name as reserved stage "${name}"`);
    if (seen.has(name)) report('DuplicateStageName', from.lines, `Duplicate stage name "${name}", stage names should be unique`);
    seen.add(name);
  }
}

function checkPlatforms(stages: readonly CheckedStage[], report: Report): void {
  for (const { from, typedName } of stages) {
    const platform = from.flags.find(({ name }) => name === 'platform')?.value;
    if (platform === undefined) continue;
    if (/^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(platform)) report('RedundantTargetPlatform', from.lines, `Setting platform to predefined ${platform} in FROM is redundant as this is the default behavior`);
    const parts = platform.toLowerCase().split('/');
    const isNamed = typedName !== undefined && parts.some((part) => typedName.toLowerCase().includes(part));
    if (!platform.includes('$') && !isNamed) report('FromPlatformFlagConstDisallowed', from.lines, `FROM --platform flag should not use constant value "${platform}"`);
  }
}

function checkOnce({ instructions }: CheckedStage, report: Report): void {
  for (const keyword of ['CMD', 'ENTRYPOINT', 'HEALTHCHECK']) {
    const found = instructions.filter((instruction) => instruction.keyword === keyword);
    for (const { lines } of found.slice(0, -1)) report('MultipleInstructionsDisallowed', lines, `Multiple ${keyword} instructions should not be used in the same stage because only the last one will be used`);
  }
}

function checkForms({ instructions }: CheckedStage, report: Report): void {
  let hasShell = false;
  for (const { keyword, text, lines } of instructions) {
    if (keyword === 'SHELL') hasShell = true;
    if ((keyword === 'CMD' || keyword === 'ENTRYPOINT') && !hasShell && jsonForm(text) === undefined) report('JSONArgsRecommended', lines, `JSON arguments recommended for ${keyword} to prevent unintended behavior related to OS signals`);
    if (keyword === 'MAINTAINER') report('MaintainerDeprecated', lines, 'Maintainer instruction is deprecated in favor of using label');
    if ((keyword === 'ENV' || keyword === 'LABEL') && /^[^\s="']+[ \t]/.test(text)) report('LegacyKeyValueFormat', lines, `"${keyword} key=value" should be used instead of legacy "${keyword} key value" format`);
  }
}

function checkPorts({ instructions }: CheckedStage, escape: string, report: Report): void {
  for (const { keyword, text, lines } of instructions) {
    if (keyword !== 'EXPOSE') continue;
    for (const word of splitRaw(text, escape).map(toText)) {
      const [port = '', protocol = ''] = word.split('/');
      if (protocol !== protocol.toLowerCase()) report('ExposeProtoCasing', lines, `Defined protocol '${word}' in EXPOSE instruction should be lowercase`);
      if (port.includes(':') && !port.includes('$')) report('ExposeInvalidFormat', lines, `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`);
    }
  }
}

/** The directory that a stage has when its first instruction comes may be that of an image, which may change. */
function checkWorkdirs(stages: readonly CheckedStage[], report: Report): void {
  const absolute = new Set<CheckedStage>();
  for (const stage of stages) {
    let isSet = stage.parent !== undefined && absolute.has(stage.parent);
    for (const { keyword, text, lines } of stage.instructions) {
      if (keyword !== 'WORKDIR') continue;
      const path = text.replace(/^["']/, '');
      if (path.startsWith('/') || path.startsWith('$')) isSet = true;
      else if (!isSet) report('WorkdirRelativePath', lines, `Relative workdir "${toText(text)}" can have unexpected results if the base image changes`);
    }
    if (isSet) absolute.add(stage);
  }
}

function checkIgnored({ instructions }: CheckedStage, ignored: IgnoreRules | undefined, escape: string, report: Report): void {
  if (ignored === undefined || ignored.isEmpty) return;
  for (const { keyword, text, flags, lines } of instructions) {
    if ((keyword !== 'COPY' && keyword !== 'ADD') || flags.some(({ name }) => name === 'from')) continue;
    const sources = (jsonForm(text) ?? splitRaw(text, escape)).slice(0, -1);
    for (const source of sources) {
      const path = cleanPath(source);
      if (path === '' || /^<<|:\/\/|\$/.test(source) || hasWildcard(source) || !ignored.excludes(path)) continue;
      report('CopyIgnoredFile', lines, `Attempting to ${keyword === 'COPY' ? 'Copy' : 'Add'} file "${toText(source)}" that is excluded by .dockerignore`);
    }
  }
}

/** Comments right above a stage or an argument describe it, if they begin with its name. */
function checkDescriptions({ dockerfile, stages, globals }: CheckedFile, report: Report): void {
  const comments = new Map(dockerfile.comments.map(({ line, text }) => [line, text]));
  const check = (lines: Lines, name: string | undefined): void => {
    const comment = comments.get(lines.start - 1);
    if (comment === undefined || name === undefined) return;
    const isDirective = lines.start - 1 <= dockerfile.directives.size;
    if (isDirective || comment.trimStart().startsWith(`${name} `)) return;
    report('InvalidDefinitionDescription', lines, `Comment for build ${stages.some(({ from }) => from.lines === lines) ? 'stage' : 'argument'} should follow the format: \`# ${name} <description>\`. If this is not intended to be a description comment, add an empty line or comment between the instruction and the comment.`);
  };
  for (const { lines, text } of globals) check(lines, /^[^\s=]+/.exec(text)?.[0]);
  for (const { from, typedName } of stages) check(from.lines, typedName);
}

/** `# check=skip=A,B;error=true;experimental=all` */
export function checkSettings({ directives }: Dockerfile): { readonly skip: ReadonlySet<string>; readonly error: boolean; readonly experimental: ReadonlySet<string> } {
  const settings = new Map((directives.get('check') ?? '').split(';').map((part) => [part.slice(0, part.indexOf('=')).trim(), part.slice(part.indexOf('=') + 1).trim()]));
  const names = (key: string): ReadonlySet<string> => new Set((settings.get(key) ?? '').split(',').map((name) => name.trim()).filter((name) => name !== ''));
  return { skip: names('skip'), error: settings.get('error') === 'true', experimental: names('experimental') };
}

/** In the order of the lines. */
export function checkDockerfile(dockerfile: Dockerfile, options: CheckOptions): readonly Finding[] {
  const { skip, experimental } = checkSettings(dockerfile);
  const findings: Finding[] = [];
  const report: Report = (rule, lines, message) => {
    const isOff = skip.has('all') || skip.has(rule) || (CHECK_RULES[rule].experimental && !experimental.has('all') && !experimental.has(rule));
    if (!isOff) findings.push({ rule, lines, message });
  };
  const file = new CheckedFile(dockerfile);
  checkCasing(dockerfile, report);
  checkContinuations(dockerfile, report);
  checkStageNames(file.stages, report);
  checkPlatforms(file.stages, report);
  checkWorkdirs(file.stages, report);
  checkDescriptions(file, report);
  for (const stage of file.stages) {
    checkOnce(stage, report);
    checkForms(stage, report);
    checkPorts(stage, dockerfile.escape, report);
    checkIgnored(stage, options.ignored, dockerfile.escape, report);
  }
  argumentChecks(file, options.environmentOf, report);
  return findings.sort((left, right) => left.lines.start - right.lines.start);
}
