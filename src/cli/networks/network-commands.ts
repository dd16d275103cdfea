/** `network create`, `ls`, `inspect`, `rm` and `prune`. */
import { Networks, address6Of, gatewayOf, prefixOf, shortId } from '../../lifecycle/index.ts';
import type { Containers, NetworkRecord } from '../../lifecycle/index.ts';
import type { ImageStore } from '../../image/index.ts';
import { readCommand } from '../command.ts';
import type { CommandSpec } from '../command.ts';
import { confirmed } from '../confirm.ts';
import { hasLabel } from '../containers/container-facts.ts';
import { forEach, withContainers } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { NETWORK_CREATE, NETWORK_INSPECT, NETWORK_LS, NETWORK_PRUNE, NETWORK_RM } from './network-specs.ts';
import { pruneFilter } from '../containers/prune-filter.ts';
import type { Prunable } from '../containers/prune-filter.ts';
import { labelsIn } from '../containers/run-record.ts';
import { formatTable } from '../table.ts';
import { compileTemplate } from '../template.ts';
import type { TemplateValue } from '../template.ts';

type Fields = { readonly [key: string]: TemplateValue };

function inspected(networks: Networks, network: NetworkRecord): Fields {
  const { name, id, subnet, subnet6, internal, labels, createdMs } = network;
  return {
    Name: name, Id: id, Created: new Date(createdMs).toISOString(), Scope: 'local', Driver: 'bridge', EnableIPv6: subnet6 !== undefined, Internal: internal, Attachable: true, Ingress: false,
    IPAM: { Driver: 'default', Config: [{ Subnet: subnet, Gateway: gatewayOf(subnet) }, ...(subnet6 === undefined ? [] : [{ Subnet: subnet6, Gateway: address6Of(network, gatewayOf(subnet)) ?? '' }])] },
    Containers: Object.fromEntries(networks.members(name).map((member) => [member.container, { Name: member.names[0] ?? '', Aliases: member.names.slice(1), IPv4Address: `${member.address}/${prefixOf(subnet)}`, IPv6Address: subnet6 === undefined ? '' : `${address6Of(network, member.address) ?? ''}/64` }])),
    Labels: labels,
  };
}

async function onNetworks(spec: CommandSpec, args: readonly string[], what: string, body: (values: FlagValues, networks: Networks) => Promise<number> | number): Promise<number> {
  const values = await readCommand(spec, args);
  if (values === undefined) return 0;
  return withContainers(what, (_, store) => body(values, new Networks(store)));
}

export function networkCreateCommand(args: readonly string[]): Promise<number> {
  return onNetworks(NETWORK_CREATE, args, 'make the network', (values, networks) => {
    const driver = values.last('driver');
    if (driver !== undefined && driver !== 'bridge') throw new UserError(`cannot use --driver ${driver}: there is only bridge`, 'leave it out');
    const { id } = networks.create({ name: values.command[0] ?? '', subnet: values.last('subnet'), ipv6: values.has('ipv6'), internal: values.has('internal'), labels: labelsIn(values.all('label')) });
    process.stdout.write(`${id}\n`);
    return 0;
  });
}

export function networkLsCommand(args: readonly string[]): Promise<number> {
  return onNetworks(NETWORK_LS, args, 'list networks', (values, networks) => {
    const rows = networks.list().map(({ id, name, subnet6, internal, labels, createdMs }): Fields => ({
      ID: values.has('no-trunc') ? id : shortId(id), Name: name, Driver: 'bridge', Scope: 'local', IPv6: String(subnet6 !== undefined), Internal: String(internal), CreatedAt: new Date(createdMs).toISOString(),
      Labels: Object.entries(labels).map(([key, value]) => `${key}=${value}`).join(','),
    }));
    const format = values.last('format');
    if (values.has('quiet')) process.stdout.write(rows.map(({ ID }) => `${String(ID)}\n`).join(''));
    else if (format !== undefined) process.stdout.write(rows.map((row) => `${compileTemplate(format)(row)}\n`).join(''));
    else process.stdout.write(formatTable([['NETWORK ID', 'NAME', 'DRIVER', 'SCOPE'], ...rows.map(({ ID, Name, Driver, Scope }) => [ID, Name, Driver, Scope].map(String))]));
    return 0;
  });
}

export function networkInspectCommand(args: readonly string[]): Promise<number> {
  return onNetworks(NETWORK_INSPECT, args, 'inspect networks', (values, networks) => {
    const items = values.command.map((text) => inspected(networks, networks.find(text)));
    const format = values.last('format');
    process.stdout.write(format === undefined ? `${JSON.stringify(items, undefined, 2)}\n` : items.map((item) => `${compileTemplate(format)(item)}\n`).join(''));
    return 0;
  });
}

export function networkRmCommand(args: readonly string[]): Promise<number> {
  return onNetworks(NETWORK_RM, args, 'remove networks', (values, networks) => forEach(values.command, 'remove the network', (text) => {
    networks.remove(networks.find(text));
    return text;
  }));
}

/** Removes those that no container is made for. Answers their names. */
export function pruneNetworks(containers: Containers, store: ImageStore, accepts: (one: Prunable) => boolean): readonly string[] {
  const networks = new Networks(store);
  const used = new Set(containers.list().flatMap(({ record }) => record?.container.network.members ?? []).map(({ network }) => network));
  const unused = networks.list().filter(({ name, labels, createdMs }) => !used.has(name) && networks.members(name).length === 0 && accepts({ createdMs, hasLabel: (text) => hasLabel(labels, text) }));
  for (const network of unused) networks.remove(network);
  return unused.map(({ name }) => name);
}

export async function networkPruneCommand(args: readonly string[]): Promise<number> {
  const values = await readCommand(NETWORK_PRUNE, args);
  if (values === undefined) return 0;
  const filters = values.all('filter').map(pruneFilter);
  if (!values.has('force') && !(await confirmed('WARNING! This will remove all networks that no container is made for.'))) return 0;
  return withContainers('remove networks', (containers, store) => {
    const names = pruneNetworks(containers, store, (one) => filters.every((filter) => filter(one)));
    process.stdout.write(names.length === 0 ? '' : `Deleted Networks:\n${names.join('\n')}\n\n`);
    return 0;
  });
}
