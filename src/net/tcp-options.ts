/** Socket options of level IPPROTO_TCP: tcp(7). They are kept and shown; nothing on loopback needs them. */
import { EINVAL, ENOENT, ENOPROTOOPT } from '../abi/errno.ts';
import {
  TCP_CLOSE, TCP_CLOSE_WAIT, TCP_CONGESTION, TCP_CORK, TCP_DEFER_ACCEPT, TCP_ESTABLISHED, TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_FIN_WAIT2, TCP_INFO,
  TCP_INQ, TCP_KEEPCNT, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_LAST_ACK, TCP_LINGER2, TCP_LISTEN, TCP_MAXSEG, TCP_NODELAY, TCP_NOTSENT_LOWAT, TCP_QUICKACK,
  TCP_SYN_SENT, TCP_SYNCNT, TCP_USER_TIMEOUT, TCP_WINDOW_CLAMP,
} from '../abi/in.ts';
import { int, intOf } from './socket.ts';

export type TcpOptions = Map<number, number>;

const DEFAULTS = new Map([
  [TCP_NODELAY, 0], [TCP_MAXSEG, 536], [TCP_CORK, 0], [TCP_KEEPIDLE, 7200], [TCP_KEEPINTVL, 75], [TCP_KEEPCNT, 9], [TCP_SYNCNT, 6],
  [TCP_LINGER2, 60], [TCP_DEFER_ACCEPT, 0], [TCP_WINDOW_CLAMP, 0], [TCP_QUICKACK, 1], [TCP_USER_TIMEOUT, 0], [TCP_FASTOPEN, 0],
  [TCP_FASTOPEN_CONNECT, 0], [TCP_NOTSENT_LOWAT, 0], [TCP_INQ, 0],
]);
/** Smallest and largest value (net/ipv4/tcp.c:do_tcp_setsockopt). */
const RANGES = new Map<number, readonly [number, number]>([
  [TCP_KEEPIDLE, [1, 32_767]], [TCP_KEEPINTVL, [1, 32_767]], [TCP_KEEPCNT, [1, 127]], [TCP_SYNCNT, [1, 127]], [TCP_MAXSEG, [88, 32_767]],
]);
const SWITCHES = new Set([TCP_NODELAY, TCP_CORK]);
/** Bytes of `struct tcp_info` of Linux 6.1. */
const TCP_INFO_SIZE = 240;

export function setTcpOption(options: TcpOptions, option: number, value: Uint8Array): number {
  if (option === TCP_CONGESTION) {
    const name = String.fromCharCode(...value.subarray(0, 15)).replace(/\0.*$/s, '');
    return name === 'cubic' || name === 'reno' ? 0 : -ENOENT;
  }
  if (!DEFAULTS.has(option)) return -ENOPROTOOPT;
  if (value.length < 4) return -EINVAL;
  const number = intOf(value);
  const range = RANGES.get(option);
  if (range !== undefined && (number < range[0] || number > range[1])) return -EINVAL;
  options.set(option, SWITCHES.has(option) ? Number(number !== 0) : number);
  return 0;
}

export interface TcpStateView {
  readonly state: 'closed' | 'listen' | 'connecting' | 'established';
  readonly ended: boolean;
  readonly sendShut: boolean;
}

export function getTcpOption(options: TcpOptions, option: number, view: TcpStateView): Uint8Array | number {
  if (option === TCP_CONGESTION) return Uint8Array.from('cubic\0', (character) => character.charCodeAt(0));
  if (option === TCP_INFO) {
    const info = new Uint8Array(TCP_INFO_SIZE);
    info[0] = tcpState(view);
    return info;
  }
  const byDefault = DEFAULTS.get(option);
  return byDefault === undefined ? -ENOPROTOOPT : int(options.get(option) ?? byDefault);
}

/** `TCP_*` state number, as /proc/net/tcp and TCP_INFO show it. */
export function tcpState({ state, ended, sendShut }: TcpStateView): number {
  if (state === 'listen') return TCP_LISTEN;
  if (state === 'connecting') return TCP_SYN_SENT;
  if (state === 'closed') return TCP_CLOSE;
  if (ended) return sendShut ? TCP_LAST_ACK : TCP_CLOSE_WAIT;
  return sendShut ? TCP_FIN_WAIT2 : TCP_ESTABLISHED;
}
