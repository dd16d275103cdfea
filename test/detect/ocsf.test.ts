/** The stream and alerts as OCSF: each line has what its class requires, and says of the call what happened. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Ajv } from 'ajv';
import { caisson } from '../cli/caisson.ts';
import { OCSF_CLASSES } from './ocsf-schema.ts';
import { Root, jsonLines } from './testing.ts';

const root = new Root();
after(() => root.remove());

interface OcsfEvent {
  readonly class_uid: number;
  readonly activity_name: string;
  readonly status_id: number;
  readonly status_code: string;
  readonly severity: string;
  readonly message?: string;
  readonly action?: string;
  readonly metadata: { readonly sequence: number; readonly event_code: string };
  readonly file?: { readonly path: string };
  readonly file_result?: { readonly path: string };
  readonly process?: { readonly cmd_line: string; readonly parent_process?: { readonly name: string } };
  readonly actor?: { readonly process: { readonly name: string }; readonly user: { readonly uid: string; readonly name?: string } };
  readonly dst_endpoint?: { readonly ip?: string; readonly port?: number };
  readonly connection_info?: { readonly direction: string; readonly protocol_name?: string };
  readonly finding_info?: { readonly title: string };
  readonly attacks?: readonly { readonly technique: { readonly uid: string } }[];
}

const ajv = new Ajv({ allErrors: true });
const validators = new Map([...OCSF_CLASSES].map(([uid, schema]) => [uid, ajv.compile(schema)]));

function mistakes(event: OcsfEvent): string {
  const validate = validators.get(event.class_uid);
  if (validate === undefined) return `there is no class ${event.class_uid}`;
  return validate(event) ? '' : `${JSON.stringify(validate.errors)}: ${JSON.stringify(event)}`;
}

const SCRIPT = `cat /etc/hostname nothing; echo x > /tmp/a; ln -s /etc/shadow /tmp/b; mv /tmp/a /tmp/c; chmod 600 /tmp/c; mkdir /tmp/d; rmdir /tmp/d; rm /tmp/c; cat /etc/shadow
  nc 127.0.0.1 4000 < /dev/null; nc -l -p 5000 < /dev/null > /dev/null & sleep 1; nc 127.0.0.1 5000 < /dev/null; deeds traceme; deeds setns; deeds module; insmod /etc/script; deeds memory /bin/deeds nothing; mount -t tmpfs none /tmp; umount /tmp; deeds faults; touch "/tmp/$(printf 'odd\\377\\033[31m')"`;

test('each call and each alert is an event of a class of OCSF, with what that requires', async () => {
  const [events, alerts] = [root.file('events.json'), root.file('alerts.json')];
  const { status, stderr } = await caisson(root.shell(SCRIPT, ['--cap-add', 'ALL', '--event-format', 'ocsf', '--events', events, '--alerts', alerts, '--rules', 'default', '--on-rule', 'Read sensitive file untrusted=deny']));
  assert.equal(status, 0, stderr);
  const calls = jsonLines<OcsfEvent>(events);
  assert.deepEqual([...calls, ...jsonLines<OcsfEvent>(alerts)].map(mistakes).filter((text) => text !== ''), []);
  assert.deepEqual(calls.map(({ metadata }) => metadata.sequence), calls.map((_, index) => index + 1));
  assert.deepEqual([...new Set(calls.map(({ class_uid: uid }) => uid))].sort(), [1001, 1003, 1005, 1007, 4001]);
  const find = (code: string, accepts: (event: OcsfEvent) => boolean = () => true): OcsfEvent => {
    const found = calls.find((event) => event.metadata.event_code === code && accepts(event));
    assert.ok(found !== undefined, `there is no such ${code}`);
    return found;
  };
  const started = find('execve', ({ process }) => process?.cmd_line === 'cat /etc/hostname nothing');
  assert.deepEqual([started.activity_name, started.process?.parent_process?.name, started.actor?.user], ['Launch', 'sh', { uid: '0', name: 'root', type_id: 2, type: 'Admin' }]);
  const opened = calls.filter(({ activity_name: name, file }) => name === 'Open' && (file?.path === '/etc/hostname' || file?.path === '/nothing'));
  assert.deepEqual(opened.map(({ status_id: id, status_code: code }) => [id, code]), [[1, 'SUCCESS'], [2, 'ENOENT']]);
  const moved = calls.find(({ activity_name: name }) => name === 'Rename');
  assert.deepEqual([moved?.file?.path, moved?.file_result?.path], ['/tmp/a', '/tmp/c']);
  const refused = find('connect', ({ dst_endpoint: to }) => to?.port === 4000);
  assert.deepEqual([refused.activity_name, refused.status_code, refused.connection_info?.direction, refused.connection_info?.protocol_name], ['Refuse', 'ECONNREFUSED', 'Outbound', 'tcp']);
  assert.equal(find('listen', ({ dst_endpoint: at }) => at?.port === 5000).activity_name, 'Listen');
  assert.deepEqual([find('mount').activity_name, find('umount2').activity_name, find('setns').class_uid], ['Mount', 'Unmount', 1003]);
  assert.match(find('unlink', ({ file }) => file?.path === '/tmp/c').activity_name, /Delete/);
});

test('an alert is a finding, with its severity and whether the call was refused', async () => {
  const alerts = root.file('alerts.json');
  await caisson(root.shell('cat /etc/shadow; ln -s /etc/shadow /tmp/x', ['--event-format', 'ocsf', '--alerts', alerts, '--rules', 'default', '--on-rule', 'Read sensitive file untrusted=deny']));
  const findings = jsonLines<OcsfEvent>(alerts);
  assert.deepEqual(findings.map(({ finding_info: info, severity, action }) => [info?.title, severity, action]), [
    ['Read sensitive file untrusted', 'Medium', 'Denied'], ['Create Symlink Over Sensitive Files', 'Medium', 'Allowed'],
  ]);
  assert.ok(findings.every(({ message, attacks }) => (message ?? '').includes('/etc/shadow') && (attacks ?? []).every(({ technique }) => /^T\d{4}/.test(technique.uid))));
  // The checks notice what is wrong.
  const { finding_info: _, ...spoiled } = findings[0]!;
  assert.match(mistakes(spoiled as OcsfEvent), /finding_info/);
});
