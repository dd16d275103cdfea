/** Runs what reads a container's tree, whether it runs or not. */
import { ContainerTree } from '../../lifecycle/own-layers.ts';
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';

/** One moment of it: what it changes meanwhile is not seen. */
export async function withTree<Result>(containers: Containers, container: WholeContainer, body: (tree: ContainerTree) => Promise<Result>): Promise<Result> {
  const { snapshotOf } = await import('./control-client.ts');
  const snapshot = await snapshotOf(containers, container);
  try {
    const tree = await ContainerTree.open(containers, containers.findWhole(container.id), snapshot.layers);
    try {
      return await body(tree);
    } finally {
      tree.close();
    }
  } finally {
    snapshot.remove();
  }
}
