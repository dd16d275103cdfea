/** Writing into a container's tree: by the process that runs it, or else by this one. */
import type { Containers, WholeContainer } from '../../lifecycle/index.ts';
import { keepChanges, mountedLayers } from '../../lifecycle/own-layers.ts';
import { ask } from './control-client.ts';
import { extractFile } from './extract-file.ts';
import { openContainer } from './kept-container.ts';

/** `directory`, `file`, ... with links followed for directories; undefined: there is nothing. */
export async function typeIn(containers: Containers, container: WholeContainer, path: string): Promise<string | undefined> {
  const answer = container.state.status === 'running' ? await ask(containers, container, { op: 'stat', path }) : undefined;
  if (answer !== undefined) return answer.type ?? undefined;
  const { container: opened } = await openContainer({ ...container.record, process: { ...container.record.process, user: '0' } }, { store: containers.store, layers: await mountedLayers(containers, container) });
  try {
    const stat = opened.files.stat(path);
    return typeof opened.files.list(path) !== 'number' ? 'directory' : typeof stat === 'number' ? undefined : stat.type;
  } finally {
    opened.close();
  }
}

/** Puts a tar (a file of the store) into its tree. @throws ImageError */
export async function putTar(containers: Containers, container: WholeContainer, tar: string, directory: string, owner: { readonly uid: number; readonly gid: number } | undefined): Promise<void> {
  if (container.state.status === 'running' && (await ask(containers, container, { op: 'put', tar, directory, owner })) !== undefined) return;
  const release = containers.reserve(container.id);
  try {
    const { record } = containers.findWhole(container.id);
    const { container: opened } = await openContainer({ ...record, process: { ...record.process, user: '0' } }, { store: containers.store, layers: await mountedLayers(containers, container) });
    try {
      extractFile(opened, tar, directory, owner);
      await keepChanges(containers, container, opened.changes());
    } finally {
      opened.close();
    }
  } finally {
    release();
  }
}
