/** System V message queues: msgget(2), msgop(2), Linux ipc/msg.c. */
import { MSG_EXCEPT } from '../../abi/msg.ts';
import { WaitQueue } from '../../fs/types.ts';
import type { Task } from '../types.ts';
import { IpcObject, IpcTable } from './ipc-table.ts';
import { MSGMNB, MSGMNI } from './limits.ts';

export interface Message {
  readonly type: number;
  readonly text: Uint8Array;
}

/** `struct msg_queue`. */
export class MessageQueue extends IpcObject {
  readonly waitQueue = new WaitQueue();
  readonly messages: Message[] = [];
  bytes = 0;
  maximumBytes = MSGMNB;
  sentSeconds = 0;
  receivedSeconds = 0;
  lastSender = 0;
  lastReceiver = 0;
  removed = false;

  /** Position of the message that msgrcv(2) with this type takes, or -1. */
  find(type: number, flags: number): number {
    if (type === 0) return this.messages.length > 0 ? 0 : -1;
    if (type > 0) {
      const except = (flags & MSG_EXCEPT) !== 0;
      return this.messages.findIndex((message) => (message.type === type) !== except);
    }
    let best = -1;
    for (const [index, message] of this.messages.entries()) {
      if (message.type <= -type && (best < 0 || message.type < this.messages[best]!.type)) best = index;
    }
    return best;
  }
  add(message: Message): void {
    this.messages.push(message);
    this.bytes += message.text.length;
    this.waitQueue.wake();
  }
  take(index: number): void {
    const [message] = this.messages.splice(index, 1);
    this.bytes -= message?.text.length ?? 0;
    this.waitQueue.wake();
  }
}

export class MessageQueues extends IpcTable<MessageQueue> {
  constructor() {
    super(MSGMNI);
  }
  create(task: Task, key: number, flags: number): number {
    return this.get(task, key, flags, () => 0, () => new MessageQueue(task, key, flags));
  }
  destroy(queue: MessageQueue): void {
    queue.removed = true;
    this.remove(queue);
    queue.waitQueue.wake();
  }
}
