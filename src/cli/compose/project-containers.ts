/** The containers of a project: what they are is in their labels, and nowhere else. */
import { createHash } from 'node:crypto';
import type { Project, Service } from '../../compose/index.ts';
import { NoSuchContainerError } from '../../lifecycle/index.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { EXIT_FAILED } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import { nearest } from '../flags.ts';
import { version } from '../version.ts';

const PREFIX = 'com.docker.compose';
/** Docker Compose's. */
export const LABEL = {
  project: `${PREFIX}.project`, service: `${PREFIX}.service`, number: `${PREFIX}.container-number`, oneOff: `${PREFIX}.oneoff`, hash: `${PREFIX}.config-hash`, image: `${PREFIX}.image`, directory: `${PREFIX}.project.working_dir`, files: `${PREFIX}.project.config_files`,
  dependsOn: `${PREFIX}.depends_on`, network: `${PREFIX}.network`, volume: `${PREFIX}.volume`, version: `${PREFIX}.version`,
} as const;

/** A container of a service. */
export interface ProjectContainer {
  readonly container: WholeContainer;
  readonly service: string;
  readonly number: number;
  readonly isOneOff: boolean;
}

/** By service and number. */
export function containersOf(containers: Containers, project: string): readonly ProjectContainer[] {
  return containers.list().flatMap((container) => {
    const { record } = container;
    if (record === undefined || record.labels[LABEL.project] !== project) return [];
    const { [LABEL.service]: service = '', [LABEL.number]: number = '0', [LABEL.oneOff]: oneOff } = record.labels;
    return [{ container: { ...container, record }, service, number: Number(number), isOneOff: oneOff === 'True' }];
  }).sort((one, other) => (one.service < other.service ? -1 : one.service > other.service ? 1 : one.number - other.number));
}

/** As it is by now; undefined: it is no more. */
export function again(containers: Containers, { container: { id } }: ProjectContainer): WholeContainer | undefined {
  try {
    const found = containers.find(id);
    return found.record === undefined ? undefined : { ...found, record: found.record };
  } catch (error) {
    if (error instanceof NoSuchContainerError) return undefined;
    throw error;
  }
}

/** What a container is made from: where it differs, the container is made again. What is not in it can change without that. */
export function hashOf({ document }: Service, files: readonly string[]): string {
  const { build: _, pull_policy: __, scale: ___, depends_on: ____, profiles: _____, attach: ______, deploy, ...rest } = document;
  const { replicas: _______, ...limits } = (deploy ?? {}) as { readonly replicas?: number };
  return createHash('sha256').update(JSON.stringify([rest, limits, files])).digest('hex');
}

/** `imageId`: of the image that it is made of. */
export function labelsOf(project: Project, service: Service, { number, oneOff, imageId, hash }: { readonly number: number; readonly oneOff: boolean; readonly imageId: string; readonly hash: string }): Readonly<Record<string, string>> {
  return {
    [LABEL.project]: project.name, [LABEL.service]: service.name, [LABEL.number]: String(number), [LABEL.oneOff]: oneOff ? 'True' : 'False', [LABEL.hash]: hash, [LABEL.image]: imageId, [LABEL.directory]: project.directory, [LABEL.files]: project.files.join(','),
    [LABEL.dependsOn]: [...service.dependencies].map(([name, { condition, restart }]) => `${name}:${condition}:${restart === true}`).join(','), [LABEL.version]: version,
  };
}

/** What a service's image is called. */
export function imageNameOf(project: Project, { name, settings }: Service): string {
  return settings.image ?? `${project.name}-${name}`;
}

/** Names of services on the command line; none: all. @throws UserError */
export function checkedServices(known: readonly string[], names: readonly string[]): readonly string[] {
  const wrong = names.find((name) => !known.includes(name));
  if (wrong === undefined) return names;
  const guess = nearest(wrong, known);
  throw new UserError(`no such service: ${wrong}`, guess === undefined ? known.length === 0 ? 'see "caisson compose ps -a"' : `there are ${known.join(', ')}` : `did you mean "${guess}"?`, EXIT_FAILED);
}

/** Services in groups: each needs only what groups before it have. Of those that the files do not have the labels say it. */
export function inLevels(items: readonly ProjectContainer[], project: Project | undefined): readonly (readonly ProjectContainer[])[] {
  const needs = new Map<string, Set<string>>();
  for (const { service, container } of items) {
    const own = project?.services.find(({ name }) => name === service);
    const names = own === undefined ? (container.record.labels[LABEL.dependsOn] ?? '').split(',').map((text) => text.split(':')[0] ?? '') : [...own.dependencies.keys()];
    needs.set(service, new Set([...needs.get(service) ?? [], ...names]));
  }
  const levels = new Map<string, number>();
  const levelOf = (service: string, above: readonly string[]): number => {
    const known = levels.get(service);
    if (known !== undefined || above.includes(service)) return known ?? 0;
    const level = Math.max(0, ...[...needs.get(service) ?? []].filter((name) => needs.has(name)).map((name) => levelOf(name, [...above, service]) + 1));
    levels.set(service, level);
    return level;
  };
  const groups: ProjectContainer[][] = [];
  for (const item of items) (groups[levelOf(item.service, [])] ??= []).push(item);
  return groups.filter((group) => group !== undefined);
}

/** ` Container app-web-1  Started`, as Docker Compose says what it has done. */
export function say(what: string, name: string, done: string): void {
  process.stderr.write(` ${what} ${name}  ${done}\n`);
}
