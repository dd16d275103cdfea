/** bpf(2) (include/uapi/linux/bpf.h): the commands and numbers that programs of BPF_PROG_TYPE_CGROUP_DEVICE need. */

export const BPF_PROG_LOAD = 5;
export const BPF_PROG_ATTACH = 8;
export const BPF_PROG_DETACH = 9;
export const BPF_PROG_GET_NEXT_ID = 11;
export const BPF_PROG_GET_FD_BY_ID = 13;
export const BPF_OBJ_GET_INFO_BY_FD = 15;
export const BPF_PROG_QUERY = 16;

export const BPF_PROG_TYPE_CGROUP_SKB = 8;
export const BPF_PROG_TYPE_CGROUP_DEVICE = 15;
export const BPF_CGROUP_INET_INGRESS = 0;
export const BPF_CGROUP_INET_EGRESS = 1;
export const BPF_CGROUP_DEVICE = 6;

/** `attach_flags` */
export const BPF_F_ALLOW_OVERRIDE = 1;
export const BPF_F_ALLOW_MULTI = 2;
export const BPF_F_REPLACE = 4;
/** `query_flags` */
export const BPF_F_QUERY_EFFECTIVE = 1;
/** `prog_flags` */
export const BPF_F_STRICT_ALIGNMENT = 1;
export const BPF_F_ANY_ALIGNMENT = 2;

/** BPF_OBJ_NAME_LEN, with its end. */
export const BPF_NAME_SIZE = 16;
/** Of the `attr` of all commands together, in Linux 6.6. */
export const BPF_ATTR_SIZE = 144;
/** Of `struct bpf_prog_info` as far as it is filled: to the end of `name`. */
export const BPF_PROG_INFO_SIZE = 80;

/** `struct bpf_cgroup_dev_ctx`: `access_type` is access << 16 | type. */
export const BPF_DEVCG_ACC_MKNOD = 1;
export const BPF_DEVCG_ACC_READ = 2;
export const BPF_DEVCG_ACC_WRITE = 4;
export const BPF_DEVCG_DEV_BLOCK = 1;
export const BPF_DEVCG_DEV_CHAR = 2;
export const BPF_DEVCG_CONTEXT_SIZE = 12;
