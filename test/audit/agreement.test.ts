/**
 * The kinds of input agree on the same container: as Docker's client and Podman wrote them (`recorded.json`), and as people write them by hand in each kind.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readInput } from '../../src/audit/read.ts';
import { RECORDED, commandLine, judgementsOf, rulesOf, shownItems } from './testing.ts';

/** What Podman 4.3 itself leaves out or fills in, or the machine on which it was recorded has not (AppArmor, SELinux, CAP_SYS_RESOURCE). */
const GAPS: Readonly<Record<string, readonly string[]>> = {
  // It fills limits in, says "shareable" for the host's IPC, and has no sysctls.
  dockerInspect: ['default-ulimits', 'host-ipc', 'unsafe-sysctl', 'cap-sys-resource'],
  podmanInspect: ['cap-sys-resource'],
  bundle: ['apparmor-off', 'selinux-off', 'cap-sys-resource'],
  // `podman generate kube` leaves namespaces, propagation, seccomp and sysctls out, and writes tmpfs as a path of the host.
  kubernetes: ['seccomp-off', 'seccomp-unset', 'host-pid', 'host-ipc', 'shared-propagation', 'host-path', 'unsafe-sysctl', 'cap-sys-resource', 'selinux-off', 'apparmor-off', 'baseline-capabilities'],
};

/** Items on which two texts differ, of those that both show. */
function differences(one: string, other: string): readonly string[] {
  const [left, right] = [shownItems(one), shownItems(other)];
  return [...left].filter(([id, isSo]) => right.has(id) && right.get(id) !== isSo).map(([id]) => id);
}

for (const recorded of RECORDED) {
  test(`${recorded.name}: what Docker's client asks for is what the command line says`, () => {
    assert.deepEqual(differences(commandLine('docker', recorded), JSON.stringify(recorded.dockerRequest)), []);
    assert.deepEqual([...rulesOf(commandLine('docker', recorded))], [...rulesOf(JSON.stringify(recorded.dockerRequest))]);
  });
  for (const form of ['podmanInspect', 'dockerInspect', 'bundle', 'kubernetes'] as const) {
    const value = recorded[form];
    if (value === undefined) continue;
    test(`${recorded.name}: ${form} of Podman says what its command line says`, () => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      const gaps = GAPS[form] ?? [];
      assert.deepEqual(differences(commandLine('podman', recorded), text).filter((id) => !gaps.includes(id)), []);
      // The comparison means something: most items are shown by both.
      assert.ok(shownItems(text).size > 75, String(shownItems(text).size));
    });
  }
}

/** The same container, by hand, in each kind. Kubernetes and OCI have no defaults for seccomp, so all name theirs. */
const MASKS = '"maskedPaths": ["/proc/kcore"], "readonlyPaths": ["/proc/sys"]';
const CAPS = (names: readonly string[]): string => JSON.stringify(['CHOWN', 'DAC_OVERRIDE', 'FSETID', 'FOWNER', 'MKNOD', 'NET_RAW', 'SETGID', 'SETUID', 'SETFCAP', 'SETPCAP', 'NET_BIND_SERVICE', 'SYS_CHROOT', 'KILL', 'AUDIT_WRITE', ...names].map((name) => `CAP_${name}`));
const bundle = ({ caps = [] as readonly string[], mounts = '', host = '', more = '', process = '' }): string => `{"ociVersion": "1.2.0", "process": {"user": {"uid": 0}, "args": ["serve"], "capabilities": {"bounding": ${CAPS(caps)}}${process}}, "root": {"path": "r"},
  "mounts": [${mounts}], "linux": {"namespaces": [${['pid', 'network', 'ipc', 'uts', 'mount'].filter((name) => !host.includes(name)).map((type) => `{"type": "${type}"}`).join(', ')}], "resources": {"memory": {"limit": 67108864}, "pids": {"limit": 50}}, "seccomp": {"defaultAction": "SCMP_ACT_ERRNO"}, ${MASKS}${more}}}`;
const inspection = (host: string, config = ''): string => `[{"Name": "/web", "HostConfig": {"NetworkMode": "mine", "Memory": 67108864, "PidsLimit": 50, ${host}}, "Config": {"Image": "app:1", "Cmd": ["serve"]${config}}}]`;
const pod = (spec: string, context: string): string => `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {automountServiceAccountToken: false, securityContext: {seccompProfile: {type: RuntimeDefault}}${spec}, containers: [{name: web, image: "app:1", resources: {limits: {memory: 64Mi}}${context}}]}}`;
const run = (flags: string): string => `docker run --name web --network mine --memory 64m --pids-limit 50 ${flags} app:1 serve`;
const compose = (lines: string): string => `services:\n  web:\n    image: app:1\n    command: serve\n    mem_limit: 64m\n    pids_limit: 50\n${lines}`;

