/** The volumes of a container: made with it, filled with what the image has at their places, mounted at each start. */
import type { LayerEntry } from '../../container/layer-entries.ts';
import type { MountConfig } from '../../container/index.ts';
import type { ImageStore } from '../../image/index.ts';
import type { ContainerRecord, Containers, VolumeUse, WholeContainer } from '../../lifecycle/index.ts';
import { ContainerTree } from '../../lifecycle/own-layers.ts';
import { entriesOfTree, findInTree } from '../../lifecycle/tree-tar.ts';
import { Volumes } from '../../lifecycle/volumes.ts';
import type { TopAttributes } from '../../lifecycle/volumes.ts';
import { HostWriter } from '../containers/host-writer.ts';

/** What is mounted at a start. A volume that was removed meanwhile by force is made again. */
export function volumeMounts(store: ImageStore, record: ContainerRecord): readonly MountConfig[] {
  const volumes = new Volumes(store);
  return (record.volumes ?? []).map(({ name, destination, writable, isAnonymous }) => {
    if (!volumes.has(name)) volumes.create(name, {}, isAnonymous);
    const owners = volumes.ownersOf(name);
    return { kind: 'bind', source: volumes.dataPath(name), destination, writable, ...(owners === undefined ? {} : { owners }) };
  });
}

/** Undefined: the image has no directory there. */
function filler(tree: ContainerTree, { destination }: VolumeUse): ((directory: string, files: ReturnType<Volumes['filesOf']>) => TopAttributes) | undefined {
  const found = findInTree(tree.root, destination, true);
  if (found?.isDirectory !== true) return undefined;
  const { uid, gid, mode } = found.inode.stat();
  return (directory, files) => {
    const writer = new HostWriter(directory, process.getuid?.() === 0);
    const entries: LayerEntry[] = [];
    for (const entry of entriesOfTree(found.inode, '')) {
      writer.put(entry);
      if (entry.type === 'file' || entry.type === 'directory' || entry.type === 'symlink') entries.push(entry);
    }
    writer.end();
    // Parents first: what their modes forbid is forbidden to guests, not to us.
    for (const { path, uid: owner = 0, gid: group = 0, mode: own, type } of entries) {
      const place = `${directory}/${path.replace(/\/$/, '')}`;
      files.lchown(place, owner, group);
      if (type !== 'symlink') files.chmod(place, own);
    }
    return { uid, gid, mode: mode & 0o7777 };
  };
}

/** Makes those that are not there, and fills what is empty. `copied`: names of those that are to be filled. @throws LifecycleError, StoreError */
export async function prepareVolumes(containers: Containers, container: WholeContainer, copied: ReadonlySet<string>): Promise<void> {
  const uses = container.record.volumes ?? [];
  if (uses.length === 0) return;
  const volumes = new Volumes(containers.store);
  for (const { name, isAnonymous } of uses) volumes.create(name, {}, isAnonymous);
  const empty = uses.filter(({ name }) => copied.has(name) && volumes.isEmpty(name));
  if (empty.length === 0) return;
  const tree = await ContainerTree.open(containers, container);
  try {
    for (const use of empty) {
      const fill = filler(tree, use);
      if (fill !== undefined) volumes.fill(use.name, fill);
    }
  } finally {
    tree.close();
  }
}
