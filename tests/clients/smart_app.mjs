// A resident lets the stock app in, uses it, and stops it: node smart_app.mjs, with one JSON object on standard input:
// { packages, chromium, site, launch, redirect, stop, username, password }. Prints what was seen, as JSON.
import { browser, logIn, outcome, phone, press, told } from './browsing.mjs';

const { context, refused, origins } = await phone();
const found = {};
async function clicked(page, name) {
  await press(page, name);
  return outcome(page);
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
console.log(JSON.stringify({ ...found, refused, origins: [...origins] }));
