/** What ends a container kindly. */
import { SIGTERM } from '../../abi/signal.ts';
import type { ContainerRecord } from '../../lifecycle/index.ts';
import { UserError } from '../errors.ts';
import { parseSignal } from './run-record.ts';

/** A number. What `--stop-signal` said was looked at; an image may say anything. */
export function stopSignalOf({ stopSignal, defaults }: ContainerRecord): number {
  const text = stopSignal ?? defaults.stopSignal;
  try {
    return text === undefined ? SIGTERM : parseSignal(text, 'stop-signal');
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return SIGTERM;
  }
}
