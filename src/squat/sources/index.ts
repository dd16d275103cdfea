/** References in the files of a project, each with its line. Dockerfiles are read by `build`, whose language they are. */
import { MOST_SOURCE_REFERENCES } from '../limits.ts';
import { readGroovy } from './groovy.ts';
import { isScript, kindOf } from './kinds.ts';
import type { SourceKind } from './kinds.ts';
import { readShell } from './shell.ts';
import type { FoundReference } from './types.ts';
import { readYaml } from './yaml.ts';

export { isPassedOver } from './kinds.ts';
export type { SourceKind } from './kinds.ts';
export type { FoundReference } from './types.ts';

/** Paths of CI services, in which lists of services name images. */
const PIPELINE = /(?:^|\/)(?:\.gitlab-ci[^/]{0,60}\.ya?ml|\.gitlab\/.{0,200}|bitbucket-pipelines\.ya?ml|\.circleci\/.{0,200}|\.drone\.ya?ml|\.woodpecker.{0,200}|azure-pipelines[^/]{0,60}\.ya?ml|\.github\/workflows\/.{0,200})$/;

/** What a file that is no Dockerfile names, in the order of its lines; each text of a line once. `path`: with `/` between. */
export function readSource(kind: Exclude<SourceKind, 'dockerfile'>, text: string, path: string): readonly FoundReference[] {
  const found = kind === 'yaml' ? readYaml(text, { isPipeline: PIPELINE.test(path) }) : kind === 'groovy' ? readGroovy(text) : readShell(text);
  const seen = new Set<string>();
  const once = found.filter(({ text: word, line }) => {
    const key = `${line} ${word}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
  return once.sort((left, right) => left.line - right.line).slice(0, MOST_SOURCE_REFERENCES);
}

/** The kind, also of a script that its first line makes one. `start`: reads the first bytes of the file; asked where the name says nothing. */
export function sourceKind(fileName: string, start: () => string): SourceKind | undefined {
  return kindOf(fileName) ?? (!fileName.includes('.') && isScript(start()) ? 'shell' : undefined);
}
