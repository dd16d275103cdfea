/** `compose build`: services' images, by `caisson build`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Project, Service } from '../../compose/index.ts';
import { buildCommand } from '../build/build.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import { imageNameOf } from './project-containers.ts';

/** From the command line, over what the file says. */
export interface BuildChoice {
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly quiet?: boolean;
  readonly push?: boolean;
  readonly arguments?: readonly string[];
  readonly progress?: string | undefined;
}

const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i;

function each(flag: string, values: readonly string[] = []): readonly string[] {
  return values.flatMap((value) => [`--${flag}`, value]);
}

function pairs(flag: string, values: Readonly<Record<string, string | null>> = {}): readonly string[] {
  return Object.entries(values).flatMap(([key, value]) => [`--${flag}`, value === null ? key : `${key}=${value}`]);
}

/** Secrets of the project, by the names that its RUNs know. `directory`: for those that are no files. */
function secretFlags(project: Project, { name, settings: { build } }: Service, directory: string): readonly string[] {
  return (build?.secrets ?? []).flatMap(({ source, target }, index) => {
    const secret = project.secrets.get(source);
    let file = secret?.file;
    if (file === undefined) {
      file = join(directory, `secret-${index}`);
      writeFileSync(file, secret?.content ?? '', { mode: 0o600 });
    }
    if (/[,]/.test(file)) throw new UserError(`services.${name}.build.secrets: cannot use "${file}": there is a comma in it`, 'rename it', EXIT_FAILED);
    return ['--secret', `id=${target ?? source},src=${file}`];
  });
}

function flagsOf(project: Project, service: Service, choice: BuildChoice, directory: string): readonly string[] {
  const { build = {} } = service.settings;
  const context = build.context ?? project.directory;
  let file = build.dockerfile;
  if (build.dockerfile_inline !== undefined) {
    file = join(directory, 'Dockerfile');
    writeFileSync(file, build.dockerfile_inline);
  } else if (file !== undefined && !REMOTE.test(context)) file = resolve(context, file);
  const switches = [['no-cache', choice.noCache === true || build.no_cache === true], ['pull', choice.pull === true || build.pull === true], ['quiet', choice.quiet === true], ['push', choice.push === true]] as const;
  return [
    ...each('tag', [imageNameOf(project, service), ...build.tags ?? []]), ...(file === undefined ? [] : ['--file', file]), ...(build.target === undefined ? [] : ['--target', build.target]), ...(build.network === undefined ? [] : ['--network', build.network]),
    ...(build.provenance === undefined ? [] : [`--provenance=${build.provenance}`]), ...(choice.progress === undefined ? [] : ['--progress', choice.progress]), ...switches.flatMap(([flag, isOn]) => (isOn ? [`--${flag}`] : [])),
    ...pairs('build-arg', build.args), ...each('build-arg', choice.arguments), ...pairs('label', build.labels), ...pairs('build-context', build.additional_contexts), ...each('cache-from', build.cache_from), ...each('cache-to', build.cache_to), ...each('no-cache-filter', build.no_cache_filter),
    ...each('platform', build.platforms), ...pairs('ssh', build.ssh), ...secretFlags(project, service, directory), context,
  ];
}

/** @throws UserError, which says which service */
export async function buildService(project: Project, service: Service, choice: BuildChoice): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'caisson-compose-'));
  try {
    const status = await buildCommand(flagsOf(project, service, choice, directory));
    if (status !== 0) throw new UserError(`cannot build service "${service.name}"`, 'see above', EXIT_FAILED);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`service "${service.name}": ${error.message}`, error.advice, error.exitCode, { cause: error, ...(error.detail === undefined ? {} : { detail: error.detail }) });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
