/** The door to the room: sockets and the network of a sandbox. */
export type { Caller, NetEnvironment, PeerCredentials, SocketNodes } from './environment.ts';
export { createSocket } from './create-socket.ts';
export { NetworkStack, OWN_NETWORK, PUBLISHED6, type NetworkOptions, type OuterNetwork } from './network-stack.ts';
export { Socket, type ReceiveDetails, type SendDetails } from './socket.ts';
export { TcpSocket } from './tcp-socket.ts';
export { UdpSocket } from './udp-socket.ts';
export { dropRights, UnixSocket } from './unix-socket.ts';
export { UnixConnectionSocket } from './unix-stream.ts';
export { UnixDatagramSocket } from './unix-datagram.ts';
export { HostGateway } from './host-gateway.ts';
export { listenForHost, type HostConnector } from './host-listener.ts';
export { inRange, parseAddress, parseRange, type AddressRange } from './address.ts';
export { MemberNetwork, type MemberDirectory } from './member-network.ts';
export { PortError, PublishedPorts, type BoundPort, type PublishedPort } from './published-ports.ts';
export { NetworkPolicy, NetworkRuleError, parseNetworkRule, type NetworkPolicyOptions } from './policy.ts';
export { decodeInet, decodeUnix } from './sockaddr.ts';
