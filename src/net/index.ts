/** The door to the room: sockets and the network of a sandbox. */
export type { Caller, NetEnvironment, PeerCredentials, SocketNodes } from './environment.ts';
export { createSocket } from './create-socket.ts';
export { GATEWAY_ADDRESS, NetworkStack, OUTBOUND_ADDRESS, OUTBOUND_ADDRESS6, RESOLVER_ADDRESS, type NetworkOptions } from './network-stack.ts';
export { Socket, type ReceiveDetails, type SendDetails } from './socket.ts';
export { TcpSocket } from './tcp-socket.ts';
export { UdpSocket } from './udp-socket.ts';
export { dropRights, UnixSocket } from './unix-socket.ts';
export { UnixConnectionSocket } from './unix-stream.ts';
export { UnixDatagramSocket } from './unix-datagram.ts';
export { HostGateway } from './host-gateway.ts';
export { listenForHost, type HostConnector } from './host-listener.ts';
export { parseAddress } from './address.ts';
export { PortError, PublishedPorts, type BoundPort, type PublishedPort } from './published-ports.ts';
export { NetworkPolicy, NetworkRuleError, parseNetworkRule, type NetworkPolicyOptions } from './policy.ts';