const BY_HAND: Readonly<Record<string, readonly string[]>> = {
  'the engine\'s socket': [
    run('-v /var/run/docker.sock:/s'), inspection('"Binds": ["/var/run/docker.sock:/s"]'), compose('    volumes: ["/var/run/docker.sock:/s"]\n'),
    pod(', volumes: [{name: s, hostPath: {path: /var/run/docker.sock}}]', ', volumeMounts: [{name: s, mountPath: /s}]'), bundle({ mounts: '{"destination": "/s", "type": "bind", "source": "/run/docker.sock", "options": ["rbind"]}' }),
  ],
  'the host\'s processes and ptrace, without AppArmor': [
    run('--pid host --cap-add SYS_PTRACE --security-opt apparmor=unconfined'), inspection('"PidMode": "host", "CapAdd": ["CAP_SYS_PTRACE"], "SecurityOpt": ["apparmor=unconfined"]'),
    compose('    pid: host\n    cap_add: [SYS_PTRACE]\n    security_opt: ["apparmor:unconfined"]\n'), pod(', hostPID: true', ', securityContext: {capabilities: {add: [SYS_PTRACE]}, appArmorProfile: {type: Unconfined}}'),
    bundle({ caps: ['SYS_PTRACE'], host: 'pid', process: ', "apparmorProfile": "unconfined"' }),
  ],
  'a system directory, read-only, and a user': [
    run('-v /etc:/e:ro -u 1000'), inspection('"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/e", "ReadOnly": true}]', ', "User": "1000"'), compose('    user: "1000"\n    volumes:\n      - {type: bind, source: /etc, target: /e, read_only: true}\n'),
    pod(', volumes: [{name: e, hostPath: {path: /etc}}]', ', securityContext: {runAsUser: 1000}, volumeMounts: [{name: e, mountPath: /e, readOnly: true}]'),
    bundle({ mounts: '{"destination": "/e", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]}' }).replace('"uid": 0', '"uid": 1000'),
  ],
  'a disk and a secret': [
    run('--device /dev/sda -e API_TOKEN=abcdefgh12345678'), inspection('"Devices": [{"PathOnHost": "/dev/sda", "PathInContainer": "/dev/sda", "CgroupPermissions": "rwm"}]', ', "Env": ["API_TOKEN=abcdefgh12345678"]'),
    compose('    devices: ["/dev/sda:/dev/sda"]\n    environment: ["API_TOKEN=abcdefgh12345678"]\n'), '', bundle({ more: ', "devices": [{"path": "/dev/sda", "type": "b", "major": 8, "minor": 0}]', process: ', "env": ["API_TOKEN=abcdefgh12345678"]' }),
  ],
  'nothing but bounds and no rights': [
    run('--cap-drop ALL --read-only --security-opt no-new-privileges -u 65532'), inspection('"CapDrop": ["ALL"], "ReadonlyRootfs": true, "SecurityOpt": ["no-new-privileges"]', ', "User": "65532"'),
    compose('    cap_drop: [ALL]\n    read_only: true\n    security_opt: ["no-new-privileges:true"]\n    user: "65532"\n'),
    pod('', ', securityContext: {capabilities: {drop: [ALL]}, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, runAsUser: 65532}'),
    bundle({ process: ', "noNewPrivileges": true' }).replace('"uid": 0', '"uid": 65532').replace(/"bounding": \[[^\]]*\]/, '"bounding": []').replace('"path": "r"', '"path": "r", "readonly": true'),
  ],
};

for (const [name, texts] of Object.entries(BY_HAND)) {
  test(`${name}: command line, inspect, Compose, Kubernetes and OCI agree`, () => {
    const given = texts.filter((text) => text !== '');
    assert.equal(new Set(given.map((text) => readInput(text).kind)).size, given.length);
    const [first = '', ...others] = given;
    for (const text of others) {
      assert.deepEqual(differences(first, text).filter((id) => id !== 'host-users'), [], readInput(text).kind);
      // Paths that the network between containers or the bounds of one kind decide are not in all kinds.
      assert.deepEqual([...rulesOf(text)].filter((id) => id.startsWith('path-') && id !== 'path-take-processors'), [...rulesOf(first)].filter((id) => id.startsWith('path-') && id !== 'path-take-processors'), readInput(text).kind);
    }
  });
}

test('a workload of each kind of Kubernetes has the pod that a Pod has', () => {
  const template = { metadata: {}, spec: { hostPID: true, containers: [{ name: 'web', image: 'app:1', securityContext: { privileged: true } }], initContainers: [{ name: 'first', image: 'app:1' }] } };
  const workload = (kind: string, apiVersion: string, spec: unknown): object => ({ apiVersion, kind, metadata: { name: 'w' }, spec });
  const documents = [
    workload('Pod', 'v1', template.spec), ...['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet'].map((kind) => workload(kind, 'apps/v1', { template })), workload('Job', 'batch/v1', { template }),
    workload('CronJob', 'batch/v1', { jobTemplate: { spec: { template } } }),
  ];
  const rules = documents.map((document) => [...rulesOf(JSON.stringify(document))]);
  for (const one of rules) assert.deepEqual(one, rules[0]);
  const list = readInput(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: documents }));
  assert.equal(list.configurations.length, 2 * documents.length);
  assert.deepEqual(judgementsOf(list).filter((_, index) => index % 2 === 1).map(({ paths }) => paths.filter(({ state }) => state !== 'closed').length), documents.map(() => rules[0]?.filter((id) => id.startsWith('path-')).length ?? 0));
});
