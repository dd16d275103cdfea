/** Images by themselves: `docker inspect`, `podman inspect` and `caisson inspect` of one, or its configuration with its history (OCI image-spec config.md). Only what the image decides is judged. */
import { isObject } from '../image/index.ts';
import type { Json, JsonObject } from '../image/index.ts';
import type { Change } from './change.ts';
import { field, listAt, objectAt, pairsAt, textAt, textsAt } from './fields.ts';
import type { AuditInput } from './input.ts';
import { PLAIN } from './model.ts';
import type { Configuration } from './model.ts';

/** An inspection has `RootFS` and `Config`, a configuration `rootfs` and `config`. */
export function isImage(value: Json | undefined): value is JsonObject {
  return isObject(value) && (isObject(field(value, 'RootFS')) || (isObject(field(value, 'rootfs')) && isObject(field(value, 'config'))));
}

function healthOf(config: Json): Configuration['healthCheck'] {
  const test = textsAt(config, 'Healthcheck', 'Test');
  return test.length === 0 ? 'none' : test[0] === 'NONE' ? 'off' : 'on';
}

function configurationOf(value: JsonObject, index: number): Configuration {
  const config = isObject(field(value, 'Config')) ? objectAt(value, 'Config') : objectAt(value, 'config');
  const history = [...listAt(value, 'History'), ...listAt(value, 'history')];
  const name = textsAt(value, 'RepoTags')[0] ?? (textAt(value, 'Id').replace('sha256:', '').slice(0, 12) || `image ${index + 1}`);
  return {
    ...PLAIN, kind: 'image', engine: 'docker', name, image: undefined, user: textAt(config, 'User'), environment: pairsAt(config, 'Env'), command: [...textsAt(config, 'Entrypoint'), ...textsAt(config, 'Cmd')],
    workingDirectory: textAt(config, 'WorkingDir'), healthCheck: healthOf(config), steps: history.length === 0 ? undefined : history.map((step) => textAt(step, 'created_by')),
  };
}

export function readImages(values: readonly JsonObject[]): AuditInput {
  const configurations = values.map(configurationOf);
  return {
    kind: 'image', configurations, lines: values.map(() => undefined), notes: [],
    rewrite: (changes: readonly (readonly Change[])[]) => ({
      text: `${JSON.stringify(values, undefined, 2)}\n`, refused: changes.flatMap((list, index) => list.map((change) => ({ container: configurations[index]?.name ?? '', change, why: 'an image is made by its Dockerfile: change that, and build it again' }))),
    }),
  };
}
