/** What a service may have (compose-spec 05-services.md, build.md, deploy.md, develop.md), and what of it means something here. */
import type { Json, ObjectShape } from './shape.ts';
import { anything, flag, ignored, integer, isList, isObject, list, loose, mapping, named, number, object, oneOf, pairs, refused, size, text, texts, time } from './shape.ts';
import { buildContext, commandWords, dependencies, environmentFiles, extended, extraHosts, grant, healthTest, oneOrMore, portKey, publishedPorts, targetKey, ulimit, volumeMount } from './short-forms.ts';

const OWN_KERNEL = 'a container has a kernel of its own';
const NO_DEVICES = 'devices of this machine are never shown';
const NO_SWITCH = 'control groups of version 2 do not have it';
const NAMES = 'names are asked for by this machine';
const GIVEN_OUT = 'addresses are given out; containers find each other by name';
const SHARED = 'each container has a kernel and a network of its own';
const SWARM = 'it is for a swarm';

function isOne(...words: readonly Json[]): (value: Json) => boolean {
  return (value) => words.includes(value);
}
function isEmpty(value: Json): boolean {
  return isList(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

const COMMAND = { ...list(loose), short: commandWords, replaces: true } as const;
const PATH = { is: 'text', path: {} } as const;
/** A repository or an address instead of a directory. */
const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i;

const GRANT = { ...object({ source: text, target: text, uid: loose, gid: loose, mode: loose }, 'source'), short: grant } as const;

const BUILD: ObjectShape = {
  ...object({
    context: { is: 'text', path: { unless: REMOTE } }, dockerfile: text, dockerfile_inline: text, args: pairs(null), target: text, labels: pairs(''), tags: texts(), no_cache: flag, pull: flag,
    additional_contexts: { ...pairs(''), of: { is: 'text', path: { unless: /^[a-z][a-z0-9+.-]*:/i } } }, cache_from: texts(), cache_to: texts(), ssh: pairs(''), network: text, platforms: texts(), secrets: list(GRANT, targetKey),
    no_cache_filter: texts(), provenance: loose, sbom: refused(loose, 'no bill of materials is made', isOne('false')), entitlements: refused(texts(), 'a command of a build has no rights of this machine', isEmpty),
    extra_hosts: refused({ ...list(text, String), short: extraHosts }, 'names come from the network', isEmpty), isolation: ignored(text, 'there is one kind'), privileged: refused(flag, OWN_KERNEL, isOne(false)),
    shm_size: ignored(size, '/dev/shm has 64 MiB in a build'), ulimits: ignored(mapping({ ...object({ soft: integer, hard: integer }), short: ulimit }), 'set limits in the command'),
  }),
  short: buildContext,
};

const RESOURCE = { cpus: number, memory: size, pids: integer };
const DEPLOY = object({
  mode: ignored(oneOf('global', 'replicated', 'replicated-job', 'global-job'), SWARM, isOne('replicated')), replicas: integer, endpoint_mode: ignored(text, SWARM), labels: ignored(pairs(''), SWARM, isEmpty), placement: ignored(anything, SWARM),
  resources: object({
    limits: object(RESOURCE),
    reservations: object({ ...RESOURCE, cpus: ignored(number, 'nothing is reserved'), pids: ignored(integer, 'nothing is reserved'), devices: refused(anything, NO_DEVICES, isEmpty), generic_resources: ignored(anything, SWARM) }),
  }),
  restart_policy: object({ condition: oneOf('none', 'on-failure', 'any'), max_attempts: integer, delay: ignored(time, 'the pause grows from 0.1 s to a minute'), window: ignored(time, 'ten seconds of running count as a success') }),
  rollback_config: ignored(anything, SWARM), update_config: ignored(anything, SWARM),
});

const MOUNT: ObjectShape = {
  ...object({
    type: oneOf('volume', 'bind', 'tmpfs', 'npipe', 'cluster', 'image'), source: text, target: text, read_only: flag, consistency: ignored(text, 'there is one kind'),
    bind: object({ create_host_path: flag, propagation: ignored(text, 'nothing is mounted later', isOne('rprivate', 'private')), selinux: text, recursive: ignored(text, 'mounts below are shown as they are') }),
    volume: object({ nocopy: flag, labels: pairs(''), subpath: refused(text, 'a volume is mounted as a whole') }), tmpfs: object({ size, mode: ignored(loose, 'it is 1777') }), image: object({ subpath: text }),
  }, 'type', 'target'),
  short: volumeMount, pathIn: { field: 'source', when: ({ type }) => type === 'bind' },
};

const NETWORK = object({
  aliases: list(text, String), ipv4_address: text, ipv6_address: refused(text, GIVEN_OUT), link_local_ips: refused(list(text), GIVEN_OUT, isEmpty), mac_address: ignored(text, 'there are no frames'), driver_opts: ignored(mapping(loose), 'there is one driver', isEmpty),
  priority: integer, gw_priority: integer, interface_name: ignored(text, 'they are eth0, eth1 and so on'),
});

const HOOK = list(object({ command: COMMAND, user: text, privileged: flag, working_dir: text, environment: pairs(null) }, 'command'));

/** What only this engine has: how far the programs of a service may reach out. */
const CAISSON = object({ network: oneOf('none', 'outbound'), 'allow-net': texts() });

export const SERVICE: ObjectShape = object({
  'x-caisson': CAISSON,
  image: text, build: BUILD, container_name: text, command: COMMAND, entrypoint: COMMAND, environment: pairs(null), env_file: { ...list(object({ path: PATH, required: flag, format: oneOf('raw') }, 'path'), (item) => (isObject(item) ? String(item['path']) : '')), short: environmentFiles },
  ports: { ...list(object({ name: text, mode: oneOf('ingress', 'host'), host_ip: text, target: integer, published: loose, protocol: oneOf('tcp', 'udp', 'sctp'), app_protocol: text }, 'target'), portKey), short: publishedPorts },
  expose: list(loose, String), volumes: list(MOUNT, targetKey), tmpfs: { ...list(text, String), short: oneOrMore }, networks: named(NETWORK, {}), network_mode: text,
  depends_on: { ...mapping(object({ condition: oneOf('service_started', 'service_healthy', 'service_completed_successfully'), required: flag, restart: flag }, 'condition')), short: dependencies },
  healthcheck: object({ test: { ...list(loose), short: healthTest, replaces: true }, interval: time, timeout: time, retries: integer, start_period: time, start_interval: time, disable: flag }),
  restart: text, deploy: DEPLOY, scale: integer, profiles: list(text, String), extends: { ...object({ service: text, file: text }, 'service'), short: extended }, labels: pairs(''), label_file: { ...texts(), of: PATH }, annotations: ignored(pairs(''), 'there is no runtime that reads them', isEmpty),
  user: loose, working_dir: text, hostname: text, domainname: ignored(text, 'use hostname'), tty: flag, stdin_open: flag, init: flag, read_only: flag, privileged: refused(flag, 'inside, root has what cap_add gives it; nothing of this machine can be given', isOne(false)),
  cap_add: list(text, String), cap_drop: list(text, String), ulimits: mapping({ ...object({ soft: integer, hard: integer }, 'soft', 'hard'), short: ulimit }), stop_signal: text, stop_grace_period: time,
  mem_limit: size, mem_reservation: size, memswap_limit: size, mem_swappiness: ignored(integer, NO_SWITCH), cpus: number, cpu_shares: loose, cpu_quota: loose, cpu_period: loose, cpu_count: ignored(integer, 'use cpus'), cpu_percent: ignored(number, 'use cpus'), cpuset: ignored(text, 'a container has one processor'),
  cpu_rt_period: ignored(loose, NO_SWITCH), cpu_rt_runtime: ignored(loose, NO_SWITCH), pids_limit: integer, oom_score_adj: integer, oom_kill_disable: ignored(flag, NO_SWITCH, isOne(false)), storage_opt: object({ size }), blkio_config: ignored(anything, 'a container is alone on its disk', isEmpty),
  secrets: list(GRANT, targetKey), configs: list(GRANT, targetKey), logging: { ...object({ driver: text, options: mapping(loose) }), oneWith: 'driver' }, extra_hosts: { ...list(text, String), short: extraHosts }, platform: oneOf('linux/amd64', 'linux/x86_64', 'linux'),
  pull_policy: text, pull_refresh_after: ignored(text, 'use pull_policy'), attach: flag,
  links: list(text, String), external_links: refused(list(text, String), 'put both on one network', isEmpty), volumes_from: refused(list(text, String), 'name each volume in both services', isEmpty),
  dns: texts(), dns_opt: ignored(list(text, String), NAMES, isEmpty), dns_search: ignored(texts(), NAMES, isEmpty), mac_address: ignored(text, 'there are no frames'), shm_size: ignored(size, '/dev/shm has 64 MiB', (value) => Number(value) <= 2 ** 26),
  sysctls: ignored(pairs(''), 'they are as the kernel inside has them', isEmpty), security_opt: ignored(list(text, String), OWN_KERNEL, isEmpty), group_add: ignored(list(loose, String), 'processes have the groups of their user in the image', isEmpty),
  cgroup: ignored(oneOf('host', 'private'), 'its control groups are its own', isOne('private')), cgroup_parent: ignored(text, 'a container is in no control group of this machine'), userns_mode: ignored(text, OWN_KERNEL), isolation: ignored(text, 'there is one kind', isOne('default')), runtime: ignored(text, 'there is one', isOne('runc')),
  ipc: refused(text, SHARED, isOne('private', 'shareable', 'none')), pid: refused(text, SHARED, isOne('private')), uts: refused(text, SHARED, isOne('private')), devices: refused(list(anything), NO_DEVICES, isEmpty), device_cgroup_rules: refused(list(text), NO_DEVICES, isEmpty), gpus: refused(anything, NO_DEVICES), use_api_socket: refused(flag, 'there is no daemon with a socket', isOne(false)),
  credential_spec: refused(anything, 'it is for Windows'), models: refused(anything, 'no language models are run'), provider: refused(anything, 'no other programs are started'), post_start: refused(HOOK, 'use a healthcheck, or a service of its own with depends_on', isEmpty), pre_stop: refused(HOOK, 'handle the stop signal', isEmpty), develop: ignored(anything, 'it is for "compose watch"'),
});
