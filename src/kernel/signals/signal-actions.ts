/** What a process does on each signal (`struct sighand_struct`), and the defaults of signal(7). */
import {
  NSIG, SIG_DFL, SIG_IGN, SIGABRT, SIGBUS, SIGCHLD, SIGCONT, SIGFPE, SIGILL, SIGKILL, SIGQUIT, SIGSEGV, SIGSTOP, SIGSYS, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU,
  SIGURG, SIGWINCH, SIGXCPU, SIGXFSZ,
} from '../../abi/signal.ts';
import type { SignalMask } from '../types.ts';
import { EMPTY_MASK, SignalSet } from './signal-set.ts';

export interface SignalAction {
  /** SIG_DFL, SIG_IGN or the handler's address. */
  readonly handler: number;
  readonly flags: number;
  readonly restorer: number;
  readonly mask: SignalMask;
}

export const STOP_SIGNALS = SignalSet.of(SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU);
export const CONTINUE_SIGNALS = SignalSet.of(SIGCONT);
const IGNORED_BY_DEFAULT = SignalSet.of(SIGCONT, SIGCHLD, SIGWINCH, SIGURG);
const CORE_SIGNALS = SignalSet.of(SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGSYS, SIGXCPU, SIGXFSZ);
/** Cannot be caught, blocked or ignored. */
export const UNBLOCKABLE = SignalSet.of(SIGKILL, SIGSTOP);

const DEFAULT_ACTION: SignalAction = { handler: SIG_DFL, flags: 0, restorer: 0, mask: EMPTY_MASK };

export type DefaultAction = 'ignore' | 'stop' | 'terminate' | 'core';

export function defaultAction(signal: number): DefaultAction {
  if (IGNORED_BY_DEFAULT.has(signal)) return 'ignore';
  if (STOP_SIGNALS.has(signal)) return 'stop';
  return CORE_SIGNALS.has(signal) ? 'core' : 'terminate';
}

export class SignalActions {
  readonly #actions: SignalAction[] = [];

  get(signal: number): SignalAction {
    return this.#actions[signal] ?? DEFAULT_ACTION;
  }

  set(signal: number, action: SignalAction): void {
    for (let i = this.#actions.length; i < signal; i++) this.#actions[i] = DEFAULT_ACTION;
    this.#actions[signal] = action;
  }

  /** The action drops the signal: SIG_IGN, or SIG_DFL of a signal whose default is to do nothing. */
  ignores(signal: number): boolean {
    const { handler } = this.get(signal);
    return handler === SIG_IGN || (handler === SIG_DFL && IGNORED_BY_DEFAULT.has(signal));
  }

  clone(): SignalActions {
    const copy = new SignalActions();
    for (let signal = 1; signal <= NSIG; signal++) copy.set(signal, this.get(signal));
    return copy;
  }

  /** execve(2): handlers go back to the default, ignored signals stay ignored (flush_signal_handlers). */
  resetHandlers(all: boolean): void {
    for (let signal = 1; signal <= NSIG; signal++) {
      const { handler } = this.get(signal);
      this.#actions[signal] = handler === SIG_IGN && !all ? { ...DEFAULT_ACTION, handler: SIG_IGN } : DEFAULT_ACTION;
    }
  }

  /** Some handler of a fault wants the address and the registers: accesses must be precise. */
  handles(signal: number): boolean {
    return this.get(signal).handler > SIG_IGN;
  }
}
