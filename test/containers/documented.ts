/**
 * What Docker's reference (docs.docker.com/reference/cli/docker/) says that commands on containers answer, as data: a case is a command, its exit status and what it
 * prints. The containers that they are about are made by `documented.test.ts`.
 */

export interface Case {
  /** The page of the reference. */
  readonly page: string;
  readonly args: readonly string[];
  /** Default: 0. */
  readonly status?: number;
  /** All of standard output, or a part of it. Default: nothing is said of it where there is an error, otherwise it is empty. */
  readonly out?: string | RegExp;
  /** A part of standard error. Default: empty. */
  readonly err?: RegExp;
}

const ps = (args: readonly string[], out: string | RegExp): Case => ({ page: 'container ls', args: ['ps', ...args], out });
const field = (format: string, out: string | RegExp, name = 'up'): Case => ({ page: 'inspect', args: ['inspect', '-f', format, name], out: typeof out === 'string' ? `${out}\n` : out });
const wrong = (page: string, args: readonly string[], status: number, err: RegExp): Case => ({ page, args, status, err });
const run = (args: readonly string[], err: RegExp, status = 125): Case => wrong('container run', ['run', ...args], status, err);

const LISTS: readonly Case[] = [
  ps(['--format', '{{.Names}}'], 'held\nup\n'),
  ps(['-a', '--format', '{{.Names}}'], 'held\nup\nmade\none\n'),
  ps(['-q', '--no-trunc'], /^[0-9a-f]{64}\n[0-9a-f]{64}\n$/),
  ps(['-aq'], /^([0-9a-f]{12}\n){4}$/),
  ps(['-l', '--format', '{{.Names}}'], 'held\n'),
  ps(['-n', '3', '--format', '{{.Names}}'], 'held\nup\nmade\n'),
  ps(['-a', '--format', 'table {{.Names}}\t{{.Image}}'], /^NAMES {3}IMAGE\nheld {4}busybox:1\nup {6}busybox:1\nmade {4}busybox:1\none {5}busybox:1\n$/),
  ps(['-a', '-f', 'name=one', '--format', '{{.Command}}'], '"sh -c echo out; ech…"\n'),
  ps(['-a', '-f', 'name=one', '--no-trunc', '--format', '{{.Command}}'], '"sh -c echo out; echo err >&2; exit 3"\n'),
  ps(['-a', '-f', 'name=made', '--format', '{{.Status}}'], 'Created\n'),
  ps(['-a', '-f', 'name=one', '--format', '{{.Status}}'], /^Exited \(3\) .* ago\n$/),
  ps(['-f', 'name=held', '--format', '{{.Status}}'], /^Up .* \(Paused\)\n$/),
  ps(['-f', 'name=up', '--format', '{{.Status}}'], /^Up .* \(healthy\)\n$/),
  ps(['-a', '--format', '{{.Names}} {{.State}}'], 'held paused\nup running\nmade created\none exited\n'),
  ps(['-f', 'name=up', '--format', '{{.Mounts}}'], 'data,notes\n'),
  ps(['-f', 'name=up', '--format', '{{.LocalVolumes}} {{.Networks}}'], '2 back\n'),
  ps(['-f', 'name=up', '--format', '{{.Label "tier"}}'], 'web\n'),
  ps(['-f', 'name=up', '--format', '{{.Labels}}'], 'maker=test,stage=test,tier=web\n'),
  ps(['-f', 'name=up', '--format', '{{.CreatedAt}}'], /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC\n$/),
  ps(['-f', 'name=up', '--format', '{{.RunningFor}}'], / ago\n$/),
  ps(['-f', 'name=up', '--format', 'json'], /^\{"ID":"[0-9a-f]{12}","Image":"busybox:1",.*"Names":"up".*\}\n$/),
  ps(['-a', '-f', 'status=exited', '--format', '{{.Names}}'], 'one\n'),
  ps(['-f', 'status=created', '--format', '{{.Names}}'], 'made\n'),
  ps(['-f', 'status=paused', '--format', '{{.Names}}'], 'held\n'),
  ps(['-f', 'status=running', '--format', '{{.Names}}'], 'up\n'),
  ps(['-f', 'status=running', '-f', 'status=paused', '--format', '{{.Names}}'], 'held\nup\n'),
  ps(['-a', '-f', 'exited=3', '--format', '{{.Names}}'], 'one\n'),
  ps(['-a', '-f', 'exited=4', '--format', '{{.Names}}'], ''),
  ps(['-a', '-f', 'label=tier', '--format', '{{.Names}}'], 'up\none\n'),
  ps(['-a', '-f', 'label=tier=db', '--format', '{{.Names}}'], 'one\n'),
  ps(['-a', '-f', 'label=tier=web', '-f', 'label=stage=test', '--format', '{{.Names}}'], 'up\n'),
  ps(['-a', '-f', 'label=tier=db', '-f', 'label=stage=test', '--format', '{{.Names}}'], ''),
  ps(['-a', '-f', 'name=^/one$', '--format', '{{.Names}}'], 'one\n'),
  ps(['-a', '-f', 'name=e', '--format', '{{.Names}}'], 'held\nmade\none\n'),
  ps(['-a', '-f', 'ancestor=busybox:1', '--format', '{{.Names}}'], 'held\nup\nmade\none\n'),
  ps(['-a', '-f', 'before=up', '--format', '{{.Names}}'], 'made\none\n'),
  ps(['-a', '-f', 'since=made', '--format', '{{.Names}}'], 'held\nup\n'),
  ps(['-a', '-f', 'volume=data', '--format', '{{.Names}}'], 'up\n'),
  ps(['-a', '-f', 'volume=/data', '--format', '{{.Names}}'], 'up\n'),
  ps(['-a', '-f', 'volume=nope', '--format', '{{.Names}}'], ''),
  ps(['-a', '-f', 'network=back', '--format', '{{.Names}}'], 'up\n'),
  ps(['-f', 'health=healthy', '--format', '{{.Names}}'], 'up\n'),
  ps(['-f', 'health=unhealthy', '--format', '{{.Names}}'], ''),
  ps(['-f', 'health=none', '--format', '{{.Names}}'], 'held\n'),
  ps(['-s', '-f', 'name=up', '--format', '{{.Size}}'], /^\d+(\.\d+)?[kM]?B.*\n$/),
  wrong('container ls', ['ps', '-f', 'health=ill'], 125, /invalid filter 'health=ill'/), wrong('container ls', ['ps', '-f', 'status=gone'], 125, /invalid filter 'status=gone'/),
  wrong('container ls', ['ps', '-f', 'colour=red'], 125, /invalid filter 'colour'/), wrong('container ls', ['ps', '--format', '{{.Nope}}'], 125, /there is no field "Nope"/),
  { page: 'container ls', args: ['container', 'ls', '-q', '-f', 'name=up'], out: /^[0-9a-f]{12}\n$/ },
];

