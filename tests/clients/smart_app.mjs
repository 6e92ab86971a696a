// A resident lets the stock app in, uses it, and stops it: node smart_app.mjs, with one JSON object on standard input:
// { packages, chromium, site, launch, redirect, stop, username, password }. Prints what was seen, as JSON.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const told = JSON.parse(await text(process.stdin));
const entry = join(resolve(told.packages), 'node_modules', 'playwright-core', 'index.mjs');
const { chromium } = await import(pathToFileURL(entry).href);
const browser = await chromium.launch({ executablePath: told.chromium, args: ['--no-sandbox'] });
const context = await browser.newContext({ locale: 'nl', viewport: { width: 360, height: 740 } });
context.setDefaultTimeout(20000);

const found = { refused: [], origins: new Set(), inAddresses: [] };
context.on('console', (message) => /Content Security Policy/.test(message.text()) && found.refused.push(message.text()));
context.on('request', (request) => found.origins.add(new URL(request.url()).origin));

// What a page of ours asks, and what a person answers.
const press = (page, name) => page.getByRole('button', { name, exact: true }).click();
async function logIn(page) {
  await page.getByLabel('Gebruikersnaam').fill(told.username);
  await page.getByLabel('Wachtwoord').fill(told.password);
  await press(page, 'Inloggen');
}
async function clicked(page, name) {
  await press(page, name);
  return outcome(page);
}
async function outcome(page) {
  await page.waitForFunction(() => /: |failed/.test(document.getElementById('outcome')?.textContent ?? ''));
  return page.locator('#outcome').textContent();
}

const app = await context.newPage();
await app.goto(told.launch);
await logIn(app);
found.question = await app.getByRole('heading', { level: 1 }).textContent();
found.ticked = await app.locator('input[type=checkbox]:checked').count();
found.duration = await app.locator('input[name=duration]:checked').getAttribute('value');
await app.getByLabel('Drie maanden').check();
await press(app, 'Toestaan');
await app.waitForURL((url) => url.href.startsWith(told.redirect));
found.start = await outcome(app);
found.patient = await app.locator('#patient').textContent();
found.read = await clicked(app, 'Read');
found.refresh = await clicked(app, 'Refresh');
found.again = await clicked(app, 'Read');

const portal = await context.newPage();
await portal.goto(`${told.site}/portal/apps`);
await portal.getByRole('link', { name: told.stop }).click();
await press(portal, 'Nu stoppen');
await portal.getByRole('heading', { name: 'Gestopt' }).waitFor();
found.after = await clicked(app, 'Read');
found.refreshAfter = await clicked(app, 'Refresh');

await browser.close();
console.log(JSON.stringify({ ...found, origins: [...found.origins] }));
