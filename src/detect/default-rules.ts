/**
 * Rules that are used where nobody names others: `default`. Names are those of Falco's rules of the same purpose (falcosecurity/rules), so that exceptions
 * and overrides for them keep working; the conditions are our own. What Falco can tell from a cluster only is left out of them.
 */
export const DEFAULT_RULES = String.raw`
- list: shell_binaries
  items: [ash, bash, csh, dash, fish, ksh, mksh, sh, tcsh, zsh]
- list: login_binaries
  items: [login, su, sudo, sshd, sshd-session, passwd, chpasswd, chage, chsh, chfn, useradd, usermod, userdel, groupadd, groupmod, groupdel, newusers, pwck, grpck, pwconv, unix_chkpwd, vipw, vigr, systemd, systemd-logind, cron, crond, polkitd, accounts-daemon]
- list: package_binaries
  items: [apt, apt-get, apt-key, aptitude, dpkg, dpkg-preconfigu, dpkg-reconfigur, frontend, debconf, apk, dnf, microdnf, yum, rpm, zypper, pacman, snap]
- list: server_binaries
  items: [apache2, httpd, nginx, lighttpd, caddy, haproxy, tomcat, catalina.sh, php-fpm, mysqld, mariadbd, postgres, mongod, redis-server, memcached, rabbitmq-server, elasticsearch, named, vsftpd, proftpd, exim4, postfix, dovecot]
- list: network_tools
  items: [nc, ncat, netcat, nc.openbsd, nc.traditional, socat]
- list: search_binaries
  items: [grep, egrep, fgrep, rg, ag, ack]
- list: sensitive_files
  items: [/etc/shadow, /etc/shadow-, /etc/gshadow, /etc/gshadow-, /etc/sudoers, /etc/security/opasswd, /etc/pam.conf]
- list: sensitive_directories
  items: [/etc/sudoers.d, /etc/pam.d, /etc/security]
- list: link_targets
  items: [/etc, /root, /etc/shadow, /etc/passwd, /etc/sudoers, /proc/sys/kernel]
- list: log_directories
  items: [/var/log, /dev/log]
- list: log_file_names
  items: [syslog, auth.log, secure, kern.log, cron.log, user.log, messages, dpkg.log, wtmp, btmp, lastlog, access.log, error.log, audit.log]
- list: log_binaries
  items: [rsyslogd, syslogd, syslog-ng, logrotate, systemd-journal, fluentd, fluent-bit, vector]
- list: bulk_removers
  items: [shred, mkfs, mkfs.ext2, mkfs.ext3, mkfs.ext4, mke2fs, wipefs, blkdiscard]
- list: module_loaders
  items: [insmod, modprobe, kmod]
- list: system_users
  items: [bin, daemon, games, lp, mail, nobody, sshd, sync, uucp, www-data]
- list: ssh_ports
  items: [22]
- list: kubernetes_api_ports
  items: [6443]
- list: miner_ports
  items: [3333, 3334, 5555, 7777, 14433, 14444, 45560, 45700]
- list: kernel_switches
  items: [/proc/sys/kernel/core_pattern, /proc/sys/kernel/modprobe, /proc/sys/kernel/hotplug, /proc/sysrq-trigger, /sys/kernel/uevent_helper]

- macro: container
  condition: container.id != host
- macro: spawned_process
  condition: evt.type in (execve, execveat) and evt.failed = false
- macro: open_any
  condition: evt.type in (open, openat, openat2, creat, open_by_handle_at)
- macro: open_read
  condition: open_any and evt.is_open_read = true and evt.failed = false
- macro: open_write
  condition: open_any and evt.is_open_write = true and evt.failed = false
- macro: tries_to_write
  condition: open_any and evt.is_open_write = true
- macro: shell_procs
  condition: proc.name in (shell_binaries)
- macro: outbound
  condition: evt.type = connect and fd.type in (ipv4, ipv6) and (evt.failed = false or evt.res = EINPROGRESS) and not fd.snet in ("127.0.0.0/8", "::1/128")
- macro: sensitive_file
  condition: fd.name in (sensitive_files) or fd.directory in (sensitive_directories)
- macro: user_known_sensitive_readers
  condition: proc.name in (login_binaries, package_binaries)
- macro: started_from_outside
  condition: not proc.pname exists

- rule: Directory traversal monitored file read
  desc: A file that is watched was read by way of "..", as servers are made to do.
  condition: open_read and container and fd.nameraw contains "../" and (sensitive_file or fd.name in (/etc/passwd, /etc/group) or fd.directory startswith /root/.ssh) and not user_known_sensitive_readers
  output: A watched file was read by way of ".." (file=%fd.name as=%fd.nameraw process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, filesystem, mitre_credential_access, T1555]

- rule: Read sensitive file untrusted
  desc: Password hashes, or the rules of who may become whom, were read by a program that has no business with them.
  condition: open_read and sensitive_file and not user_known_sensitive_readers and not proc.aname in (package_binaries)
  output: A sensitive file was read (file=%fd.name process=%proc.name exe=%proc.exepath command=%proc.cmdline parent=%proc.pname user=%user.name uid=%user.uid %container.info)
  priority: WARNING
  tags: [maturity_stable, container, filesystem, mitre_credential_access, T1555]

- rule: Run shell untrusted
  desc: A server that serves the network started a shell.
  condition: spawned_process and shell_procs and proc.pname in (server_binaries)
  output: A server started a shell (shell=%proc.name command=%proc.cmdline parent=%proc.pname parent_command=%proc.pcmdline grandparent=%proc.aname[2] user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, process, shell, mitre_execution, T1059.004]

- rule: System user interactive
  desc: A user that is nobody's runs a program at a terminal.
  condition: spawned_process and user.name in (system_users) and proc.tty != 0 and (shell_procs or proc.name in (login_binaries))
  output: A system user works at a terminal (user=%user.name process=%proc.name command=%proc.cmdline parent=%proc.pname terminal=%proc.tty %container.info)
  priority: INFO
  tags: [maturity_stable, container, users, mitre_execution, T1059]

- rule: Terminal shell in container
  desc: Somebody opened a shell with a terminal in a container.
  condition: spawned_process and container and shell_procs and proc.tty != 0 and started_from_outside
  output: A shell with a terminal was started in a container (shell=%proc.name command=%proc.cmdline terminal=%proc.tty user=%user.name uid=%user.uid %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, shell, mitre_execution, T1059]

- rule: Contact K8S API Server From Container
  desc: A program in a container speaks with an API server of Kubernetes.
  condition: outbound and container and fd.sport in (kubernetes_api_ports) and not proc.name in (kubelet, kube-proxy, coredns)
  output: A container speaks with an API server of Kubernetes (connection=%fd.name process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, network, k8s, mitre_discovery, T1565]

- rule: Netcat Remote Code Execution in Container
  desc: netcat was started so that who connects gets a program.
  condition: spawned_process and container and ((proc.name in (network_tools) and (proc.args icontains " -e" or proc.args startswith "-e" or proc.args contains "--exec" or proc.args contains "--sh-exec" or proc.args startswith "-c " or proc.args contains " -c " or proc.args startswith "-le" or proc.args contains " -le")) or (proc.name = socat and (proc.args contains "EXEC:" or proc.args contains "SYSTEM:" or proc.args contains "exec:" or proc.args contains "system:")))
  output: netcat runs a program for who connects (process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, network, process, mitre_execution, T1059]

- rule: Search Private Keys or Passwords
  desc: Somebody searches for private keys or passwords.
  condition: spawned_process and ((proc.name in (search_binaries) and (proc.args icontains "BEGIN RSA PRIVATE" or proc.args icontains "BEGIN OPENSSH PRIVATE" or proc.args icontains "BEGIN PRIVATE" or proc.args icontains "BEGIN EC PRIVATE" or proc.args icontains "BEGIN DSA PRIVATE" or proc.args icontains "password")) or (proc.name = find and (proc.args contains id_rsa or proc.args contains id_dsa or proc.args contains id_ed25519 or proc.args contains id_ecdsa)))
  output: Somebody searches for private keys or passwords (command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, process, filesystem, mitre_credential_access, T1552.001]

- rule: Clear Log Activities
  desc: A log was emptied or removed.
  condition: >
    ((open_write and evt.arg.flags contains O_TRUNC) or (evt.type in (unlink, unlinkat, truncate) and evt.failed = false))
    and fd.name pmatch (log_directories) and fd.filename in (log_file_names) and not proc.name in (log_binaries, package_binaries)
  output: A log was emptied or removed (file=%fd.name by=%evt.type process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, filesystem, mitre_defense_evasion, T1070]

- rule: Remove Bulk Data from Disk
  desc: A program that destroys what is on a disk was started.
  condition: spawned_process and proc.name in (bulk_removers)
  output: Data is destroyed in bulk (command=%proc.cmdline exe=%proc.exepath parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, process, filesystem, mitre_impact, T1485]

- rule: Create Symlink Over Sensitive Files
  desc: A symbolic link leads to a sensitive file or directory.
  condition: evt.type in (symlink, symlinkat) and evt.failed = false and (fs.path.source in (sensitive_files) or fs.path.source in (sensitive_directories) or fs.path.source in (link_targets)) and not proc.name in (package_binaries)
  output: A link leads to a sensitive file (target=%fs.path.source link=%fs.path.target process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, filesystem, mitre_credential_access, T1555]

- rule: Create Hardlink Over Sensitive Files
  desc: A sensitive file got another name.
  condition: evt.type in (link, linkat) and evt.failed = false and (fs.path.source in (sensitive_files) or fs.path.source in (link_targets)) and not proc.name in (package_binaries, login_binaries)
  output: A sensitive file got another name (file=%fs.path.source name=%fs.path.target process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, filesystem, mitre_credential_access, T1555]

- rule: Packet socket created in container
  desc: A program in a container asked for a socket that sees whole packets.
  condition: evt.type = socket and container and evt.arg.domain = AF_PACKET
  output: A packet socket was asked for (type=%evt.arg.type result=%evt.res process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, network, mitre_credential_access, T1557.002]

- rule: Redirect STDOUT/STDIN to Network Connection in Container
  desc: Standard input or output of a program became a connection, as reverse shells do.
  condition: evt.type in (dup, dup2, dup3) and container and evt.rawres in (0, 1, 2) and fd.type in (ipv4, ipv6) and not proc.name in (server_binaries)
  output: Standard input or output became a connection (connection=%fd.name descriptor=%evt.rawres process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, network, process, mitre_execution, T1059]

- rule: Linux Kernel Module Injection Detected
  desc: A module of the kernel was to be loaded. Here this always fails.
  condition: (evt.type in (init_module, finit_module) and container) or (spawned_process and proc.name in (module_loaders) and proc.args != "")
  output: A module of the kernel was to be loaded (by=%evt.type process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name result=%evt.res %container.info)
  priority: WARNING
  tags: [maturity_stable, container, process, mitre_persistence, T1547.006]

- rule: Debugfs Launched in Privileged Container
  desc: debugfs reads and writes file systems by their devices.
  condition: spawned_process and container and proc.name = debugfs
  output: debugfs was started in a container (command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, cis, process, mitre_privilege_escalation, T1611]

- rule: Detect release_agent File Container Escapes
  desc: release_agent names a program that the kernel runs when a control group is empty.
  condition: tries_to_write and container and fd.name endswith /release_agent
  output: release_agent was written (file=%fd.name result=%evt.res process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: CRITICAL
  tags: [maturity_stable, container, process, mitre_privilege_escalation, T1611]

- rule: PTRACE attached to process
  desc: A process took hold of another.
  condition: evt.type = ptrace and evt.arg.request in (PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_SETREGS, PTRACE_POKETEXT, PTRACE_POKEDATA) and not proc.name in (gdb, strace, ltrace)
  output: A process took hold of another (request=%evt.arg.request pid=%evt.arg.pid process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, process, mitre_privilege_escalation, T1055.008]

- rule: PTRACE anti-debug attempt
  desc: A process asked to be traced by its parent, so that nobody else can.
  condition: evt.type = ptrace and evt.arg.request = PTRACE_TRACEME and not proc.pname in (gdb, strace, ltrace) and not proc.name in (gdb, strace, ltrace)
  output: A process asked to be traced (process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, process, mitre_defense_evasion, T1622]

- rule: Find AWS Credentials
  desc: Somebody searches for credentials of AWS.
  condition: spawned_process and ((proc.name in (search_binaries) and proc.args icontains aws_access_key) or (proc.name in (search_binaries) and proc.args icontains aws_secret) or (proc.name = find and proc.args endswith ".aws/credentials"))
  output: Somebody searches for credentials of AWS (command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, process, aws, mitre_credential_access, T1552]

- rule: Execution from /dev/shm
  desc: A program in shared memory was started, or a script there was given to a shell.
  condition: spawned_process and (proc.exepath startswith /dev/shm/ or proc.exe startswith /dev/shm/ or (proc.cwd startswith /dev/shm/ and proc.exe startswith "./") or (shell_procs and proc.args startswith /dev/shm/))
  output: A program in /dev/shm was started (exe=%proc.exepath command=%proc.cmdline parent=%proc.pname directory=%proc.cwd user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_stable, container, mitre_execution, T1059.004]

- rule: Drop and execute new binary in container
  desc: A program was started that was not in the container when it began.
  condition: spawned_process and container and proc.is_exe_upper_layer = true and not proc.name in (package_binaries) and not proc.aname in (package_binaries)
  output: A program was started that was not there at first (exe=%proc.exepath command=%proc.cmdline parent=%proc.pname parent_exe=%proc.pexepath user=%user.name %container.info)
  priority: CRITICAL
  tags: [maturity_stable, container, process, mitre_persistence, TA0003, PCI_DSS_11.5.1]

- rule: Disallowed SSH Connection Non Standard Port
  desc: ssh connects to a port that is not its own.
  condition: outbound and (proc.name = ssh or proc.exepath endswith /ssh) and not fd.sport in (ssh_ports)
  output: ssh connects to another port than its own (connection=%fd.name process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_stable, container, network, process, mitre_execution, T1059]

- rule: Fileless execution via memfd_create
  desc: A program was started that is in no file system.
  condition: spawned_process and proc.is_exe_from_memfd = true and not proc.name in (runc, crun)
  output: A program in memory was started (exe=%proc.exepath command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: CRITICAL
  tags: [maturity_stable, container, process, mitre_defense_evasion, T1620]

- rule: Change thread namespace
  desc: A program went into another namespace.
  condition: evt.type = setns and container and not proc.name in (runc, crun, nsenter)
  output: A program went into another namespace (kind=%evt.arg.nstype result=%evt.res process=%proc.name command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_incubating, container, process, mitre_privilege_escalation, T1611]

- rule: Set Setuid or Setgid bit
  desc: A file was made to run with its owner's rights.
  condition: evt.type in (chmod, fchmod, fchmodat) and evt.failed = false and (evt.arg.mode contains S_ISUID or evt.arg.mode contains S_ISGID) and fd.type != directory and not proc.name in (package_binaries) and not proc.aname in (package_binaries)
  output: A file was made to run with its owner's rights (file=%fd.name mode=%evt.arg.mode process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_incubating, container, process, users, mitre_privilege_escalation, T1548.001]

- rule: Schedule Cron Jobs
  desc: A file of cron was written.
  condition: open_write and (fd.name pmatch (/etc/cron.d, /etc/cron.daily, /etc/cron.hourly, /etc/cron.weekly, /etc/cron.monthly, /var/spool/cron) or fd.name = /etc/crontab) and not proc.name in (package_binaries) and not proc.aname in (package_binaries)
  output: A file of cron was written (file=%fd.name process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_incubating, container, filesystem, mitre_execution, T1053.003]

- rule: Adding ssh keys to authorized_keys
  desc: Who may log in by a key was changed.
  condition: open_write and fd.filename in (authorized_keys, authorized_keys2)
  output: Keys that open a login were changed (file=%fd.name process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: WARNING
  tags: [maturity_sandbox, container, filesystem, mitre_persistence, T1098.004]

- rule: Write to kernel switches
  desc: A file of /proc or /sys was written by which the kernel would run a program. Falco has no rule for core_pattern.
  condition: tries_to_write and fd.name in (kernel_switches)
  output: A switch of the kernel was to be written (file=%fd.name result=%evt.res process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: CRITICAL
  tags: [container, filesystem, mitre_privilege_escalation, T1611]

- rule: Load eBPF program
  desc: A program was to be loaded into the kernel. Here this always fails.
  condition: evt.type = bpf and container
  output: A program was to be loaded into the kernel (process=%proc.name command=%proc.cmdline result=%evt.res user=%user.name %container.info)
  priority: NOTICE
  tags: [maturity_sandbox, container, mitre_persistence, TA0003]

- rule: Unprivileged Delegation of Page Faults Handling to a Userspace Process
  desc: userfaultfd slows a kernel down where a flaw needs time.
  condition: evt.type = userfaultfd and user.uid != 0
  output: A program asked to handle page faults (process=%proc.name command=%proc.cmdline result=%evt.res user=%user.name %container.info)
  priority: CRITICAL
  tags: [maturity_incubating, container, process, mitre_defense_evasion, TA0005]

- rule: Detect outbound connections to common miner pool ports
  desc: A connection went to a port that pools of miners use.
  condition: outbound and fd.sport in (miner_ports)
  output: A connection went to a port of miners (connection=%fd.name process=%proc.name command=%proc.cmdline user=%user.name %container.info)
  priority: CRITICAL
  enabled: false
  tags: [maturity_sandbox, container, network, mitre_impact, T1496]

- rule: Launch Package Management Process in Container
  desc: Packages are changed in a container that runs.
  condition: spawned_process and container and proc.name in (package_binaries)
  output: Packages are managed in a container (command=%proc.cmdline parent=%proc.pname user=%user.name %container.info)
  priority: ERROR
  enabled: false
  tags: [maturity_incubating, container, process, software_mgmt, mitre_persistence, T1505]
`;
