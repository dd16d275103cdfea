/** Bounds of what a guest may make the network hold, each with its Linux source. */

/** `net.core.somaxconn`. */
export const SOMAXCONN_LIMIT = 4096;
/** `net.core.rmem_default`, `wmem_default`. */
export const DEFAULT_BUFFER = 212_992;
/** `net.core.rmem_max`, `wmem_max`: what SO_RCVBUF and SO_SNDBUF accept before doubling. */
export const MAXIMUM_BUFFER = 212_992;
/** `SOCK_MIN_SNDBUF`, `SOCK_MIN_RCVBUF` (include/net/sock.h). */
export const MINIMUM_SEND_BUFFER = 4608;
export const MINIMUM_RECEIVE_BUFFER = 2304;
/** Charged for each message beside its bytes (`sizeof(struct sk_buff)` and headers), so that empty ones are bounded too. */
export const MESSAGE_OVERHEAD = 768;
/** `net.unix.max_dgram_qlen`. */
export const UNIX_DATAGRAMS = 10;
/** Longest piece that one write to a unix stream makes (`SKB_MAX_ALLOC`). */
export const UNIX_STREAM_PIECE = 0x8000;
/** Descriptors in one message: SCM_MAX_FD. */
export const MAX_RIGHTS = 253;
/** Descriptors in flight in the sandbox. */
export const RIGHTS_IN_FLIGHT = 16_384;
/** `tcp_rmem[1]`, `tcp_wmem[1]` as SO_RCVBUF and SO_SNDBUF show them. */
export const TCP_RECEIVE_BUFFER = 131_072;
export const TCP_SEND_BUFFER = 16_384;
/** Bytes on their way in one direction of a loopback connection, unless the program set its own buffers. */
export const TCP_WINDOW = 262_144;
/** Connections that wait in SYN_SENT for a full backlog; more are refused. */
export const SYN_BACKLOG = 4096;
/** Most bytes of a UDP datagram over IPv4. */
export const UDP_MAXIMUM = 65_507;
/** `net.ipv4.ip_local_port_range`. */
export const EPHEMERAL_FIRST = 32_768;
export const EPHEMERAL_LAST = 60_999;
/** Connections through the host at once. */
export const HOST_CONNECTIONS = 1024;
/** Bytes from the host that wait for the guest before reading stops. */
export const HOST_RECEIVE_WINDOW = 1_048_576;
/** The same for a connection to a TCP socket, beside the socket's own buffer. */
export const LINK_RECEIVE_WINDOW = 262_144;
/** Connections to published ports at once. */
export const PUBLISHED_CONNECTIONS = 1024;
/** Who has sent datagrams to published ports and may be answered; who was silent longest is forgotten. */
export const PUBLISHED_UDP_PEERS = 1024;
/** Names that the resolver asks the host for at the same time. */
export const DNS_QUERIES = 64;
/** Addresses remembered for names that are allowed. */
export const REMEMBERED_ADDRESSES = 4096;
/** Seconds that an answer of the resolver may be kept. */
export const DNS_TTL = 30;
/** Connections with other sandboxes on the same network at once, of both directions. */
export const MEMBER_CONNECTIONS = 1024;
/** Of these, how many one other sandbox may have here: so that it leaves room for the others. */
export const MEMBER_CONNECTIONS_OF_ONE = 256;
