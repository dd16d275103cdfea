/** The side of a live view where the container runs: it watches while somebody looks, and says how things are when asked. */
import type { Container } from '../../container/index.ts';
import type { ContainerRecord, Life } from '../../lifecycle/index.ts';
import { isKind, readNames, readRuleFiles, watchLive } from '../../detect/index.ts';
import type { Kind, LiveSnapshot, LiveWatch, SeenProcess } from '../../detect/index.ts';
import { processTable } from '../containers/container-processes.ts';
import { toByteString } from '../bytes.ts';
import type { LiveRequest } from '../containers/control-protocol.ts';
import { asUserError } from '../detect/ready-rules.ts';

/** Columns of `ps -ef`. */
const COLUMN = { uid: 0, pid: 1, parent: 2, command: 7 } as const;

function seenProcesses(container: Container): readonly SeenProcess[] {
  return processTable(container.files).map((row) => {
    const uid = Number(row[COLUMN.uid]);
    return { pid: Number(row[COLUMN.pid]), parent: Number(row[COLUMN.parent]), uid: Number.isNaN(uid) ? undefined : uid, command: toByteString(row[COLUMN.command] ?? '') };
  });
}

/** The kinds of rows that a message asks for. */
function kindsIn(payload: Uint8Array): readonly Kind[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(payload));
    return Array.isArray(value) ? value.filter(isKind) : [];
  } catch {
    return [];
  }
}

export class LiveService {
  readonly #container: Container;
  readonly #watch: LiveWatch;

  private constructor(container: Container, watch: LiveWatch) {
    this.#container = container;
    this.#watch = watch;
  }

  /** @throws UserError where the rules are wrong */
  static async open(container: Container, { container: kept }: Life, { rules: files }: LiveRequest): Promise<LiveService> {
    const { rules } = await readRuleFiles(files).catch((error: unknown) => {
      throw asUserError(error, 'use the rules');
    });
    const { record, id, name }: { readonly record: ContainerRecord; readonly id: string; readonly name: string } = kept;
    const facts = {
      id, name, image: record.image.name, imageId: record.image.id, imageDigest: record.image.manifest, hostname: record.container.hostname,
      mounts: record.container.mounts.map(({ destination }) => destination), ...readNames((path) => container.files.readFile(path)),
    };
    return new LiveService(container, watchLive(container, facts, rules, Date.now()));
  }

  isOf(container: Container | undefined): boolean {
    return container === this.#container;
  }

  answer(payload: Uint8Array): LiveSnapshot {
    const nowMs = Date.now();
    this.#watch.record.look(seenProcesses(this.#container), nowMs);
    return this.#watch.record.snapshot(kindsIn(payload), nowMs);
  }

  close(): void {
    this.#watch.close();
  }
}