const INSPECTIONS: readonly Case[] = [
  field('{{.Name}}', '/up'), field('{{.State.Status}} {{.State.Running}} {{.State.Paused}} {{.State.Restarting}} {{.State.Dead}}', 'running true false false false'),
  field('{{.State.Status}} {{.State.Running}} {{.State.Paused}}', 'paused true true', 'held'), field('{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}', 'exited 3 0', 'one'), field('{{.State.Status}} {{.State.StartedAt}}', 'created 0001-01-01T00:00:00Z', 'made'),
  field('{{.State.Health.Status}} {{.State.Health.FailingStreak}}', 'healthy 0'), field('{{(index .State.Health.Log 0).ExitCode}}', '0'),
  field('{{.RestartCount}} {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}', '0 on-failure 5'), field('{{.HostConfig.RestartPolicy.Name}}', 'no', 'held'),
  field('{{.HostConfig.Init}} {{.HostConfig.AutoRemove}} {{.HostConfig.Privileged}} {{.HostConfig.ReadonlyRootfs}}', 'true false false false'), field('{{.HostConfig.Memory}} {{.HostConfig.PidsLimit}}', '268435456 50'),
  field('{{json .HostConfig.Binds}}', '["data:/data:rw","notes:/notes:ro"]'), field('{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}};{{end}}', 'volume data /data true;volume notes /notes false;'),
  field('{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}}', '["CAP_NET_ADMIN"] ["CAP_MKNOD"]'), field('{{json .HostConfig.Ulimits}}', '[{"Name":"nofile","Soft":64,"Hard":128}]'),
  field('{{.Config.Hostname}} {{.Config.User}} {{.Config.WorkingDir}}', 'box app /tmp'), field('{{json .Config.Cmd}} {{json .Config.Entrypoint}}', '["sleep","1000"] null'), field('{{.Path}} {{json .Args}}', 'sleep ["1000"]'),
  field('{{join .Config.Env ","}}', 'PATH=/bin,FLAVOUR=plain,A=1'), field('{{.Config.Labels.tier}} {{index .Config.Labels "stage"}}', 'web test'), field('{{.Config.StopSignal}} {{.Config.StopTimeout}}', 'SIGINT 3'),
  field('{{.Config.OpenStdin}} {{.Config.Tty}}', 'false false'), field('{{json .Config.Healthcheck.Test}} {{.Config.Healthcheck.Interval}} {{.Config.Healthcheck.Retries}}', '["CMD-SHELL","true"] 3600000000000 2'),
  field('{{.NetworkSettings.Networks.back.IPAddress}}', /^10\.89\.0\.\d+\n$/), field('{{len .Id}}', '64'), field('{{.Image}}', /^sha256:[0-9a-f]{64}\n$/), field('{{.Created}}', /^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/),
  { page: 'inspect', args: ['inspect', 'one', 'made', '-f', '{{.Name}}'], out: '/one\n/made\n' }, { page: 'inspect', args: ['container', 'inspect', '-f', '{{.Name}}', 'one'], out: '/one\n' },
  wrong('inspect', ['inspect', 'nope'], 1, /No such object: nope/),
];

