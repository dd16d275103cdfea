/** Are the containers as they should be? */
import { ImageError } from '../image/index.ts';
import type { Containers } from './containers.ts';
import { ownLayers } from './own-layers.ts';
import { Volumes } from './volumes.ts';
import { decodeState } from './state.ts';
import { MOST_RECORD_BYTES } from './limits.ts';

export interface ContainerProblem {
  readonly problem: string;
  readonly mended: boolean;
}

/** `repair`: mend what can be mended; what killed commands have left goes. */
export async function checkContainers(containers: Containers, repair: boolean): Promise<{ readonly containers: number; readonly problems: readonly ContainerProblem[] }> {
  const { disk, layers } = containers.store;
  const problems: ContainerProblem[] = [];
  const all = containers.list();
  for (const { id, name, record, state } of all) {
    const what = `the container "${name === '' ? id : name}"`;
    if (record === undefined) problems.push({ problem: `${what} has no configuration that can be read`, mended: false });
    const bytes = disk.readFile(containers.pathOf(id, 'state.json'), MOST_RECORD_BYTES);
    if (bytes === undefined || decodeState(bytes) === undefined) {
      if (repair) containers.locked(id, () => containers.writeState(id, state));
      problems.push({ problem: `the state of ${what} cannot be read`, mended: repair });
    }
    for (const paths of ownLayers(containers, id)) {
      if (layers.isIndexIntact(paths.index)) continue;
      problems.push({ problem: `the index of ${paths.tar} is spoiled`, mended: repair && (await isMended(containers, paths)) });
    }
  }
  if (repair) {
    containers.removeRemnants();
    new Volumes(containers.store).removeRemnants();
  }
  return { containers: all.length, problems };
}

async function isMended({ store }: Containers, paths: { readonly tar: string; readonly index: string }): Promise<boolean> {
  try {
    await store.layers.index(paths, paths.tar);
    return true;
  } catch (error) {
    if (error instanceof ImageError) return false;
    throw error;
  }
}
