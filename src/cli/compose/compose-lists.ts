/** `compose ps`, `images`, `top`, `port`, `ls`, `config`: what there is. */
import { writeFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { isObject } from '../../image/index.ts';
import type { Json } from '../../image/index.ts';
import { parseReference } from '../../image/reference.ts';
import { shortId } from '../../lifecycle/index.ts';
import { commandOf, imageName, statusOf, statusText } from '../containers/container-facts.ts';
import { topCommand } from '../containers/container-exec.ts';
import { EXIT_FAILED, withContainers } from '../containers/container-store.ts';
import { UserError } from '../errors.ts';
import type { FlagValues } from '../flags.ts';
import { addressText, boundPorts, portsText } from '../networks/published-ports.ts';
import { sizeOf } from '../images/image-facts.ts';
import { oneOf } from '../option-values.ts';
import { formatTable, humanAge, humanSize } from '../table.ts';
import { formatRows } from '../template.ts';
import type { TemplateValue } from '../template.ts';
import { itemsOf, knownProject } from './compose-down.ts';
import { loadProject, notesOf, warn } from './load.ts';
import { LABEL, containersOf, hashOf, imageNameOf } from './project-containers.ts';
import { findImage } from './resources.ts';
import { contentsOf } from './service-files.ts';
import { oneContainer } from './one-container.ts';

type Fields = { readonly [key: string]: TemplateValue };

const COMMAND_WIDTH = 20;
const STATUSES = ['paused', 'restarting', 'removing', 'running', 'dead', 'created', 'exited'];

/** A table, JSON with a line for each, or a template. */
function print(format: string | undefined, rows: readonly Fields[], columns: readonly (readonly [field: string, title: string])[], jsonList = false): void {
  if (format === undefined || format === 'table') process.stdout.write(formatTable([columns.map(([, title]) => title), ...rows.map((row) => columns.map(([field]) => String(row[field])))]));
  else if (format === 'json') process.stdout.write(jsonList ? `${JSON.stringify(rows)}\n` : rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  else process.stdout.write(formatRows(format, rows, Object.fromEntries(columns)));
}

export async function ps(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals, values.command);
  const wrong = values.all('status').find((status) => !STATUSES.includes(status));
  if (wrong !== undefined) throw new UserError(`cannot use --status ${wrong}: there is no such status`, `it is one of ${STATUSES.join(', ')}`, EXIT_FAILED);
  return withContainers('list containers', (containers, store) => {
    const all = values.has('all') || values.has('status');
    const items = itemsOf(containers, known, values.command, values.has('all')).filter(({ container }) => (all || container.state.status === 'running') && (!values.has('status') || values.all('status').includes(statusOf(container))));
    const nowMs = Date.now();
    if (values.has('quiet')) process.stdout.write(items.map(({ container }) => `${container.id}\n`).join(''));
    else if (values.has('services')) process.stdout.write([...new Set(items.map(({ service }) => service))].map((name) => `${name}\n`).join(''));
    else {
      print(values.last('format'), items.map(({ container, service }): Fields => {
        const { record, state } = container;
        const command = commandOf(record).join(' ');
        return {
          ID: shortId(container.id), Name: container.name, Names: container.name, Image: imageName(store, record), Command: `"${values.has('no-trunc') || command.length <= COMMAND_WIDTH ? command : `${command.slice(0, COMMAND_WIDTH - 1)}…`}"`, Project: known.name, Service: service,
          CreatedAt: new Date(record.createdMs).toISOString(), RunningFor: humanAge(nowMs - record.createdMs), State: statusOf(container), Status: statusText(container, nowMs), Health: state.status === 'running' ? state.health?.status ?? '' : '', ExitCode: state.exitCode, Ports: portsText(container),
          Publishers: boundPorts(container).map(({ address, port, hostPort, protocol }) => ({ URL: address, TargetPort: port, PublishedPort: hostPort, Protocol: protocol })),
        };
      }), [['Name', 'NAME'], ['Image', 'IMAGE'], ['Command', 'COMMAND'], ['Service', 'SERVICE'], ['RunningFor', 'CREATED'], ['Status', 'STATUS'], ['Ports', 'PORTS']]);
    }
    return 0;
  });
}

export async function images(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals, values.command);
  return withContainers('list images', (containers, store) => {
    const items = itemsOf(containers, known, values.command);
    const rows = items.map(({ container: { name, record: { image } } }): Fields => {
      const { repository, tag } = ((): { repository: string; tag: string } => {
        try {
          const reference = parseReference(image.name);
          return { repository: image.name.replace(/(?::[^:/@]+)?(?:@.*)?$/, ''), tag: reference.tag ?? '<none>' };
        } catch {
          return { repository: image.name, tag: '<none>' };
        }
      })();
      const found = findImage(store, image.id);
      return { ID: shortId(image.id.slice('sha256:'.length)), ContainerName: name, Repository: repository, Tag: tag, Size: found === undefined ? 'N/A' : humanSize(sizeOf(store, found)) };
    });
    if (values.has('quiet')) process.stdout.write([...new Set(items.map(({ container }) => container.record.image.id.slice('sha256:'.length)))].map((id) => `${id}\n`).join(''));
    else print(values.last('format'), rows, [['ContainerName', 'CONTAINER'], ['Repository', 'REPOSITORY'], ['Tag', 'TAG'], ['ID', 'IMAGE ID'], ['Size', 'SIZE']], true);
    return 0;
  });
}

