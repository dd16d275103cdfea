/** rtnetlink(7): what the sandbox answers about interfaces, addresses and routes. */
import { EEXIST, EINVAL, EOPNOTSUPP, EPERM, ENODEV, ENETUNREACH } from '../abi/errno.ts';
import {
  IFA_ADDRESS, IFA_BROADCAST, IFA_CACHEINFO, IFA_F_PERMANENT, IFA_FLAGS, IFA_LABEL, IFA_LOCAL, IFF_LOWER_UP, IFF_UP, IFLA_ADDRESS, IFLA_BROADCAST, IFLA_CARRIER, IFLA_GROUP,
  IFLA_IFNAME, IFLA_LINKMODE, IFLA_MTU, IFLA_NUM_RX_QUEUES, IFLA_NUM_TX_QUEUES, IFLA_OPERSTATE, IFLA_PROMISCUITY, IFLA_QDISC, IFLA_STATS, IFLA_STATS64,
  IFLA_TXQLEN, NLM_F_DUMP, NLM_F_EXCL, NLM_F_MULTI, NLMSG_DONE, RT_SCOPE_HOST, RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, RT_TABLE_LOCAL, RT_TABLE_MAIN, RTA_DST, RTA_GATEWAY,
  RTA_OIF, RTA_PREFSRC, RTA_TABLE, RTM_GETADDR, RTM_GETLINK, RTM_GETROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE, RTN_LOCAL, RTN_UNICAST, RTPROT_BOOT,
  RTPROT_KERNEL,
} from '../abi/netlink.ts';
import { AF_INET, AF_INET6, AF_UNSPEC } from '../abi/socket.ts';
import { formatAddress, inRange, isLoopback, isVersion4, parseAddress, parseRange } from './address.ts';
import { broadcastAddress, hardwareType, interfaceFlags } from './interface-ioctl.ts';
import {
  attribute, attributeText, attributeU32, attributeU8, buildMessage, findAttribute, type NetlinkHeader,
} from './netlink-message.ts';
import type { NetworkInterface, NetworkStack } from './network-stack.ts';

/** A dump of more than one message ends with NLMSG_DONE; a negative errno becomes NLMSG_ERROR. */
export function answerRoute(stack: NetworkStack, request: NetlinkHeader, port: number): Uint8Array[] | number {
  const dump = (request.flags & NLM_F_DUMP) === NLM_F_DUMP;
  const parts = { flags: dump ? NLM_F_MULTI : 0, sequence: request.sequence, port };
  let replies: Uint8Array[] | number;
  switch (request.type) {
    case RTM_GETLINK:
      replies = links(stack, request, dump).map((link) => linkMessage(link, { ...parts, type: RTM_NEWLINK }));
      if (!dump && replies.length === 0) return -ENODEV;
      break;
    case RTM_GETADDR:
      if (!dump) return -EOPNOTSUPP;
      replies = addressMessages(stack, request.payload[0] ?? AF_UNSPEC, { ...parts, type: RTM_NEWADDR });
      break;
    case RTM_GETROUTE:
      replies = dump ? routeMessages(stack, request.payload[0] ?? AF_UNSPEC, { ...parts, type: RTM_NEWROUTE }) : lookUpRoute(stack, request, { ...parts, type: RTM_NEWROUTE });
      break;
    case RTM_NEWADDR:
      return stack.environment.caller().mayAdminister ? addAddress(stack, request) : -EPERM;
    case RTM_NEWLINK:
      return stack.environment.caller().mayAdminister ? changeLink(stack, request) : -EPERM;
    default:
      // GET requests have the low bits 2; what changes the network is not allowed, unknown questions have no answers.
      if ((request.type & 3) !== 2) return -EPERM;
      if (!dump) return -EOPNOTSUPP;
      replies = [];
  }
  if (typeof replies === 'number' || !dump) return replies;
  const done = buildMessage({ ...parts, type: NLMSG_DONE }, new Uint8Array(4));
  return [...replies, done];
}

/** `ip address add`: loopback takes the one that it has where it is up; no other interface gets one. */
function addAddress({ loopback }: NetworkStack, { payload, flags }: NetlinkHeader): Uint8Array[] | number {
  if (payload.length < 8) return -EINVAL;
  const index = new DataView(payload.buffer, payload.byteOffset).getUint32(4, true);
  const bytes = findAttribute(payload, 8, IFA_LOCAL) ?? findAttribute(payload, 8, IFA_ADDRESS);
  if (index !== loopback.index) return index === 2 ? -EPERM : -ENODEV;
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16)) return -EINVAL;
  const address = formatAddress(bytes);
  if (!isLoopback(address)) return -EPERM;
  return loopback.add({ address, prefix: payload[1]! }) || (flags & NLM_F_EXCL) === 0 ? [] : -EEXIST;
}

