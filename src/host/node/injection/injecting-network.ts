/**
 * A host's network on which requests to named hosts get headers that their sender does not know: a secret that a sandbox uses and never has. For `https` this side answers
 * as the host, with a certificate of an authority that the sandbox trusts, and checks the real one as any client does.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { HostNetwork, HostSocket, HostSocketHandlers } from '../../types.ts';
import { negativeErrno } from '../errno.ts';
import type { Authority } from './authority.ts';
import { nameInHello } from './client-hello.ts';
import { Forwarder } from './forwarder.ts';
import type { Destination, HeaderInjection } from './forwarder.ts';
import { GuestStream } from './guest-stream.ts';

/** Headers for requests to one host. */
export interface Injection {
  readonly scheme: 'http' | 'https';
  /** A name in lower case, or an IPv4 address. */
  readonly host: string;
  readonly port: number;
  readonly headers: readonly HeaderInjection[];
}

/** How long what a guest has sent may take to go after its end. */
const SETTLE_MS = 5000;
const SETTLE_STEP_MS = 10;

/** `authority`: present where one of them is `https`. Of one host and port there is one. */
export function injectingNetwork(network: HostNetwork, injections: readonly Injection[], authority: Authority | undefined): HostNetwork {
  const forwarder = new Forwarder();
  const open = new Set<GuestStream>();
  return {
    ...network,
    connectTcp: (address, port, handlers, names = []) => {
      const injection = injections.find((one) => one.port === port && (one.host === address || names.includes(one.host)));
      return injection === undefined ? network.connectTcp(address, port, handlers, names) : intercept({ injection, address, handlers, forwarder, authority, open });
    },
    settled: async () => {
      for (const since = Date.now(); open.size > 0 && Date.now() - since < SETTLE_MS;) await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP_MS));
      await network.settled();
    },
  };
}

interface Interception {
  readonly injection: Injection;
  readonly address: string;
  readonly handlers: HostSocketHandlers;
  readonly forwarder: Forwarder;
  readonly authority: Authority | undefined;
  readonly open: Set<GuestStream>;
}

/** The guest is connected when the host is, and refused when that refuses. */
function intercept({ injection, address, handlers, forwarder, authority, open }: Interception): HostSocket {
  const { scheme, host, port, headers } = injection;
  const stream = new GuestStream(handlers);
  open.add(stream);
  const upstream = connect({ host: address, port, autoSelectFamily: false, allowHalfOpen: true });
  let first: Socket | undefined = upstream;
  const to: Destination = {
    scheme, host, address, port, headers,
    takeSocket: () => {
      const socket = first;
      first = undefined;
      return socket?.destroyed === false ? socket : undefined;
    },
  };
  stream.once('close', () => {
    open.delete(stream);
    upstream.destroy();
  });
  const refuse = (error: Error): void => {
    handlers.onError(-negativeErrno(error));
    stream.hostSocket.reset();
  };
  upstream.once('error', refuse);
  upstream.once('connect', () => {
    upstream.off('error', refuse);
    upstream.on('error', () => upstream.destroy());
    handlers.onConnect(upstream.localAddress ?? '0.0.0.0', upstream.localPort ?? 0);
    if (scheme === 'http') forwarder.take(stream, to);
    else awaitHello(stream, (name) => (name === host || (name === undefined && host === address) ? answerAs(stream, to, forwarder, authority) : pass(stream, upstream)));
  });
  return stream.hostSocket;
}

/** `found` gets the name that the client asks for, when it has; what has come stays to be read. */
function awaitHello(stream: GuestStream, found: (name: string | undefined) => void): void {
  let received = Buffer.alloc(0);
  const look = (): void => {
    for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) received = Buffer.concat([received, chunk]);
    const name = nameInHello(received);
    if (name === 'more' && !stream.readableEnded) return;
    stream.off('readable', look);
    stream.off('end', look);
    if (stream.readableEnded) return void stream.destroy();
    if (received.length > 0) stream.unshift(received);
    found(typeof name === 'string' ? undefined : name.name);
  };
  stream.on('readable', look);
  stream.on('end', look);
}

function answerAs(stream: GuestStream, to: Destination, forwarder: Forwarder, authority: Authority | undefined): void {
  const secureContext = authority?.contextOf(to.host);
  if (secureContext === undefined) return void stream.destroy();
  const secure = new TLSSocket(stream, { isServer: true, secureContext, ALPNProtocols: ['http/1.1'] });
  secure.on('error', () => stream.destroy());
  secure.on('close', () => stream.destroy());
  forwarder.take(secure, to);
}

/** It is for somebody else at the same address: nothing of it is read. */
function pass(stream: GuestStream, upstream: Socket): void {
  pipeline(stream, upstream, () => {});
  pipeline(upstream, stream, () => {});
}
