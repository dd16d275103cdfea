/** An image's configuration as analysers see it. */
import type { ImageConfig } from '../image/index.ts';
import type { ScanConfig, ScanHistory } from './types.ts';

/** Layers are counted along the history: entries that make none have no number. */
export function configOf({ defaults, history, document }: ImageConfig): ScanConfig {
  let layers = 0;
  const entries = history.map(({ createdBy, comment, created, emptyLayer }): ScanHistory => ({ createdBy, comment, created, layer: emptyLayer ? undefined : layers++ }));
  const { user, env, entrypoint, cmd, workingDirectory, volumes, exposedPorts, labels } = defaults;
  return { user, env, entrypoint, cmd, workingDirectory, volumes, exposedPorts, labels, history: entries, document };
}
