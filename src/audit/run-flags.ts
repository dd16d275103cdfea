/** The flags of `run` and `create`: Docker's (28.2), Podman's (4.3) and Caisson's, by whether a value follows, which is how the image's name is found among the words. */

const SWITCHES = `detach disable-content-trust help init interactive no-healthcheck oom-kill-disable privileged publish-all quiet read-only rm sig-proxy tty use-api-socket
  env-host http-proxy no-hosts passwd read-only-tmpfs replace rmi rootfs tls-verify unsetenv-all no-tty changes stats strace plain-http`;
const VALUES = `add-host annotation attach blkio-weight blkio-weight-device cap-add cap-drop cgroup-parent cgroupns cidfile cpu-count cpu-percent cpu-period cpu-quota cpu-rt-period cpu-rt-runtime
  cpu-shares cpus cpuset-cpus cpuset-mems detach-keys device device-cgroup-rule device-read-bps device-read-iops device-write-bps device-write-iops dns dns-option dns-opt dns-search domainname entrypoint
  env env-file expose gpus group-add health-cmd health-interval health-retries health-start-interval health-start-period health-timeout hostname io-maxbandwidth io-maxiops ip ip6 ipc isolation
  kernel-memory label label-file link link-local-ip log-driver log-opt mac-address memory memory-reservation memory-swap memory-swappiness mount name network net network-alias net-alias
  oom-score-adj pid pids-limit platform publish pull restart runtime security-opt shm-size stop-signal stop-timeout storage-opt sysctl tmpfs ulimit user userns uts volume volume-driver volumes-from workdir
  arch authfile cgroup-conf cgroups chrootdirs conmon-pidfile env-merge gidmap health-on-failure hostuser image-volume init-path os passwd-entry personality pidfile pod pod-id-file
  preserve-fds requires sdnotify seccomp-policy secret subgidname subuidname systemd timeout tz uidmap umask unsetenv variant
  allow-net deny-net net-log net-bytes net-connections inject-header squat squat-allow tier cpu seed export-changes cacert cert key mirror max-layer-size max-layer-entries max-layer-ratio`;

const words = (text: string): readonly string[] => text.split(/\s+/).filter((word) => word !== '');

export const SWITCH_FLAGS: ReadonlySet<string> = new Set(words(SWITCHES));
export const VALUE_FLAGS: ReadonlySet<string> = new Set(words(VALUES));
export const SHORT_FLAGS: ReadonlyMap<string, string> = new Map([
  ['a', 'attach'], ['c', 'cpu-shares'], ['d', 'detach'], ['e', 'env'], ['h', 'hostname'], ['i', 'interactive'], ['l', 'label'], ['m', 'memory'], ['p', 'publish'], ['P', 'publish-all'], ['q', 'quiet'],
  ['t', 'tty'], ['T', 'no-tty'], ['u', 'user'], ['v', 'volume'], ['w', 'workdir'],
]);
/** Second names. */
export const FLAG_ALIASES: ReadonlyMap<string, string> = new Map([['net', 'network'], ['net-alias', 'network-alias'], ['dns-opt', 'dns-option']]);

/** Of `exec`. */
export const EXEC_SWITCHES: ReadonlySet<string> = new Set(['detach', 'interactive', 'privileged', 'tty', 'latest', 'help', 'no-tty', 'quiet']);
export const EXEC_VALUES: ReadonlySet<string> = new Set(['detach-keys', 'env', 'env-file', 'user', 'workdir', 'preserve-fds', 'cidfile']);
