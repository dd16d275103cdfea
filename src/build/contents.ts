/** Digests of what steps read: of entries with the bytes of their files, and of trees. */
import type { HostCodecs } from '../host/types.ts';
import type { LayerEntry } from '../container/layer-entries.ts';
import { sortEntries } from '../container/layer-entries.ts';
import { FilteredNode, HostNode } from './tree.ts';
import type { TreeNode } from './tree.ts';

export class Contents {
  readonly #codecs: HostCodecs;
  /** Of host files by what they were when they were read. */
  readonly #known = new Map<string, string>();

  constructor(codecs: HostCodecs) {
    this.#codecs = codecs;
  }

  #digestOf(node: TreeNode): string {
    const stamp = node instanceof HostNode || node instanceof FilteredNode ? node.stamp : undefined;
    const known = stamp === undefined ? undefined : this.#known.get(stamp);
    if (known !== undefined) return known;
    const hash = this.#codecs.createDigest('sha256');
    for (const chunk of node.contents()) hash.update(chunk);
    const digest = hash.hex();
    if (stamp !== undefined) this.#known.set(stamp, digest);
    return digest;
  }

  /** All that makes the layer's bytes. */
  ofEntries(entries: readonly LayerEntry[]): string {
    const hash = this.#codecs.createDigest('sha256');
    const encoder = new TextEncoder();
    for (const { node, xattrs, ...rest } of sortEntries(entries)) {
      hash.update(encoder.encode(JSON.stringify([rest, [...(xattrs ?? [])].sort(), node === undefined ? '' : this.#digestOf(node)])));
    }
    return hash.hex();
  }
}
