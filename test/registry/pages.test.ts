/** The pages of the registry, in headless Chromium. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import type { Browser } from 'playwright-core';
import { kindsLayout, manifestDigest, peer } from '../images/fixtures.ts';
import { OCI_MANIFEST, TestClient } from './client.ts';
import { Scratch } from './servers.ts';

const scratch = new Scratch('registry-pages');
let browser: Browser;

before(async () => {
  browser = await chromium.launch({ executablePath: '/usr/bin/chromium', chromiumSandbox: false });
});

after(async () => {
  await browser?.close();
  scratch.clean();
});

test('from the list of repositories to the layers of an image, and who refers to it', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const digest = manifestDigest(kindsLayout());
  peer('skopeo', ['copy', '-q', '--preserve-digests', '--dest-tls-verify=false', `oci:${kindsLayout()}:kinds:30`, `docker://${served.host}/team/kinds:30`]);
  await client.pushImage('team/kinds', undefined, 'about it', { subject: { mediaType: OCI_MANIFEST, digest, size: 7 }, artifactType: 'application/vnd.example.sbom' });
  const page = await browser.newPage();
  const errors: string[] = [];
  page.on('console', (message) => void errors.push(message.text()));
  page.on('pageerror', (error) => void errors.push(error.message));
  await page.goto(served.url);
  assert.equal(await page.title(), 'Repositories');
  assert.deepEqual((await page.locator('tbody tr').allInnerTexts()).map((text) => text.split('\t').slice(0, 2)), [['team/kinds', '1']]);
  await page.click('text=team/kinds');
  assert.match(await page.locator('tbody tr').first().innerText(), new RegExp(`^30\t${digest.slice(0, 19)}\t[0-9.]+ [kM]B\t\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d$`));
  await page.click('text="30"');
  assert.equal(await page.locator('h1').innerText(), 'team/kinds:30');
  const sections = await page.locator('h2').allInnerTexts();
  assert.deepEqual(sections, ['Layers', 'Configuration', 'Referrers']);
  assert.equal(await page.locator('h2:has-text("Layers") + table tbody tr').count(), 30);
  assert.match(await page.locator('table').first().innerText(), new RegExp(digest));
  assert.match(await page.locator('body').innerText(), /linux\/amd64[^]*\/bin\/busybox[^]*application\/vnd\.example\.sbom/);
  assert.notEqual(await page.locator('body').evaluate((body) => getComputedStyle(body).maxWidth), 'none');
  assert.deepEqual(errors, []);
});

test('what comes from images is text, never a part of the page', async () => {
  const served = await scratch.serve();
  const client = new TestClient(served.url);
  const nasty = '<script>document.title = "taken"</script><img src=x onerror="document.title=\'taken\'">"\'&';
  const config = await client.pushBlob('a', JSON.stringify({ os: nasty, architecture: nasty, created: nasty, config: { Entrypoint: [nasty], Cmd: nasty, User: nasty } }), 'application/vnd.oci.image.config.v1+json');
  const layer = await client.pushBlob('a', 'layer', nasty);
  const text = JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, artifactType: nasty, config, layers: [layer], subject: { mediaType: OCI_MANIFEST, digest: layer.digest, size: 1 } });
  assert.equal((await client.pushManifest('a', 'x', text)).status, 201);
  const page = await browser.newPage();
  await page.goto(`${served.url}/ui/repositories/a?reference=x`);
  assert.equal(await page.title(), 'a:x');
  assert.equal(await page.locator('script, img').count(), 0);
  assert.ok((await page.locator('body').innerText()).includes(nasty));
  const { headers } = await client.ask('GET', '/ui/');
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
  for (const path of ['/ui/repositories/none', '/ui/repositories/a?reference=none', `/ui/repositories/a?reference=${encodeURIComponent(nasty)}`, '/ui/repositories/A', '/ui/none']) assert.ok((await client.ask('GET', path)).status >= 400, path);
});

test('who has to log in is asked for a password, and sees what the rules let them see', async () => {
  const users = scratch.file('users', [peer('htpasswd', ['-Bbn', 'ann', 'one']).stdout, peer('htpasswd', ['-Bbn', 'bob', 'two']).stdout].join(''));
  const rules = scratch.file('rules.json', JSON.stringify({ access: [{ repositories: ['home/{user}/*'], users: ['*'], actions: ['pull', 'push'] }] }));
  const served = await scratch.serve(['--htpasswd', users, '--config', rules, '--token-auth']);
  const as = (name: string, password: string): TestClient => new TestClient(served.url, { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` });
  await as('ann', 'one').pushImage('home/ann/app', '1', 'x');
  const nobody = await new TestClient(served.url).ask('GET', '/ui/');
  assert.deepEqual([nobody.status, nobody.headers.get('www-authenticate')], [401, 'Basic realm="Caisson registry", charset="UTF-8"']);
  const seen = async (name: string, password: string): Promise<string> => {
    const context = await browser.newContext({ httpCredentials: { username: name, password } });
    const page = await context.newPage();
    await page.goto(served.url);
    return page.locator('body').innerText();
  };
  assert.match(await seen('ann', 'one'), /home\/ann\/app/);
  assert.match(await seen('bob', 'two'), /There is nothing here yet/);
  assert.equal((await as('bob', 'two').ask('GET', '/ui/repositories/home/ann/app')).status, 404);
  assert.equal((await as('bob', 'two').ask('GET', '/ui/repositories/home/ann/none')).status, 404);
});