/** `ip link set lo up`: nothing else of an interface changes. */
function changeLink(stack: NetworkStack, request: NetlinkHeader): Uint8Array[] | number {
  if (request.payload.length < 16) return -EINVAL;
  const [link] = links(stack, request, false);
  if (link === undefined) return -ENODEV;
  const view = new DataView(request.payload.buffer, request.payload.byteOffset);
  const wanted = view.getUint32(8, true);
  const change = view.getUint32(12, true) || IFF_UP;
  if (link !== stack.loopback || (change & ~IFF_UP) !== 0) return -EPERM;
  stack.loopback.setUp((wanted & IFF_UP) !== 0);
  return [];
}

interface ReplyParts {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly port: number;
}

function links({ interfaces }: NetworkStack, { payload }: NetlinkHeader, dump: boolean): readonly NetworkInterface[] {
  if (dump) return interfaces;
  const index = payload.length >= 8 ? new DataView(payload.buffer, payload.byteOffset).getInt32(4, true) : 0;
  const given = findAttribute(payload, 16, IFLA_IFNAME);
  const name = given === undefined ? '' : String.fromCharCode(...given).replace(/\0.*$/s, '');
  return interfaces.filter((candidate) => (index === 0 ? candidate.name === name : candidate.index === index));
}

/** `struct ifinfomsg` and its attributes. */
function linkMessage(link: NetworkInterface, parts: ReplyParts): Uint8Array {
  const fixed = new Uint8Array(16);
  const view = new DataView(fixed.buffer);
  view.setUint16(2, hardwareType(link), true);
  view.setInt32(4, link.index, true);
  view.setUint32(8, interfaceFlags(link) | (link.isUp ? IFF_LOWER_UP : 0), true);
  const broadcast = link.loopback ? new Uint8Array(6) : new Uint8Array(6).fill(255);
  return buildMessage(parts, fixed, [
    attributeText(IFLA_IFNAME, link.name), attributeU32(IFLA_TXQLEN, 1000), attributeU8(IFLA_OPERSTATE, link.isUp ? (link.loopback ? 0 : 6) : 2),
    attributeU8(IFLA_LINKMODE, 0), attributeU32(IFLA_MTU, link.mtu), attributeU32(IFLA_GROUP, 0), attributeU32(IFLA_PROMISCUITY, 0),
    attributeU32(IFLA_NUM_TX_QUEUES, 1), attributeU32(IFLA_NUM_RX_QUEUES, 1), attributeU8(IFLA_CARRIER, 1),
    attributeText(IFLA_QDISC, link.loopback ? 'noqueue' : 'fq_codel'), attribute(IFLA_ADDRESS, link.hardwareAddress),
    attribute(IFLA_BROADCAST, broadcast), attribute(IFLA_STATS64, new Uint8Array(192)), attribute(IFLA_STATS, new Uint8Array(96)),
  ]);
}

function familyOfAddress(address: string): number {
  return isVersion4(address) ? AF_INET : AF_INET6;
}

/** `struct ifaddrmsg` and its attributes, for each address of the family. */
function addressMessages({ interfaces }: NetworkStack, family: number, parts: ReplyParts): Uint8Array[] {
  const messages: Uint8Array[] = [];
  for (const link of interfaces) {
    for (const { address, prefix } of link.addresses) {
      const own = familyOfAddress(address);
      if (family !== AF_UNSPEC && family !== own) continue;
      const fixed = new Uint8Array(8);
      fixed.set([own, prefix, IFA_F_PERMANENT, link.loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE, link.index]);
      const bytes = parseAddress(address)!;
      const attributes = [attribute(IFA_ADDRESS, bytes)];
      if (own === AF_INET) {
        attributes.push(attribute(IFA_LOCAL, bytes));
        if (!link.loopback) attributes.push(attribute(IFA_BROADCAST, parseAddress(broadcastAddress(address, prefix))!));
        attributes.push(attributeText(IFA_LABEL, link.name));
      }
      const forever = new Uint8Array(16).fill(255, 0, 8);
      attributes.push(attributeU32(IFA_FLAGS, IFA_F_PERMANENT), attribute(IFA_CACHEINFO, forever));
      messages.push(buildMessage(parts, fixed, attributes));
    }
  }
  return messages;
}