const MAKING: readonly Case[] = [
  { page: 'container run', args: ['run', '--rm', 'busybox:1', 'sh', '-c', 'exit 5'], status: 5 }, { page: 'container run', args: ['run', '--rm', 'busybox:1', 'sh', '-c', 'kill -9 $$'], status: 137 },
  run(['--rm', 'busybox:1', '/nope'], /no such program/, 127), run(['--rm', 'busybox:1', '/etc/passwd'], /permission denied/, 126), run(['--name', 'up', 'busybox:1', 'true'], /Conflict\. The container name "\/up" is already in use by container/),
  run(['--name', 'a', 'busybox:1', 'true'], /Invalid container name \(a\)/), run(['--restart', 'always', '--rm', 'busybox:1'], /conflicting options/), run(['--restart', 'sometimes', 'busybox:1'], /invalid restart policy: unknown policy 'sometimes'/),
  run(['--restart', 'always:3', 'busybox:1'], /maximum retry count can only be used with 'on-failure'/), run(['--restart', 'on-failure:x', 'busybox:1'], /maximum retry count must be an integer/), run(['--no-healthcheck', '--health-cmd', 'true', 'busybox:1'], /conflicts with --health-/),
  run(['--health-cmd', 'true', '--health-interval', 'x', 'busybox:1'], /it is not a time/), run(['--health-cmd', 'true', '--health-retries', '-1', 'busybox:1'], /it is not a number|ambiguous/), run(['-v', 'data', 'busybox:1'], /with DST absolute/),
  run(['-v', '/', 'busybox:1'], /destination can't be '\/'/), run(['-v', 'x:/x', 'busybox:1'], /volume name is too short/), run(['-v', 'a*b:/x', 'busybox:1'], /includes invalid characters for a local volume name/),
  run(['-v', 'data:/x:sometimes', 'busybox:1'], /cannot use --volume/), run(['-v', 'data:/x', '-v', 'notes:/x', 'busybox:1'], /Duplicate mount point: \/x/), run(['--mount', 'type=npipe,target=/x', 'busybox:1'], /no mounts of type npipe/),
  run(['--mount', 'type=volume,source=data', 'busybox:1'], /target= is missing/), run(['--stop-signal', 'NOPE', 'busybox:1'], /Invalid signal: NOPE/), run(['--stop-timeout', 'x', 'busybox:1'], /not a number of seconds/), run(['--detach-keys', 'ctrl-1', 'busybox:1', 'true'], /Invalid detach keys \(ctrl-1\) provided/),
  run(['--sig-proxy=perhaps', '--detach-keys', 'ctrl-a', 'busybox:1', 'true'], /it is true or false/), run(['--label-file', '/nope', 'busybox:1'], /no such file/),
  run(['--log-opt', 'max-size=x', 'busybox:1'], /cannot use --log-opt/), run(['--pids-limit', 'x', 'busybox:1'], /it is not a number/), run(['--memory', 'x', 'busybox:1'], /it is not a size/), run(['-d', '--changes', 'busybox:1'], /nobody is there to read it/),
  run(['--cpus', '0.001', 'busybox:1'], /the least is 0.01/), run(['--privileged', 'busybox:1'], /cap-add/), run(['--ulimit', 'nofile=9:1', 'busybox:1'], /soft limit is above/), run(['--nope', 'busybox:1'], /no such flag/), run([], /a word is missing/),
  { page: 'container run', args: ['run', '--rm', '--init', 'busybox:1', 'sh', '-c', '(( while [ "$parent" != 1 ]; do read -r pid name state parent rest < /proc/self/stat; done; echo adopted > /adopted ) &); while [ ! -s /adopted ]; do busybox usleep 1000; done; cat /adopted'], out: 'adopted\n' }, { page: 'container run', args: ['run', '--rm', '-v', 'data:/d', 'busybox:1', 'cat', '/d/file'], out: 'kept\n' },
  { page: 'container run', args: ['run', '--rm', '-v', 'data:/d:ro', 'busybox:1', 'touch', '/d/x'], status: 1, err: /Read-only file system/ }, { page: 'container run', args: ['run', '--rm', '--mount', 'type=volume,src=data,dst=/d,readonly', 'busybox:1', 'ls', '/d'], out: 'file\n' },
  { page: 'container run', args: ['run', '--rm', '--mount', 'type=tmpfs,target=/t,tmpfs-size=1m', 'busybox:1', 'sh', '-c', 'mount | busybox grep -c " /t type tmpfs"'], out: '1\n' }, { page: 'container run', args: ['run', '--rm', '-v', '/fresh', 'busybox:1', 'ls', '/fresh'], out: '' },
  wrong('container create', ['create', '--name', 'one', 'busybox:1'], 125, /Conflict/), wrong('container create', ['create'], 125, /a word is missing/),
];

const STATES: readonly Case[] = [
  wrong('container start', ['start', 'nope'], 1, /No such container: nope/), wrong('container start', ['start', 'held'], 1, /cannot start a paused container, try unpause instead/), wrong('container start', ['start', '-a', 'one', 'made'], 1, /you cannot start and attach multiple containers at once/),
  { page: 'container start', args: ['start', 'up'], out: 'up\n' }, { page: 'container stop', args: ['stop', 'one'], out: 'one\n' }, { page: 'container stop', args: ['stop', 'made', 'one'], out: 'made\none\n' }, wrong('container stop', ['stop', 'nope'], 1, /No such container: nope/),
  wrong('container stop', ['stop', '-t', 'x', 'up'], 1, /not a number of seconds/), wrong('container stop', ['stop', '-s', 'NOPE', 'up'], 125, /Invalid signal: NOPE/), wrong('container kill', ['kill', 'one'], 1, /is not running/), wrong('container kill', ['kill', '-s', 'NOPE', 'up'], 125, /Invalid signal: NOPE/),
  wrong('container kill', ['kill', 'nope'], 1, /No such container: nope/), { page: 'container wait', args: ['wait', 'one'], out: '3\n' }, wrong('container wait', ['wait', 'nope'], 1, /No such container: nope/), wrong('container pause', ['pause', 'held'], 1, /is already paused/),
  wrong('container pause', ['pause', 'one'], 1, /is not running/), wrong('container pause', ['pause', 'nope'], 1, /No such container: nope/), wrong('container unpause', ['unpause', 'up'], 1, /is not paused/), wrong('container unpause', ['unpause', 'one'], 1, /is not paused/), wrong('container unpause', ['unpause'], 125, /a word is missing/),
  wrong('container attach', ['attach', 'held'], 1, /You cannot attach to a paused container, unpause it first/), wrong('container attach', ['attach', 'one'], 1, /You cannot attach to a stopped container, start it first/), wrong('container attach', ['attach', 'nope'], 1, /No such container: nope/),
  wrong('container attach', ['attach', '--detach-keys', 'x y', 'up'], 125, /Invalid detach keys \(x y\) provided/), wrong('container exec', ['exec', 'held', 'true'], 1, /is paused, unpause the container before exec/), wrong('container exec', ['exec', 'one', 'true'], 1, /is not running/),
  wrong('container exec', ['exec', 'up', '/nope'], 127, /no such program/), { page: 'container exec', args: ['exec', 'up', 'sh', '-c', 'exit 4'], status: 4 }, { page: 'container exec', args: ['exec', '-e', 'B=2', '-w', '/etc', '-u', 'root', 'up', 'sh', '-c', 'echo $A $B $(pwd) $(id -u)'], out: '1 2 /etc 0\n' },
  wrong('container rm', ['rm', 'up'], 1, /container is running: stop|container is running/), wrong('container rm', ['rm', 'held'], 1, /container is paused and must be unpaused first/), wrong('container rm', ['rm', 'nope'], 1, /No such container: nope/), { page: 'container rm', args: ['rm', '-f', 'nope'], err: /No such container: nope/, out: '' },
  wrong('container rename', ['rename', 'one', 'up'], 1, /Conflict|already in use/), wrong('container rename', ['rename', 'one', 'one'], 1, /same name as its current name/), wrong('container rename', ['rename', 'nope', 'other'], 1, /No such container: nope/),
  { page: 'container logs', args: ['logs', 'one'], out: 'out\n', err: /^err\n$/ }, { page: 'container logs', args: ['logs', '-n', '0', 'one'], out: '' }, { page: 'container logs', args: ['logs', '-t', '--since', '1h', 'one'], out: /^\S+Z out\n$/, err: /^\S+Z err\n$/ }, wrong('container logs', ['logs', 'nope'], 1, /No such container: nope/),
  { page: 'container top', args: ['top', 'up'], out: /^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n1000 .*sleep 1000\n$/ }, wrong('container top', ['top', 'one'], 1, /is not running/), { page: 'container port', args: ['port', 'up'], out: '' }, wrong('container port', ['port', 'up', '80'], 1, /No public port '80\/tcp' published for up/),
  { page: 'container diff', args: ['diff', 'made'], out: '' }, { page: 'container update', args: ['update', '--pids-limit', '60', 'made'], out: 'made\n' }, wrong('container update', ['update', 'made'], 1, /you must provide one or more flags when using this command/), wrong('container update', ['update', '--restart', 'x', 'made'], 125, /unknown policy 'x'/),
  wrong('container update', ['update', '--memory', '1g', 'nope'], 1, /No such container: nope/), { page: 'container update', args: ['update', '--cpus', '0.9', 'up'], out: 'up\n' },
];

const STATISTICS: readonly Case[] = [
  { page: 'container stats', args: ['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'up', 'one'], out: 'up 1\none 0\n' }, { page: 'container stats', args: ['stats', '--no-stream'], out: /^CONTAINER ID {3}NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS\n[0-9a-f]{12} +held .*\n[0-9a-f]{12} +up +[\d.]+% .* \/ 256MiB .*\n$/ },
  { page: 'container stats', args: ['stats', '--no-stream', '--format', '{{.CPUPerc}} {{.MemPerc}} {{.NetIO}} {{.BlockIO}}', 'up'], out: /^\d+\.\d\d% \d+\.\d\d% \S+ \/ \S+ \S+ \/ \S+\n$/ }, { page: 'container stats', args: ['stats', '--no-stream', '--format', '{{.MemUsage}}', 'one'], out: '0B / 0B\n' },
  { page: 'container stats', args: ['stats', '-a', '--no-stream', '--no-trunc', '--format', '{{len .ID}} {{.Name}}'], out: '64 held\n64 up\n64 made\n64 one\n' }, wrong('container stats', ['stats', '--no-stream', 'nope'], 1, /No such container: nope/),
  { page: 'container stats', args: ['stats', '--no-stream', '--format', 'json', 'up'], out: /^\{"Container":"[0-9a-f]{12}",.*"Name":"up","CPUPerc":"[\d.]+%","MemUsage":"[^"]+ \/ 256MiB".*\}\n$/ }, { page: 'container stats', args: ['stats', '--no-stream', '--format', 'table {{.Name}}\t{{.MemPerc}}', 'one'], out: 'NAME   MEM %\none    0.00%\n' },
];

const EVENTS: readonly Case[] = [
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'container=one', '--format', '{{.Type}} {{.Action}}'], out: 'container create\ncontainer start\ncontainer die\n' },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'container=one', '-f', 'event=die'], out: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z container die [0-9a-f]{64} \(execDuration=\d+, exitCode=3, image=busybox:1, maker=test, name=one, tier=db\)\n$/ },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'event=pause', '-f', 'event=create', '-f', 'container=held', '--format', '{{.Action}}'], out: 'create\npause\n' },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'event=health_status', '-f', 'container=up', '--format', '{{.Status}}'], out: 'health_status: healthy\n' },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'type=volume', '-f', 'volume=data', '--format', '{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.driver}}'], out: 'create data local\n' },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'label=tier=db', '-f', 'event=start', '--format', '{{.From}}'], out: 'busybox:1\n' }, { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'image=nope'], out: '' },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'container=one', '-f', 'event=start', '--format', 'json'], out: /^\{"status":"start","id":"[0-9a-f]{64}","from":"busybox:1","Type":"container","Action":"start","Actor":\{"ID":"[0-9a-f]{64}","Attributes":\{"image":"busybox:1",.*"name":"one".*\}\},"scope":"local","time":\d+,"timeNano":\d{19}\}\n$/ },
  { page: 'system events', args: ['events', '--since', '1h', '--until', '0s', '-f', 'type=network', '-f', 'network=back', '--format', '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}}'], out: 'create back bridge\nconnect back bridge\n' },
  { page: 'system events', args: ['system', 'events', '--since', '1h', '--until', '2001-01-01'], out: '' }, wrong('system events', ['events', '-f', 'colour=red'], 1, /invalid filter 'colour=red'/), wrong('system events', ['events', '--since', 'x'], 125, /it is no time/),
];

