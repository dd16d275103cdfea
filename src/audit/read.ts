/** Finds out what an input is, and reads it. */
import { isObject } from '../image/index.ts';
import type { Json } from '../image/index.ts';
import { AuditInputError } from './errors.ts';
import { textAt } from './fields.ts';
import type { AuditInput } from './input.ts';
import { MOST_CONTAINERS, MOST_FLOW_BYTES, MOST_INPUT_BYTES, MOST_ITEMS, MOST_QUOTED, MOST_TEXTS } from './limits.ts';
import type { Configuration } from './model.ts';
import { isImage, readImages } from './read-image.ts';
import { isCompose, readCompose } from './read-compose.ts';
import { readCommands } from './read-command.ts';
import { isInspection, readInspection } from './read-inspect.ts';
import { isKubernetes, readKubernetes } from './read-kubernetes.ts';
import { readBundle } from './read-oci.ts';
import { readJson } from './tree.ts';
import type { Path, Tree } from './tree.ts';
import { readYaml } from './yaml-tree.ts';

/** Words for `--kind`. */
export const KINDS = ['command', 'inspect', 'compose', 'kubernetes', 'oci', 'image'] as const;
export type Kind = (typeof KINDS)[number];

function readInspections(tree: Tree): AuditInput | undefined {
  const [document] = tree.documents;
  const values: readonly Json[] = Array.isArray(document) ? document : document === undefined ? [] : [document];
  const paths = values.map((_, index): Path => (Array.isArray(document) ? [0, index] : [0]));
  if (values.length === 0 || !values.some(isInspection)) return undefined;
  if (values.length > MOST_CONTAINERS) throw new AuditInputError(`cannot read it: it has more than ${MOST_CONTAINERS} containers`, 'split it');
  const isContainer = (index: number): boolean => isInspection(values[index]);
  return readInspection(tree, paths.filter((_, index) => isContainer(index)), values.filter(isInspection));
}

function isBundle(value: Json | undefined): boolean {
  return textAt(value, 'ociVersion') !== '';
}

function readTree(tree: Tree, kind: Kind | undefined): AuditInput | undefined {
  const { documents } = tree;
  const [first] = documents;
  if (kind === 'inspect' || kind === undefined) {
    const inspections = readInspections(tree);
    if (inspections !== undefined) return inspections;
  }
  const images = (Array.isArray(first) ? (first as readonly Json[]) : [first]).filter(isImage);
  if ((kind === 'image' || kind === 'inspect' || kind === undefined) && images.length > 0) {
    if (images.length > MOST_CONTAINERS) throw new AuditInputError(`cannot read it: it has more than ${MOST_CONTAINERS} images`, 'split it');
    return readImages(images);
  }
  if ((kind === 'oci' || kind === undefined) && isBundle(first) && isObject(first)) return readBundle(tree, [0], first);
  if (kind === 'kubernetes' || (kind === undefined && documents.some(isKubernetes))) return readKubernetes(tree);
  if (kind === 'compose' || (kind === undefined && documents.some(isCompose))) return readCompose(tree);
  return undefined;
}

const NAMES: Readonly<Record<Kind, string>> = { command: 'command line', inspect: 'output of "docker inspect" or "podman inspect" for a container', compose: 'Compose file', kubernetes: 'manifest of Kubernetes', oci: 'OCI config.json', image: 'inspection or configuration of an image' };

/** YAML in braces begins as JSON does. What is neither is more likely JSON that was cut short. */
function readJsonOrYaml(text: string): Tree {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof AuditInputError) || text.length > MOST_FLOW_BYTES) throw error;
    try {
      return readYaml(text);
    } catch {
      throw error;
    }
  }
}

/** A YAML file begins with a key, an entry of a list or a directive; a script has commands. */
function looksLikeYaml(text: string): boolean {
  return /^(?:---|%YAML|(?:apiVersion|kind|services|version|name|x-[\w-]+|networks|volumes|metadata|spec|include|items)\s*:)/m.test(text) && !text.startsWith('#!');
}

function checkBounds({ name, mounts, devices, deviceRules, ports, capabilities, sysctls, environment, command, ulimits = [], execs }: Configuration): void {
  const lists: readonly (readonly [what: string, count: number, most: number])[] = [
    ['mounts', mounts.length, MOST_ITEMS], ['devices', devices.length + deviceRules.length, MOST_ITEMS], ['ports', ports.length, MOST_ITEMS], ['capabilities', capabilities.add.length + capabilities.drop.length, MOST_ITEMS],
    ['kernel parameters', sysctls.size, MOST_ITEMS], ['limits', ulimits.length, MOST_ITEMS], ['commands run in it', execs.length, MOST_ITEMS], ['variables', environment.size, MOST_TEXTS], ['words in its command', command.length, MOST_TEXTS],
  ];
  const over = lists.find(([, count, most]) => count > most);
  if (over !== undefined) throw new AuditInputError(`"${name.slice(0, MOST_QUOTED)}" has more than ${over[2]} ${over[0]}`, 'it is no container that somebody runs');
}

/** Findings are told apart by names, so two of one name get numbers. */
function withOwnNames(input: AuditInput): AuditInput {
  input.configurations.forEach(checkBounds);
  const seen = new Map<string, number>();
  const configurations = input.configurations.map((configuration) => {
    const count = (seen.get(configuration.name) ?? 0) + 1;
    seen.set(configuration.name, count);
    return count === 1 ? configuration : { ...configuration, name: `${configuration.name} (${count})` };
  });
  return { ...input, configurations };
}

/** `kind`: what it is, where that is known. @throws AuditInputError */
export function readInput(text: string, kind?: Kind): AuditInput {
  return withOwnNames(readText(text, kind));
}

function readText(text: string, kind: Kind | undefined): AuditInput {
  if (text.length > MOST_INPUT_BYTES) throw new AuditInputError(`it is longer than ${MOST_INPUT_BYTES >> 20} MiB`, 'give it in parts');
  if (text.trim() === '') throw new AuditInputError('it is empty', 'give a configuration');
  if (kind === 'command') return readCommands(text);
  const isJson = /^\s*[[{]/.test(text);
  if (!isJson && kind === undefined && !looksLikeYaml(text)) return readCommands(text);
  const tree = isJson ? readJsonOrYaml(text) : readYaml(text);
  const input = readTree(tree, kind);
  if (input === undefined) throw new AuditInputError(kind === undefined ? 'it is no configuration of a container that is known here' : `it is no ${NAMES[kind]}`, 'it can be a command line or script, docker or podman inspect, Compose, Kubernetes, or an OCI config.json');
  return input;
}
