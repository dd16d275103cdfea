/** `--provenance`: how the image came to be, as a manifest about it. */
import { provenanceOf } from '../../build/index.ts';
import type { BuildOptions, BuildResult } from '../../build/index.ts';
import type { Artifact, Descriptor } from '../../image/index.ts';
import { fieldsOf } from './build-inputs.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { version } from '../version.ts';

interface Wish {
  readonly mode: 'min' | 'max';
  readonly builder: string | undefined;
}

/** `--provenance`, `--provenance=true|false`, `--provenance=mode=max,builder-id=URI`. Undefined: none. @throws UserError */
export function provenanceFlag(values: FlagValues): Wish | undefined {
  const text = values.last('provenance');
  if (text === undefined || text === 'false') return undefined;
  if (text === '' || text === 'true') return { mode: 'min', builder: undefined };
  const fields = fieldsOf(text);
  const mode = fields.get('mode') ?? 'min';
  const builder = fields.get('builder-id');
  const isKnown = [...fields.keys()].every((key) => key === 'mode' || key === 'builder-id');
  if (!isKnown || (mode !== 'min' && mode !== 'max')) throw new UserError(`cannot use --provenance=${text}: it is true, false, or mode=min|max`, 'such as --provenance=mode=max,builder-id=https://ci.example/builder');
  if (builder !== undefined && !URL.canParse(builder)) throw new UserError(`cannot use --provenance=${text}: builder-id is no URI`, 'such as builder-id=https://ci.example/builder');
  return { mode, builder };
}

/** What is to be said of the manifest of an image that has been built. */
export type ProvenanceMaker = (result: BuildResult, names: readonly string[]) => (manifest: Descriptor) => Artifact;

export function provenanceMaker(wish: Wish, options: BuildOptions, startedMs: number): ProvenanceMaker {
  return ({ materials }, names) => (manifest) => provenanceOf({ ...wish, version, options, materials, startedMs, finishedMs: options.host.now(), names }, manifest);
}
