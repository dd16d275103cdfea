/**
 * Calls and alerts as events of the Open Cybersecurity Schema Framework (OCSF 1.3.0, schema.ocsf.io): a line of JSON each, which SIEMs and data lakes take as it is.
 * What the schema has no attribute for is in `unmapped`.
 */
import { EACCES, ECONNREFUSED, EINPROGRESS, EPERM } from '../../abi/errno.ts';
import type { SystemEvent } from '../../kernel/watch/types.ts';
import type { Alert } from '../detector.ts';
import { resultName } from '../fields.ts';
import type { Priority } from '../rules/sources.ts';
import type { ContainerFacts } from '../subject.ts';
import { toText } from '../text.ts';
import { CREATED_FINDING, FILE_CLASS, KERNEL_CLASS, MODULE_CLASS, NETWORK_CLASS, PROCESS_CLASS, activityOf, invoked } from './classes.ts';
import type { OcsfActivity } from './classes.ts';
import { OCSF_VERSION, actorObject, containerObject, deviceObject, endpointObject, fileObject, processOf } from './objects.ts';
import type { OcsfObject } from './objects.ts';

/** Of the package, put in by the build. */
declare const CAISSON_VERSION: string | undefined;
const PRODUCT: OcsfObject = { name: 'Caisson', vendor_name: 'Caisson', version: typeof CAISSON_VERSION === 'string' ? CAISSON_VERSION : '0.0.0-source' };

const INFORMATIONAL = 1;
const SUCCESS = 1;
const FAILURE = 2;
const IPV4 = 4;
const IPV6 = 6;
const INBOUND = 1;
const OUTBOUND = 2;
/** IANA's numbers. */
const PROTOCOLS: Readonly<Record<string, number>> = { icmp: 1, tcp: 6, udp: 17 };

const SEVERITIES: Readonly<Record<Priority, readonly [id: number, caption: string]>> = {
  Debug: [1, 'Informational'], Informational: [1, 'Informational'], Notice: [2, 'Low'], Warning: [3, 'Medium'], Error: [4, 'High'], Critical: [5, 'Critical'], Alert: [5, 'Critical'], Emergency: [6, 'Fatal'],
};

function typed({ classUid, className, categoryUid, categoryName, activityId, activityName }: OcsfActivity): OcsfObject {
  return { activity_id: activityId, activity_name: activityName, category_uid: categoryUid, category_name: categoryName, class_uid: classUid, class_name: className, type_uid: classUid * 100 + activityId, type_name: `${className}: ${activityName}` };
}

export class OcsfWriter {
  readonly #facts: ContainerFacts;
  readonly #container: OcsfObject;
  readonly #device: OcsfObject;

  constructor(facts: ContainerFacts) {
    this.#facts = facts;
    this.#container = containerObject(facts);
    this.#device = deviceObject(facts);
  }

