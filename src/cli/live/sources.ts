/** Where a live view has it from: a container that runs, or a stream that is read. */
import type { Socket } from 'node:net';
import { LiveRecord, replay } from '../../detect/index.ts';
import type { Kind, LiveAlert, LiveSnapshot } from '../../detect/index.ts';
import type { Containers, EventReader, LifeEvent, WholeContainer } from '../../lifecycle/index.ts';
import { connectTo, converse } from '../containers/control-client.ts';
import { FRAME, frame, parseDocument } from '../containers/control-protocol.ts';
import type { Answer, LiveRequest } from '../containers/control-protocol.ts';
import { notRunning } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { ReadyRules } from '../detect/ready-rules.ts';

export interface LiveSource {
  /** How things are, with rows of these kinds; undefined once it has ended. */
  look(kinds: readonly Kind[]): Promise<LiveSnapshot | undefined>;
  /** Why there is nothing more to come. @throws UserError */
  readonly ended: Promise<string>;
  close(): void;
}

const MOST_LOGGED_ALERTS = 300;

/** Alerts of the rules that a container has itself, from the log of events. */
class OwnAlerts {
  readonly #reader: EventReader;
  readonly #id: string;
  #alerts: LiveAlert[] = [];
  #total = 0;

  constructor(containers: Containers, id: string) {
    this.#id = id;
    this.#reader = containers.events.reader();
    this.#take(this.#reader.all());
  }

  #take(events: Iterable<LifeEvent>): void {
    for (const { id, action, timeMs, attributes } of events) {
      if (id !== this.#id || action !== 'alert') continue;
      this.#total++;
      this.#alerts.unshift({ timeMs, priority: attributes['priority'] ?? '', rule: attributes['rule'] ?? '', output: attributes['output'] ?? '', action: attributes['action'] ?? 'alert' });
    }
    this.#alerts = this.#alerts.slice(0, MOST_LOGGED_ALERTS);
  }

  into(snapshot: LiveSnapshot): LiveSnapshot {
    this.#take(this.#reader.more());
    return { ...snapshot, alerts: this.#alerts, totals: { ...snapshot.totals, alerts: this.#total } };
  }

  close(): void {
    this.#reader.end();
  }
}

export class ContainerSource implements LiveSource {
  readonly ended: Promise<string>;
  readonly #socket: Socket;
  readonly #own: OwnAlerts | undefined;
  readonly #started: Promise<void>;
  #isOver = false;
  #onLook: ((snapshot: LiveSnapshot | undefined) => void) | undefined;

  private constructor(socket: Socket, request: LiveRequest, own: OwnAlerts | undefined) {
    this.#socket = socket;
    this.#own = own;
    let onStarted: () => void = () => {};
    this.#started = new Promise((resolve) => (onStarted = resolve));
    this.ended = this.#converse(request, () => onStarted());
    // Whoever asks is told; nobody may ask yet.
    this.ended.catch(() => {});
  }

  /** `rules` undefined: those that it has itself say what there is to say. @throws UserError where it does not run */
  static async open(containers: Containers, container: WholeContainer, rules: LiveRequest['rules'] | undefined): Promise<ContainerSource> {
    const socket = await connectTo(containers, container);
    if (socket === undefined) throw notRunning(container);
    return new ContainerSource(socket, { op: 'live', rules: rules ?? [] }, rules === undefined ? new OwnAlerts(containers, container.id) : undefined);
  }

  async #converse(request: LiveRequest, onStarted: () => void): Promise<string> {
    let last: Answer = {};
    await converse(this.#socket, request, (kind, payload) => {
      if (kind !== FRAME.document) return;
      last = parseDocument<Answer>(payload);
      if (last.isStarted === true) onStarted();
      else if (last.live !== undefined) this.#answered(last.live);
    });
    this.#isOver = true;
    onStarted();
    this.#answered(undefined);
    if (last.error !== undefined) throw new UserError(last.error, last.advice, last.code);
    return last.exitCode === undefined ? 'it has ended, or was started again' : `it has ended with status ${last.exitCode}`;
  }

  #answered(snapshot: LiveSnapshot | undefined): void {
    const onLook = this.#onLook;
    this.#onLook = undefined;
    onLook?.(snapshot);
  }

  async look(kinds: readonly Kind[]): Promise<LiveSnapshot | undefined> {
    await this.#started;
    if (this.#isOver) return undefined;
    const answer = new Promise<LiveSnapshot | undefined>((resolve) => (this.#onLook = resolve));
    this.#socket.write(frame(FRAME.message, new TextEncoder().encode(JSON.stringify(kinds))));
    const snapshot = await answer;
    return snapshot === undefined ? undefined : (this.#own?.into(snapshot) ?? snapshot);
  }

  close(): void {
    this.#own?.close();
    this.#socket.destroy();
  }
}

/** A stream that "--events FILE" has written, or writes into a pipe. */
export class StreamSource implements LiveSource {
  readonly ended: Promise<string>;
  readonly #record = new LiveRecord();

  constructor(path: string, lines: AsyncIterable<string>, { rules, actions }: ReadyRules, alertsPerSecond: number | undefined) {
    const record = this.#record;
    this.ended = replay(path, lines, {
      rules, actions, alsoSees: [record], ...(alertsPerSecond === undefined ? {} : { alertsPerSecond }),
      onContainer: (container) => record.begin(container),
      onAlert: (alert) => {
        record.alerted(alert);
        return true;
      },
    }).then(() => 'the stream has ended');
    // Whoever asks is told; nobody may ask yet.
    this.ended.catch(() => {});
  }

  look(kinds: readonly Kind[]): Promise<LiveSnapshot | undefined> {
    return Promise.resolve(this.#record.snapshot(kinds));
  }

  close(): void {
    // Whoever writes the stream is told by the end of this process.
  }
}
