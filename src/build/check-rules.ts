/** The build checks as data: name, what it is about, the remedy. */

export interface CheckRule {
  readonly description: string;
  readonly remedy: string;
  readonly experimental: boolean;
}

const rule = (description: string, remedy: string, experimental = false): CheckRule => ({ description, remedy, experimental });

export const CHECK_RULES = {
  ConsistentInstructionCasing: rule('All commands within the Dockerfile should use the same casing (either upper or lower)', 'write all instructions in capitals'),
  CopyIgnoredFile: rule('Attempting to Copy file that is excluded by .dockerignore', 'take it out of .dockerignore, or do not copy it'),
  DuplicateStageName: rule('Stage names should be unique', 'rename one of the stages'),
  ExposeInvalidFormat: rule('IP address and host-port mapping should not be used in EXPOSE instruction', 'name the port of the container only; "run -p" maps it'),
  ExposeProtoCasing: rule('Protocol in EXPOSE instruction should be lowercase', 'write tcp or udp in small letters'),
  FromAsCasing: rule('The \'as\' keyword should match the case of the \'from\' keyword', 'write FROM ... AS, both in capitals'),
  FromPlatformFlagConstDisallowed: rule('FROM --platform flag should not use a constant value', 'leave --platform out, or use $BUILDPLATFORM'),
  InvalidDefaultArgInFrom: rule('Default value for global ARG results in an empty or invalid base image name', 'give the ARG a default with which FROM names an image'),
  InvalidDefinitionDescription: rule('Comment for build stage or argument should follow the format: `# <arg/stage name> <description>`', 'begin the comment with the name, or leave a line empty below it', true),
  JSONArgsRecommended: rule('JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals', 'write it as a JSON list; with SHELL set, the shell form is taken as meant'),
  LegacyKeyValueFormat: rule('Legacy key/value format with whitespace separator should not be used', 'write NAME=VALUE'),
  MaintainerDeprecated: rule('The MAINTAINER instruction is deprecated, use a label instead to define an image author', 'write LABEL org.opencontainers.image.authors="..."'),
  MultipleInstructionsDisallowed: rule('Multiple instructions of the same type should not be used in the same stage', 'keep the last one only'),
  NoEmptyContinuation: rule('Empty continuation lines will become errors in a future release', 'take the empty line away, or make it a comment'),
  RedundantTargetPlatform: rule('Setting platform to predefined $TARGETPLATFORM in FROM is redundant as this is the default behavior', 'leave --platform out'),
  ReservedStageName: rule('Reserved words should not be used as stage names', 'rename the stage'),
  SecretsUsedInArgOrEnv: rule('Sensitive data should not be used in the ARG or ENV commands', 'use RUN --mount=type=secret'),
  StageNameCasing: rule('Stage names should be lowercase', 'write the name in small letters'),
  UndefinedArgInFrom: rule('FROM command must use declared ARGs', 'declare it with ARG before the first FROM'),
  UndefinedVar: rule('Variables should be defined before their use', 'declare it with ARG or ENV, or correct the name'),
  WorkdirRelativePath: rule('Relative workdir without an absolute workdir declared within the build can have unexpected results if the base image changes', 'begin the first WORKDIR of a stage with /'),
} as const satisfies Readonly<Record<string, CheckRule>>;

export type CheckName = keyof typeof CHECK_RULES;

export const CHECK_NAMES = Object.keys(CHECK_RULES) as readonly CheckName[];

/** Where Docker describes it. */
export function ruleUrl(name: CheckName): string {
  const kebab = name.replace(/^JSON/, 'Json').replace(/([a-z])([A-Z])/g, '$1-$2').toLowerCase();
  return `https://docs.docker.com/go/dockerfile/rule/${kebab}/`;
}
