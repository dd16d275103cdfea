/** `caisson audit`, as data. */
import type { CommandSpec } from '../command.ts';
import { FINDING_FLAGS, FINDING_STATUS } from '../finding-flags.ts';

const INPUT = 'Input';
const JUDGE = 'What is judged';
const OUTPUT = 'More output';

export const AUDIT: CommandSpec = {
  name: 'audit', usage: '[FLAGS] FILE|CONTAINER|IMAGE|-...\n       caisson audit [FLAGS] docker|podman|caisson run ...', summary: 'find ways out of a container in its configuration, and close them', words: [1, 1000],
  description: `Reads command lines of "docker run", "podman run" and "caisson run" (as words, or in a shell script), the JSON of "docker inspect" and "podman inspect", Compose files, pods and
workloads of Kubernetes, config.json of OCI bundles, and our own containers and images by name. It shows attack paths: what an attacker in the container does step by step, what that needs and
what of it is there, where it ends, and the smallest change that cuts it. Deviations that open no path are counted; --all lists them, with the controls of the CIS Docker
Benchmark 1.6 and the Pod Security Standards that they fail, and what each means under Docker, under gVisor and here.
${FINDING_STATUS}`,
  flags: [
    { group: INPUT, name: 'kind', kind: 'string', placeholder: 'KIND', help: 'command, inspect, compose, kubernetes, oci or image (default: what it looks like)' },
    { group: INPUT, name: 'host', kind: 'string', multiple: true, placeholder: 'KEY=VALUE|FILE', help: 'what is known of the host, such as runc=1.1.11, kernel=5.10.0, cgroup=1, apparmor=no, or the JSON of docker info, docker version, podman info, kubectl get nodes' },
    { group: JUDGE, name: 'under', kind: 'string', placeholder: 'docker|gvisor|caisson', help: 'the engine to judge it for (default: the one it is for)' },
    { group: JUDGE, name: 'all', short: 'a', kind: 'boolean', help: 'also what opens no path' },
    { group: JUDGE, name: 'standard', kind: 'string', multiple: true, placeholder: 'cis|baseline|restricted', help: 'every control of this standard, with its result; one that fails is a finding' },
    { group: OUTPUT, name: 'brief', kind: 'boolean', help: 'paths in two lines each' },
    { group: OUTPUT, name: 'fix', kind: 'optional', placeholder: 'all|RULE,...', help: 'write the same configuration with the smallest changes that close all paths from --fail-on on; all: and what else can be changed safely' },
    { group: OUTPUT, name: 'output', short: 'o', kind: 'string', placeholder: 'FILE', help: 'where --fix writes it (default: standard output)' },
    { group: OUTPUT, name: 'graph', kind: 'string', placeholder: 'FILE', help: 'draw the paths: as SVG, or as DOT for FILE.dot; - for DOT on standard output' },
    ...FINDING_FLAGS,
  ],
  examples: [
    ['caisson audit docker run -v /var/run/docker.sock:/var/run/docker.sock app', 'a command line'], ['docker inspect $(docker ps -q) | caisson audit -', 'what is running'],
    ['caisson audit --host cgroup=1 --host apparmor=no compose.yml', 'with what is known of the host'], ['caisson audit --fix -o fixed.yml pod.yml', 'close the paths'],
    ['caisson audit --standard restricted pod.yml', 'a standard, control by control'], ['caisson audit --graph paths.svg --report report.html config.json', 'a picture, and a page to send'],
  ],
};
