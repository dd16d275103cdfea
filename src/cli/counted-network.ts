/** The host's sockets, with a count of the bytes that go through them: what `stats` shows. */
import type { HostConnection, HostNetwork, HostSocket, HostSocketHandlers, HostUdpSocket } from '../host/types.ts';

export interface NetworkCounters {
  /** Into the container. */
  received: number;
  sent: number;
}

/** `counters` goes up as bytes go through. */
export function countedNetwork(network: HostNetwork, counters: NetworkCounters): HostNetwork {
  const handlersOf = (handlers: HostSocketHandlers): HostSocketHandlers => ({
    ...handlers,
    onConnect: (address, port) => handlers.onConnect(address, port),
    onData: (data) => {
      counters.received += data.length;
      return handlers.onData(data);
    },
    onEnd: () => handlers.onEnd(), onError: (errno) => handlers.onError(errno), onDrain: () => handlers.onDrain(), onClosed: () => handlers.onClosed(),
  });
  const socketOf = (socket: HostSocket): HostSocket => ({
    write: (data) => {
      counters.sent += data.length;
      return socket.write(data);
    },
    end: () => socket.end(), resume: () => socket.resume(), destroy: () => socket.destroy(), close: () => socket.close(), reset: () => socket.reset(),
  });
  const connectionOf = (connection: HostConnection): HostConnection => ({
    address: connection.address, port: connection.port, open: (handlers) => socketOf(connection.open(handlersOf(handlers))), refuse: () => connection.refuse(),
  });
  const datagrams = <Socket extends HostUdpSocket>(socket: Socket): Socket => {
    const send = socket.send.bind(socket);
    socket.send = (data, ...rest) => {
      counters.sent += data.length;
      return send(data, ...rest);
    };
    return socket;
  };
  const received = (onMessage: (data: Uint8Array, address: string, port: number) => void) => (data: Uint8Array, address: string, port: number): void => {
    counters.received += data.length;
    onMessage(data, address, port);
  };
  return {
    ...network,
    connectTcp: (address, port, handlers, names) => socketOf(network.connectTcp(address, port, handlersOf(handlers), names)),
    connectUnix: (path, handlers) => socketOf(network.connectUnix(path, handlersOf(handlers))),
    openUdp: (family, onMessage, onError) => datagrams(network.openUdp(family, received(onMessage), onError)),
    listenTcp: (address, port, onConnection) => network.listenTcp(address, port, (connection) => onConnection(connectionOf(connection))),
    listenUnix: (path, onConnection) => network.listenUnix(path, (connection) => onConnection(connectionOf(connection))),
    listenUdp: async (address, port, onMessage) => {
      const listener = await network.listenUdp(address, port, received(onMessage));
      return typeof listener === 'number' ? listener : datagrams(listener);
    },
  };
}