export async function top(values: FlagValues, globals: FlagValues): Promise<number> {
  const known = knownProject(globals, values.command);
  const names = await withContainers('show processes', (containers) => itemsOf(containers, known, values.command).filter(({ container }) => container.state.status === 'running').map(({ container }) => container.name));
  for (const name of names) {
    process.stdout.write(`${name}\n`);
    await topCommand([name]);
    process.stdout.write('\n');
  }
  return 0;
}

export async function port(values: FlagValues, globals: FlagValues): Promise<number> {
  const [service = '', text = ''] = values.command;
  const known = knownProject(globals, [service]);
  const protocol = oneOf(values, 'protocol', ['tcp', 'udp']) ?? 'tcp';
  return withContainers('show a port', (containers) => {
    const { container } = oneContainer(containers, known, service, values);
    const bound = boundPorts(container).find((one) => String(one.port) === text && one.protocol === protocol);
    if (bound === undefined) throw new UserError(`no port ${text}/${protocol} for container ${container.name}`, `see "caisson compose ps"`, EXIT_FAILED);
    process.stdout.write(`${addressText(bound.address)}:${bound.hostPort}\n`);
    return 0;
  });
}

/** `running(2), exited(1)`. */
function counted(words: readonly string[]): string {
  return [...new Set(words)].sort().map((word) => `${word}(${words.filter((other) => other === word).length})`).join(', ');
}

export async function ls(values: FlagValues): Promise<number> {
  const format = oneOf(values, 'format', ['table', 'json']);
  const filters = values.all('filter').map((text) => {
    if (!text.startsWith('name=')) throw new UserError(`invalid filter '${text}'`, 'it is name=NAME', EXIT_FAILED);
    return text.slice('name='.length);
  });
  return withContainers('list projects', (containers) => {
    const names = [...new Set(containers.list().flatMap(({ record }) => record?.labels[LABEL.project] ?? []))].sort();
    const rows = names.filter((name) => filters.every((filter) => name.includes(filter))).flatMap((name): readonly Fields[] => {
      const items = containersOf(containers, name).filter(({ isOneOff, container }) => !isOneOff && (values.has('all') || container.state.status === 'running'));
      return items.length === 0 ? [] : [{ Name: name, Status: counted(items.map(({ container }) => statusOf(container))), ConfigFiles: items[0]?.container.record.labels[LABEL.files] ?? '' }];
    });
    if (values.has('quiet')) process.stdout.write(rows.map(({ Name }) => `${String(Name)}\n`).join(''));
    else print(format, rows, [['Name', 'NAME'], ['Status', 'STATUS'], ['ConfigFiles', 'CONFIG FILES']], true);
    return 0;
  });
}

/** A dollar sign in a value is one when it is read again. */
function escaped(value: Json): Json {
  if (typeof value === 'string') return value.replaceAll('$', '$$$$');
  if (Array.isArray(value)) return value.map(escaped);
  return isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, escaped(item)])) : value;
}

/** `compose config`. Warnings are about what is not done here. */
export async function config(values: FlagValues, globals: FlagValues): Promise<number> {
  const format = oneOf(values, 'format', ['yaml', 'json']) ?? 'yaml';
  const project = loadProject(globals, values.command);
  const lines = (names: readonly string[]): string => names.map((name) => `${name}\n`).join('');
  const hash = values.last('hash');
  const chosen = hash === undefined || hash === '*' ? project.services : project.services.filter(({ name }) => hash.split(',').includes(name));
  const document = escaped(project.document);
  const text = values.has('quiet') ? '' : values.has('services') ? lines(project.services.map(({ name }) => name).sort()) : values.has('volumes') ? lines([...project.volumes.keys()].sort()) : values.has('networks') ? lines([...project.networks.keys()].sort())
    : values.has('images') ? lines(project.services.map((service) => imageNameOf(project, service))) : values.has('profiles') ? lines(project.profiles) : values.has('environment') ? lines(Object.entries(process.env).map(([name, value]) => `${name}=${value ?? ''}`))
      : hash !== undefined ? lines(chosen.map((service) => `${service.name} ${hashOf(service, contentsOf(project, service))}`))
        : format === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
  for (const note of notesOf(project, project.services)) warn(note.text);
  const file = values.last('output');
  if (file === undefined) process.stdout.write(text);
  else writeFileSync(file, text);
  return 0;
}
