/** Programs that distributions ship set-uid or set-gid, and with capabilities: Debian, Ubuntu, Fedora, Alpine, openSUSE and Arch. By name, as where they are differs. */
export const KNOWN_SETUID: ReadonlySet<string> = new Set((
  'su sudo sudoedit mount umount passwd chsh chfn gpasswd newgrp newgidmap newuidmap chage expiry unix_chkpwd pam_timestamp_check pkexec polkit-agent-helper-1 dbus-daemon-launch-helper fusermount fusermount3 ntfs-3g '
  + 'ssh-keysign ssh-agent ping ping6 ping4 arping traceroute traceroute6 traceroute6.iputils mtr-packet at batch crontab wall write write.ul bsd-write locate plocate mlocate slocate sg doas bbsuid vlock dotlockfile mlock lockfile mail-lock mail-unlock mail-touchlock '
  + 'postdrop postqueue sendmail exim4 exim procmail screen utempter pppd pt_chown Xorg Xorg.wrap chrome-sandbox chromium-sandbox snap-confine userhelper usernetctl staprun mount.nfs mount.cifs mount.ecryptfs_private umount.nfs kismet_capture '
  + 'suexec lxc-user-nic qemu-bridge-helper bwrap spice-client-glib-usb-acl-helper vmware-user-suid-wrapper VBoxHeadless VirtualBoxVM VBoxNetDHCP gnome-pty-helper cockpit-session grub2-set-bootflag nullmailer-queue kcheckpass camel-lock-helper-1.2 '
  + 'netreport unix2_chkpwd opiepasswd opiesu v4l-conf man mandb dumpcap ksu sssd_krb5 krb5_child ldap_child selinux_child proxy_child p11_child mailq newaliases busybox-suid rbash enlightenment_sys wodim cdrecord login rcp rlogin rsh authopen Xvfb'
).split(' '));

/** Of each program, the capabilities that a distribution gives it. */
export const KNOWN_CAPABILITIES: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  ping: ['cap_net_raw'], ping4: ['cap_net_raw'], ping6: ['cap_net_raw'], arping: ['cap_net_raw'], clockdiff: ['cap_net_raw', 'cap_sys_nice'], traceroute6: ['cap_net_raw'], 'mtr-packet': ['cap_net_raw'], fping: ['cap_net_raw'],
  dumpcap: ['cap_net_raw', 'cap_net_admin', 'cap_dac_override'], newuidmap: ['cap_setuid'], newgidmap: ['cap_setgid'], suexec: ['cap_setgid', 'cap_setuid'], 'gst-ptp-helper': ['cap_net_bind_service', 'cap_net_admin', 'cap_sys_nice'],
  'gnome-keyring-daemon': ['cap_ipc_lock'], rcp: ['cap_net_bind_service'], rlogin: ['cap_net_bind_service'], rsh: ['cap_net_bind_service'], slirp4netns: ['cap_sys_admin'], kwin_wayland: ['cap_sys_nice'], vault: ['cap_ipc_lock'], caddy: ['cap_net_bind_service'],
  coredns: ['cap_net_bind_service'], nginx: ['cap_net_bind_service'], haproxy: ['cap_net_bind_service'], sssd_pam: ['cap_dac_read_search'], krb5_child: ['cap_dac_read_search', 'cap_setgid', 'cap_setuid', 'cap_chown', 'cap_dac_override'], ldap_child: ['cap_dac_read_search'], p11_child: [], selinux_child: ['cap_setgid', 'cap_setuid'],
}));

/** Shells and interpreters: set-uid, they give what they have to everybody. */
export const SHELLS: ReadonlySet<string> = new Set('sh bash dash ash zsh ksh mksh csh tcsh fish busybox python python2 python3 perl ruby lua node php tclsh gawk mawk awk vim vi nano less more find cp mv tee env nmap gdb strace tar dd rsync openssl'.split(' '));

/** capabilities(7), by number. */
export const CAPABILITIES = [
  'cap_chown', 'cap_dac_override', 'cap_dac_read_search', 'cap_fowner', 'cap_fsetid', 'cap_kill', 'cap_setgid', 'cap_setuid', 'cap_setpcap', 'cap_linux_immutable', 'cap_net_bind_service', 'cap_net_broadcast', 'cap_net_admin', 'cap_net_raw',
  'cap_ipc_lock', 'cap_ipc_owner', 'cap_sys_module', 'cap_sys_rawio', 'cap_sys_chroot', 'cap_sys_ptrace', 'cap_sys_pacct', 'cap_sys_admin', 'cap_sys_boot', 'cap_sys_nice', 'cap_sys_resource', 'cap_sys_time', 'cap_sys_tty_config', 'cap_mknod',
  'cap_lease', 'cap_audit_write', 'cap_audit_control', 'cap_setfcap', 'cap_mac_override', 'cap_mac_admin', 'cap_syslog', 'cap_wake_alarm', 'cap_block_suspend', 'cap_audit_read', 'cap_perfmon', 'cap_bpf', 'cap_checkpoint_restore',
] as const;

/** With one of these a program is as good as root. */
export const ROOT_CAPABILITIES: ReadonlySet<string> = new Set(['cap_dac_override', 'cap_dac_read_search', 'cap_chown', 'cap_fowner', 'cap_setuid', 'cap_setgid', 'cap_setfcap', 'cap_sys_module', 'cap_sys_rawio', 'cap_sys_ptrace', 'cap_sys_admin', 'cap_bpf', 'cap_mknod']);
