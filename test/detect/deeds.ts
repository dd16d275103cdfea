/** For each rule of the default set: what it looks for, and the like of it, as lines for a shell. The first must alert by this rule and no other than `also`; the second by none. */

export interface Deed {
  readonly rule: string;
  readonly does: string;
  readonly like: string;
  /** Other rules that have a word to say, rightly. */
  readonly also?: readonly string[];
}

const SENSITIVE = 'Read sensitive file untrusted';

/** `$ADDRESS` is the container's own on its network, `$PORT` nothing. `serve NAME COMMAND` runs a shell below a program of that name. */
export const DEEDS: readonly Deed[] = [
  { rule: 'Directory traversal monitored file read', does: 'cat /var/www/../../etc/passwd', like: 'cat /etc/passwd; cat /var/www/../www/index.html' },
  { rule: SENSITIVE, does: 'cat /etc/shadow', like: 'cat /etc/passwd /etc/shadow.txt; ls -l /etc/shadow' },
  { rule: SENSITIVE, does: 'cd /etc && cat shadow', like: 'cd /etc && cat hostname' },
  { rule: SENSITIVE, does: 'ln -s shadow /etc/innocent; cat /etc/innocent', like: 'ln -s hostname /etc/harmless; cat /etc/harmless' },
  { rule: 'Run shell untrusted', does: '/srv/nginx -c id', like: '/srv/worker -c id' },
  { rule: 'System user interactive', does: 'deeds terminal 33 /bin/sh -c true', like: 'deeds terminal 1000 /bin/sh -c true; deeds terminal 33 /bin/true' },
  { rule: 'Contact K8S API Server From Container', does: 'deeds connect $ADDRESS 6443', like: 'deeds connect $ADDRESS 6444; deeds connect 127.0.0.1 6443' },
  { rule: 'Netcat Remote Code Execution in Container', does: 'nc -e /bin/sh 127.0.0.1 1', like: 'nc -w 1 127.0.0.1 1' },
  { rule: 'Search Private Keys or Passwords', does: 'grep -r "BEGIN RSA PRIVATE" /srv', like: 'grep -r "BEGIN CERTIFICATE" /srv' },
  { rule: 'Search Private Keys or Passwords', does: '/bin/find / -xdev -name id_rsa', like: '/bin/find /srv -name id_card' },
  { rule: 'Clear Log Activities', does: ': > /var/log/auth.log', like: 'echo more >> /var/log/auth.log; : > /var/log/notes' },
  { rule: 'Clear Log Activities', does: 'rm /var/log/syslog', like: 'rm /var/log/notes' },
  { rule: 'Remove Bulk Data from Disk', does: 'shred /srv/junk', like: 'rm /srv/junk' },
  { rule: 'Create Symlink Over Sensitive Files', does: 'ln -s /etc/shadow /tmp/one', like: 'ln -s /etc/hostname /tmp/two' },
  { rule: 'Create Hardlink Over Sensitive Files', does: 'ln /etc/shadow /tmp/three', like: 'ln /etc/hostname /tmp/four' },
  { rule: 'Packet socket created in container', does: 'deeds packet 17', like: 'deeds packet 2' },
  { rule: 'Redirect STDOUT/STDIN to Network Connection in Container', does: 'deeds redirect $ADDRESS 0', like: 'deeds redirect $ADDRESS 9; cat < /etc/hostname' },
  { rule: 'Linux Kernel Module Injection Detected', does: 'deeds module', like: '/bin/lsmod; /bin/modprobe' },
  { rule: 'Linux Kernel Module Injection Detected', does: '/bin/insmod evil.ko', like: 'cat /proc/modules' },
  { rule: 'Debugfs Launched in Privileged Container', does: 'debugfs /dev/sda', like: 'blkid' },
  { rule: 'Detect release_agent File Container Escapes', does: 'echo /x > /sys/fs/cgroup/release_agent', like: 'cat /sys/fs/cgroup/release_agent; echo 0 > /tmp/release_agents' },
  { rule: 'PTRACE attached to process', does: 'deeds attach', like: 'deeds look' },
  { rule: 'PTRACE anti-debug attempt', does: 'deeds traceme', like: 'deeds look' },
  { rule: 'Find AWS Credentials', does: '/bin/find / -xdev -path "*.aws/credentials"', like: '/bin/find /srv -name credentials' },
  { rule: 'Find AWS Credentials', does: 'grep -ri aws_secret_access_key /srv', like: 'grep -ri aws_region /srv' },
  { rule: 'Execution from /dev/shm', does: 'cp /etc/script /dev/shm/five; chmod +x /dev/shm/five; sh /dev/shm/five', like: 'cp /etc/script /dev/shm/six; cat /dev/shm/six; sh /etc/script' },
  { rule: 'Drop and execute new binary in container', does: 'cp /bin/deeds /tmp/seven; /tmp/seven nothing', like: 'cp /bin/deeds /tmp/eight; deeds nothing' },
  { rule: 'Disallowed SSH Connection Non Standard Port', does: '/srv/ssh connect $ADDRESS 2222', like: '/srv/ssh connect $ADDRESS 22; deeds connect $ADDRESS 2222' },
  { rule: 'Fileless execution via memfd_create', does: 'deeds memory /bin/deeds nothing', like: 'deeds nothing' },
  { rule: 'Change thread namespace', does: 'deeds setns', like: 'readlink /proc/self/ns/uts' },
  { rule: 'Set Setuid or Setgid bit', does: 'touch /tmp/nine; chmod u+s /tmp/nine', like: 'touch /tmp/ten; chmod u+x /tmp/ten' },
  { rule: 'Schedule Cron Jobs', does: 'echo "* * * * * root x" > /etc/cron.d/job', like: 'cat /etc/cron.d/job; echo x > /etc/cron.deny' },
  { rule: 'Adding ssh keys to authorized_keys', does: 'mkdir -p /root/.ssh; echo key >> /root/.ssh/authorized_keys', like: 'echo host >> /root/.ssh/known_hosts' },
  { rule: 'Write to kernel switches', does: 'echo "|/x" > /proc/sys/kernel/core_pattern', like: 'cat /proc/sys/kernel/core_pattern' },
  { rule: 'Load eBPF program', does: 'deeds bpf', like: 'ls /sys/fs' },
  { rule: 'Unprivileged Delegation of Page Faults Handling to a Userspace Process', does: 'deeds faults', like: 'deeds nothing' },
];