  #metadata(number: number, code: string, suffix = ''): OcsfObject {
    return { version: OCSF_VERSION, product: PRODUCT, profiles: ['container', 'host'], uid: `${toText(this.#facts.id)}/${number}${suffix}`, sequence: number, event_code: code };
  }

  /** Of a call, without the end of its line. */
  event(event: SystemEvent): OcsfObject {
    const { number, type, result, file, seconds, nanoseconds } = event;
    // A connection that is on its way is not one that failed.
    const isFailed = result < 0 && result >= -4095 && result !== -EINPROGRESS;
    const wanted = activityOf(type, isFailed, [EACCES, ECONNREFUSED, EPERM].includes(-result));
    const isNetwork = file?.type === 'ipv4' || file?.type === 'ipv6';
    const fits = wanted.classUid === NETWORK_CLASS ? isNetwork : wanted.classUid === FILE_CLASS ? this.#pathOf(event) !== undefined : true;
    const activity = fits ? wanted : invoked();
    return {
      ...typed(activity), time: seconds * 1000 + Math.floor(nanoseconds / 1e6), severity_id: INFORMATIONAL, severity: 'Informational', status_id: isFailed ? FAILURE : SUCCESS, status: isFailed ? 'Failure' : 'Success',
      status_code: resultName(result), metadata: this.#metadata(number, type), device: this.#device, container: this.#container, actor: actorObject(event, this.#facts),
      ...this.#about(event, activity.classUid), unmapped: this.#unmapped(event),
    };
  }

  #pathOf({ file, source, target, arguments: named }: SystemEvent): string | undefined {
    const name = named.get('name');
    return source ?? (file === undefined ? target ?? (typeof name === 'string' ? name : undefined) : file.name);
  }

  /** What the class requires beside what all have. */
  #about(event: SystemEvent, classUid: number): OcsfObject {
    const { file, target, program, type } = event;
    if (classUid === FILE_CLASS) {
      const path = this.#pathOf(event)!;
      return { file: fileObject(path, event.source === undefined ? file?.type : undefined), ...(target === undefined || target === path ? {} : { file_result: fileObject(target) }) };
    }
    if (classUid === PROCESS_CLASS) return { process: processOf(program) };
    if (classUid === MODULE_CLASS) return { module: { load_type_id: 1, load_type: 'Standard', ...(file === undefined ? {} : { file: fileObject(file.name) }) } };
    if (classUid === KERNEL_CLASS) return { kernel: { name: type, type_id: 2, type: 'System Call' } };
    const isIncoming = file!.isServer || event.type.startsWith('accept') || event.type === 'bind' || event.type === 'listen';
    const local = endpointObject(file!.localAddress, file!.localPort);
    const remote = endpointObject(file!.remoteAddress, file!.remotePort);
    return {
      src_endpoint: isIncoming ? remote : local, dst_endpoint: isIncoming ? local : remote,
      connection_info: {
        direction_id: isIncoming ? INBOUND : OUTBOUND, direction: isIncoming ? 'Inbound' : 'Outbound', protocol_ver_id: file!.type === 'ipv6' ? IPV6 : IPV4,
        ...(file!.protocol === undefined ? {} : { protocol_name: file!.protocol, ...(PROTOCOLS[file!.protocol] === undefined ? {} : { protocol_num: PROTOCOLS[file!.protocol] }) }),
      },
    };
  }

  #unmapped({ type, result, arguments: named, cwd, openFlags, file }: SystemEvent): OcsfObject {
    return {
      syscall: type, result, cwd: toText(cwd), ...(openFlags === undefined ? {} : { open_flags: openFlags }), ...(file?.otherName === undefined ? {} : { path_as_given: toText(file.otherName) }),
      arguments: Object.fromEntries([...named].map(([name, value]) => [name, typeof value === 'number' ? value : toText(value)])),
    };
  }

  /** Of an alert. */
  alert({ rule, priority, output, fields, tags, action, time, event, leftOut }: Alert): OcsfObject {
    const [id, caption] = SEVERITIES[priority];
    const isStopped = action === 'deny' || action === 'kill';
    const techniques = tags.filter((tag) => /^T\d{4}(?:\.\d{3})?$/.test(tag));
    const milliseconds = Date.parse(time);
    return {
      ...typed(CREATED_FINDING), time: milliseconds, severity_id: id, severity: caption, status_id: 1, status: 'New', message: output,
      action_id: isStopped ? 2 : 1, action: isStopped ? 'Denied' : 'Allowed', disposition_id: isStopped ? 2 : 1, disposition: isStopped ? 'Blocked' : 'Allowed', is_alert: true,
      metadata: { ...this.#metadata(event, rule, `/${encodeURIComponent(rule.replace(/[\ud800-\udfff]/g, '?'))}`), profiles: ['container', 'host', 'security_control'] }, device: this.#device, container: this.#container,
      finding_info: { uid: `${toText(this.#facts.id)}/${event}`, title: rule, types: tags, created_time: milliseconds, analytic: { name: rule, type_id: 1, type: 'Rule' } },
      ...(techniques.length === 0 ? {} : { attacks: techniques.map((uid) => ({ technique: { uid }, version: '14' })) }),
      evidences: [{ data: fields }], unmapped: { action, ...(leftOut === 0 ? {} : { left_out: leftOut }) },
    };
  }
}