const VOLUMES: readonly Case[] = [
  { page: 'volume ls', args: ['volume', 'ls'], out: 'DRIVER   VOLUME NAME\nlocal    data\nlocal    notes\nlocal    spare\n' }, { page: 'volume ls', args: ['volume', 'ls', '-q'], out: 'data\nnotes\nspare\n' }, { page: 'volume ls', args: ['volume', 'ls', '--filter', 'dangling=true', '-q'], out: 'spare\n' },
  { page: 'volume ls', args: ['volume', 'ls', '--filter', 'dangling=false', '-q'], out: 'data\nnotes\n' }, { page: 'volume ls', args: ['volume', 'ls', '--filter', 'name=ot', '-q'], out: 'notes\n' }, { page: 'volume ls', args: ['volume', 'ls', '--filter', 'label=use=none', '-q'], out: 'spare\n' },
  { page: 'volume ls', args: ['volume', 'ls', '--filter', 'driver=local', '--format', '{{.Name}}: {{.Driver}}'], out: 'data: local\nnotes: local\nspare: local\n' }, { page: 'volume ls', args: ['volume', 'ls', '--filter', 'name=data', '--format', 'json'], out: /^\{"Name":"data","Driver":"local","Scope":"local","Mountpoint":"[^"]+\/volumes\/data\/_data",.*\}\n$/ },
  wrong('volume ls', ['volume', 'ls', '--filter', 'colour=red'], 1, /invalid filter 'colour'/), wrong('volume ls', ['volume', 'ls', '--filter', 'dangling=x'], 1, /invalid filter 'dangling=x'/), { page: 'volume create', args: ['volume', 'create', 'data'], out: 'data\n' }, wrong('volume create', ['volume', 'create', 'x'], 1, /volume name is too short/),
  wrong('volume create', ['volume', 'create', 'a/b'], 1, /includes invalid characters for a local volume name/), wrong('volume create', ['volume', 'create', '-d', 'nfs', 'share'], 1, /there is only local/), wrong('volume create', ['volume', 'create', '--opt', 'type=nfs', 'share'], 125, /mount another one with -v/),
  { page: 'volume inspect', args: ['volume', 'inspect', '-f', '{{.Name}} {{.Driver}} {{.Scope}} {{.Labels.use}}', 'spare'], out: 'spare local local none\n' }, { page: 'volume inspect', args: ['volume', 'inspect', 'data'], out: /^\[\n {4}\{\n {8}"CreatedAt": "\d{4}-/ }, { page: 'volume inspect', args: ['volume', 'inspect', 'nope'], status: 1, out: '[]\n', err: /no such volume/ },
  wrong('volume rm', ['volume', 'rm', 'data'], 1, /volume is in use - \[[0-9a-f]{64}\]/), wrong('volume rm', ['volume', 'rm', 'nope'], 1, /get nope: no such volume/), { page: 'volume rm', args: ['volume', 'rm', '-f', 'nope'], out: 'nope\n' }, { page: 'volume prune', args: ['volume', 'prune', '-f'], out: 'Total reclaimed space: 0B\n' },
  { page: 'volume prune', args: ['volume', 'prune', '-af', '--filter', 'label=nope'], out: 'Total reclaimed space: 0B\n' }, wrong('volume prune', ['volume', 'prune', '-f', '--filter', 'colour=red'], 125, /no filter is called "colour"/), wrong('volume', ['volume', 'nope'], 125, /no such command/),
];

export const CASES: readonly Case[] = [...LISTS, ...INSPECTIONS, ...MAKING, ...STATES, ...STATISTICS, ...EVENTS, ...VOLUMES];