interface Route {
  readonly family: number;
  readonly destination: Uint8Array | undefined;
  readonly prefix: number;
  readonly table: number;
  readonly protocol: number;
  readonly scope: number;
  readonly kind: number;
  readonly index: number;
  readonly gateway?: Uint8Array;
  readonly source?: Uint8Array;
}

function routes(stack: NetworkStack): Route[] {
  const list: Route[] = [];
  const local = { table: RT_TABLE_LOCAL, protocol: RTPROT_KERNEL, scope: RT_SCOPE_HOST, kind: RTN_LOCAL };
  const kernel = { table: RT_TABLE_MAIN, protocol: RTPROT_KERNEL, scope: RT_SCOPE_LINK, kind: RTN_UNICAST };
  for (const { index, loopback, addresses } of stack.interfaces) {
    for (const { address, prefix } of addresses) {
      const bytes = parseAddress(address)!;
      const family = familyOfAddress(address);
      if (!loopback) {
        const gateway = gatewayFor(stack, index, address);
        const main = { ...kernel, family, index };
        if (gateway !== undefined) list.push({ ...main, destination: undefined, prefix: 0, gateway, protocol: RTPROT_BOOT, scope: RT_SCOPE_UNIVERSE });
        list.push({ ...main, destination: network(bytes, prefix), prefix, source: bytes });
      }
      list.push({ ...local, family, index, destination: bytes, prefix: bytes.length * 8, source: bytes });
    }
  }
  return list;
}

/** Undefined: the default route is another interface's. */
function gatewayFor(stack: NetworkStack, index: number, address: string): Uint8Array | undefined {
  const outer = stack.outerAt(index);
  if (outer !== stack.outer) return undefined;
  return parseAddress((isVersion4(address) ? outer?.gateway : outer?.version6?.gateway) ?? '');
}

function network(bytes: Uint8Array, prefix: number): Uint8Array {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.max(0, Math.min(8, prefix - 8 * index))));
}

/** `struct rtmsg` and its attributes. */
function routeMessage(route: Route, parts: ReplyParts): Uint8Array {
  const fixed = new Uint8Array(12);
  fixed.set([route.family, route.prefix, 0, 0, route.table, route.protocol, route.scope, route.kind]);
  const attributes = [attributeU32(RTA_TABLE, route.table)];
  if (route.destination !== undefined) attributes.push(attribute(RTA_DST, route.destination));
  if (route.source !== undefined) attributes.push(attribute(RTA_PREFSRC, route.source));
  if (route.gateway !== undefined) attributes.push(attribute(RTA_GATEWAY, route.gateway));
  attributes.push(attributeU32(RTA_OIF, route.index));
  return buildMessage(parts, fixed, attributes);
}

function routeMessages(stack: NetworkStack, family: number, parts: ReplyParts): Uint8Array[] {
  return routes(stack).filter((route) => family === AF_UNSPEC || family === route.family).map((route) => routeMessage(route, parts));
}

/** `ip route get ADDRESS`. */
function lookUpRoute(stack: NetworkStack, { payload }: NetlinkHeader, parts: ReplyParts): Uint8Array[] | number {
  const destination = findAttribute(payload, 12, RTA_DST);
  if (destination === undefined || (destination.length !== 4 && destination.length !== 16)) return -EOPNOTSUPP;
  const address = formatAddress(destination);
  const source = stack.sourceFor(address);
  if (source === undefined) return -ENETUNREACH;
  const local = stack.isLocal(address);
  const link = stack.interfaces.find(({ addresses }) => addresses.some((own) => own.address === source));
  const isNear = link?.addresses.some((own) => inRange(destination, parseRange(`${own.address}/${own.prefix}`)!)) === true;
  const gateway = isNear ? undefined : gatewayFor(stack, link?.index ?? 0, address);
  const route: Route = {
    family: destination.length === 4 ? AF_INET : AF_INET6, destination, prefix: destination.length * 8, table: local ? RT_TABLE_LOCAL : RT_TABLE_MAIN,
    protocol: 0, scope: RT_SCOPE_UNIVERSE, kind: local ? RTN_LOCAL : RTN_UNICAST, index: local ? 1 : link?.index ?? 1, source: parseAddress(source)!,
    ...(local || gateway === undefined ? {} : { gateway }),
  };
  return [routeMessage(route, parts)];
}
