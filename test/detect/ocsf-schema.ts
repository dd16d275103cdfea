/**
 * What OCSF 1.3.0 requires of the classes that we write (schema.ocsf.io/1.3.0/classes), by hand from its documentation, without what is only recommended: no package of
 * the npm registry brings the schema. JSON Schema.
 */
const text = { type: 'string' };
const integer = { type: 'integer' };
const oneOf = (...values: readonly number[]): object => ({ type: 'integer', enum: values });
const object = (required: Readonly<Record<string, object>>, more: Readonly<Record<string, object>> = {}): object => ({ type: 'object', required: Object.keys(required), properties: { ...required, ...more } });

const FILE = object({ name: text, type_id: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 99) }, { path: text });
const PROCESS = object({ pid: integer, name: text }, { cmd_line: text, file: FILE, parent_process: { type: 'object' }, tid: integer, namespace_pid: integer });
const USER = object({ uid: text, type_id: oneOf(0, 1, 2, 3, 99) }, { name: text });
const ACTOR = object({ process: PROCESS, user: USER });
const DEVICE = object({ type_id: oneOf(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 99) }, { hostname: text, os: object({ name: text, type_id: oneOf(200) }) });
const ENDPOINT = { type: 'object', properties: { ip: text, port: { type: 'integer', minimum: 0, maximum: 65_535 } }, additionalProperties: false };

function ofClass(uid: number, activities: readonly number[], required: Readonly<Record<string, object>>): object {
  return {
    ...object({
      activity_id: oneOf(...activities), category_uid: oneOf(Math.floor(uid / 1000)), class_uid: oneOf(uid), type_uid: oneOf(...activities.map((activity) => uid * 100 + activity)),
      time: { type: 'integer', minimum: 1_600_000_000_000 }, severity_id: oneOf(0, 1, 2, 3, 4, 5, 6, 99),
      metadata: object({ version: { const: '1.3.0' }, product: object({ vendor_name: text, name: text }) }, { profiles: { type: 'array', items: text }, sequence: integer, uid: text }),
      ...required,
    }, { container: object({ uid: text }, { image: object({ uid: text }) }), status_id: oneOf(0, 1, 2, 99), status_code: text, unmapped: { type: 'object' } }),
  };
}

const HOST = { device: DEVICE, actor: ACTOR };

/** By `class_uid`. */
export const OCSF_CLASSES: ReadonlyMap<number, object> = new Map([
  [1001, ofClass(1001, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 99], { ...HOST, file: FILE })],
  [1003, ofClass(1003, [0, 1, 2, 3, 4, 99], { ...HOST, kernel: object({ name: text, type_id: oneOf(0, 1, 2, 99) }) })],
  [1005, ofClass(1005, [0, 1, 2, 3, 99], { ...HOST, module: object({ load_type_id: oneOf(0, 1, 2, 3, 99) }) })],
  [1007, ofClass(1007, [0, 1, 2, 3, 4, 5, 99], { ...HOST, process: PROCESS })],
  [4001, ofClass(4001, [0, 1, 2, 3, 4, 5, 6, 7, 99], { ...HOST, dst_endpoint: ENDPOINT, src_endpoint: ENDPOINT, connection_info: object({ direction_id: oneOf(0, 1, 2, 3, 99) }) })],
  [2004, ofClass(2004, [0, 1, 2, 3, 99], { finding_info: object({ title: text, uid: text }), device: DEVICE, status_id: oneOf(0, 1, 2, 3, 4, 5, 6, 99) })],
]);
