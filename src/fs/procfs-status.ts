/** Texts of /proc/PID/status, stat and statm (Linux fs/proc/array.c). */
import type { ProcessView, SignalWords, ThreadView } from './process-view.ts';
import { ticks } from './procfs-system.ts';

const STATE_NAMES: Readonly<Record<string, string>> = {
  R: 'running', S: 'sleeping', D: 'disk sleep', T: 'stopped', t: 'tracing stop', Z: 'zombie', X: 'dead', I: 'idle',
};

function mask({ low, high }: SignalWords): string {
  return (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0');
}

function capabilities([low, high]: readonly [number, number]): string {
  return mask({ low, high });
}

function memoryLines(view: ProcessView): string {
  const { memory } = view;
  if (memory === undefined) return '';
  const line = (name: string, bytes: number): string => `${name}:\t${String(Math.floor(bytes / 1024)).padStart(8)} kB\n`;
  return [
    line('VmPeak', memory.peak), line('VmSize', memory.total), line('VmLck', memory.locked), line('VmPin', 0), line('VmHWM', memory.resident),
    line('VmRSS', memory.resident), line('RssAnon', memory.resident - memory.shared), line('RssFile', memory.shared), line('RssShmem', 0),
    line('VmData', memory.data), line('VmStk', memory.stack), line('VmExe', memory.text), line('VmLib', 0), line('VmPTE', 0), line('VmSwap', 0),
    line('HugetlbPages', 0), 'CoreDumping:\t0\nTHP_enabled:\t0\n',
  ].join('');
}

/** Sets of processors as a hexadecimal mask and as a list. */
function affinityLines(affinity: number): string {
  const list: string[] = [];
  for (let cpu = 0; cpu < 32; cpu++) {
    if (((affinity >>> cpu) & 1) === 0) continue;
    let last = cpu;
    while (((affinity >>> (last + 1)) & 1) !== 0 && last < 31) last++;
    list.push(last === cpu ? String(cpu) : `${cpu}-${last}`);
    cpu = last;
  }
  return `Cpus_allowed:\t${(affinity >>> 0).toString(16)}\nCpus_allowed_list:\t${list.join(',')}\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\n`;
}

export function statusText(view: ProcessView, thread: ThreadView): string {
  const { credentials: ids } = view;
  const ns = view.namespaceIds(thread);
  const state = view.zombie ? 'Z' : thread.state;
  return `Name:\t${thread.name.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}
${view.zombie ? '' : `Umask:\t${view.umask.toString(8).padStart(4, '0')}\n`}State:\t${state} (${STATE_NAMES[state] ?? 'unknown'})
Tgid:\t${view.pid}
Ngid:\t0
Pid:\t${thread.tid}
PPid:\t${view.parentPid}
TracerPid:\t${thread.tracerPid}
Uid:\t${ids.uid}\t${ids.euid}\t${ids.suid}\t${ids.fsuid}
Gid:\t${ids.gid}\t${ids.egid}\t${ids.sgid}\t${ids.fsgid}
FDSize:\t${Math.max(64, 2 ** Math.ceil(Math.log2(Math.max(1, view.fdCapacity))))}
Groups:\t${ids.groups.map((gid) => `${gid} `).join('')}
NStgid:\t${ns.process.join('\t')}
NSpid:\t${ns.thread.join('\t')}
NSpgid:\t${ns.group.join('\t')}
NSsid:\t${ns.session.join('\t')}
Kthread:\t0
${memoryLines(view)}Threads:\t${view.threads.length}
SigQ:\t${view.queuedSignals}/${limitOf(view, 11)}
SigPnd:\t${mask(thread.pending)}
ShdPnd:\t${mask(view.pending)}
SigBlk:\t${mask(thread.blocked)}
SigIgn:\t${mask(view.ignored)}
SigCgt:\t${mask(view.caught)}
CapInh:\t${capabilities(ids.inheritable)}
CapPrm:\t${capabilities(ids.permitted)}
CapEff:\t${capabilities(ids.effective)}
CapBnd:\t${capabilities(ids.bounding)}
CapAmb:\t${capabilities(ids.ambient)}
NoNewPrivs:\t${ids.noNewPrivileges ? 1 : 0}
Seccomp:\t${ids.seccompMode}
Seccomp_filters:\t${ids.seccompMode === 2 ? 1 : 0}
Speculation_Store_Bypass:\tnot vulnerable
SpeculationIndirectBranch:\tunknown
${affinityLines(thread.affinity)}voluntary_ctxt_switches:\t${thread.voluntarySwitches}
nonvoluntary_ctxt_switches:\t${thread.involuntarySwitches}
`;
}

function limitOf(view: ProcessView, resource: number): number {
  const soft = view.limits()[resource]?.soft ?? 0;
  return soft === Infinity ? 0 : soft;
}

export function statmText(view: ProcessView): string {
  const { memory } = view;
  if (memory === undefined) return '0 0 0 0 0 0 0\n';
  const pages = (bytes: number): number => Math.floor(bytes / 4096);
  return `${pages(memory.total)} ${pages(memory.resident)} ${pages(memory.shared)} ${pages(memory.text)} 0 ${pages(memory.data + memory.stack)} 0\n`;
}

function sum(threads: readonly ThreadView[], read: (thread: ThreadView) => number): number {
  return threads.reduce((total, thread) => total + read(thread), 0);
}

/** All 52 fields. `whole`: times of the whole process, else of the thread. */
export function statText(view: ProcessView, thread: ThreadView, whole: boolean): string {
  const { memory } = view;
  const counted = whole ? view.threads : [thread];
  const realtime = thread.policy === 1 || thread.policy === 2;
  const addresses = view.inspectable;
  const shown = (address: number): number => (addresses ? address : 0);
  const soft = view.limits()[5]?.soft ?? Infinity;
  const fields = [
    thread.tid, `(${thread.name})`, view.zombie ? 'Z' : thread.state, view.parentPid, view.processGroup, view.session, view.terminal, view.terminalGroup,
    0x400000, view.minorFaults, 0, 0, 0,
    ticks(sum(counted, (one) => one.userNs)), ticks(sum(counted, (one) => one.systemNs)), ticks(view.childrenUserNs), ticks(view.childrenSystemNs),
    realtime ? -1 - thread.priority : 20 + thread.nice, thread.nice, view.threads.length, 0, ticks(thread.startNs),
    memory?.total ?? 0, Math.floor((memory?.resident ?? 0) / 4096), soft === Infinity ? '18446744073709551615' : soft,
    shown(view.codeStart), shown(view.codeEnd), shown(view.stackStart), 0, 0,
    thread.pending.low & 0x7fff_ffff, thread.blocked.low & 0x7fff_ffff, view.ignored.low & 0x7fff_ffff, view.caught.low & 0x7fff_ffff,
    0, 0, 0, view.exitSignal, 0, realtime ? thread.priority : 0, thread.policy, 0, 0, 0,
    0, 0, 0, shown(view.argStart), shown(view.argEnd), shown(view.envStart), shown(view.envEnd), addresses ? view.exitCode : 0,
  ];
  return `${fields.join(' ')}\n`;
}
