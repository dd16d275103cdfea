/** What uname(2) and /proc/version say. The release is the kernel whose behaviour we follow; programs check it for features. */
export const RELEASE = '6.6.0-caisson';
export const VERSION = '#1 SMP PREEMPT_DYNAMIC Caisson';
