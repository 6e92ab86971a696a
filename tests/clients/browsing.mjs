// What the programs in a browser have in common: what they are told on standard input, the browser, and a person in it.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

export const told = JSON.parse(await text(process.stdin));
const entry = join(resolve(told.packages), 'node_modules', 'playwright-core', 'index.mjs');
const { chromium } = await import(pathToFileURL(entry).href);
export const browser = await chromium.launch({ executablePath: told.chromium, args: ['--no-sandbox'] });

// A phone that speaks Dutch. `refused`: what it did not do, by a Content-Security-Policy; `origins`: whom it asked.
export async function phone() {
  const context = await browser.newContext({ locale: 'nl', viewport: { width: 360, height: 740 } });
  context.setDefaultTimeout(20000);
  const refused = [];
  const origins = new Set();
  context.on('console', (message) => /Content Security Policy/.test(message.text()) && refused.push(message.text()));
  context.on('request', (request) => origins.add(new URL(request.url()).origin));
  return { context, refused, origins };
}

export const press = (page, name) => page.getByRole('button', { name, exact: true }).click();

export async function logIn(page) {
  await page.getByLabel('Gebruikersnaam').fill(told.username);
  await page.getByLabel('Wachtwoord').fill(told.password);
  await press(page, 'Inloggen');
}

// What the app says came of the last click.
export async function outcome(page) {
  await page.waitForFunction(() => /: |failed/.test(document.getElementById('outcome')?.textContent ?? ''));
  return page.locator('#outcome').textContent();
}
