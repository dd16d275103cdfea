import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileTemplate, formatRows } from './template.ts';

const VALUE = {
  Name: 'web', Count: 3, On: true, Nothing: null, List: ['a', 'b'], Map: { 'x.y': '1', z: '2' },
  Ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '8080' }] }, State: { Health: { Log: [{ ExitCode: 7 }] } },
};

test('compileTemplate() fills in what Go\'s text/template would, as Docker\'s users write it', () => {
  for (const [template, text] of [
    ['{{.Name}} {{.Count}} {{.On}}', 'web 3 true'], ['{{json .List}}', '["a","b"]'], ['{{.List | json}}', '["a","b"]'], ['{{.Name | upper | json}}', '"WEB"'], ['{{len .List}} {{.List | len}}', '2 2'],
    ['{{index .Map "x.y"}}', '1'], ['{{index .List 1}}', 'b'], ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8080'], ['{{(index .State.Health.Log 0).ExitCode}}', '7'], ['{{index .Ports "80/tcp" 0 | json}}', '{"HostIp":"127.0.0.1","HostPort":"8080"}'],
    ['{{.Map "z"}}', '2'], ['{{join .List "/"}}', 'a/b'], ['{{range .List}}<{{.}}>{{end}}', '<a><b>'], ['{{range .Ports}}{{(index . 0).HostIp}}{{end}}', '127.0.0.1'], ['{{if .Nothing}}yes{{else}}no{{end}}', 'no'], ['{{if (index .List 0)}}yes{{end}}', 'yes'],
    ['{{.Nothing}}', '<no value>'], ['{{.List}} {{.Map}}', '[a b] map[x.y:1 z:2]'], ['{{"a\\tb"}}', 'a\tb'], ['{{println .Name}}', 'web\n'], ['{{- .Name -}}', 'web'],
  ] as const) assert.equal(compileTemplate(template)(VALUE), text, template);
});

test('compileTemplate() says what it cannot read', () => {
  for (const [template, message] of [
    ['{{.Name', /has no }}/], ['{{(index .List 0}}', /a \( has no \)/], ['{{.Name)}}', /a \) has no \(/], ['{{.Name | }}', /a value is missing/], ['{{nope .Name}}', /no function "nope"/], ['{{.Nope}}', /no field "Nope"/], ['{{range .List}}', /{{end}} is missing/],
    ['{{end}}', /without a beginning/], [`{{${'('.repeat(50)}.Name${')'.repeat(50)}}}`, /nested too deep/],
  ] as const) assert.throws(() => compileTemplate(template)(VALUE), message, template);
});

test('formatRows() has a line of titles for a table, and none otherwise', () => {
  const rows = [{ ID: '1', Name: 'a' }, { ID: '2', Name: 'b' }];
  assert.equal(formatRows('{{.Name}}', rows, {}), 'a\nb\n');
  assert.equal(formatRows('table {{.ID}}\t{{.Name}}', rows, { ID: 'THE ID' }), 'THE ID   NAME\n1        a\n2        b\n');
  const labels = [{ Name: 'a', Label: (key: string) => `<${key}>` }];
  assert.equal(formatRows('table {{.ID}}\t{{.State}}', [], { ID: 'THE ID' }), 'THE ID   STATE\n');
  assert.throws(() => formatRows('{{.Label}}', labels, {}), /asked for a key/);
  assert.equal(formatRows('table {{.Name}}\t{{.Label "com.example.my-role"}}', labels, {}), 'NAME   my role\na      <com.example.my-role>\n');
});
