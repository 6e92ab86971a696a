// A professional starts the stock app from the portal: node smart_launch.mjs, with one JSON object on standard input:
// { packages, chromium, site, redirect, app, patient, username, password }. Prints what was seen, as JSON.
import { browser, logIn, outcome, phone, press, told } from './browsing.mjs';

const { context, refused } = await phone();
const page = await context.newPage();
await page.goto(`${told.site}/portal/launch`);
await logIn(page);
await page.getByLabel('Naam van de bewoner').fill(told.patient);
await press(page, 'Zoeken');
await page.getByRole('link', { name: told.patient }).first().click();
await page.getByRole('button', { name: told.app }).click();
await press(page, 'Toestaan');
await page.waitForURL((url) => url.href.startsWith(told.redirect));
const start = await outcome(page);
const patient = await page.locator('#patient').textContent();
await press(page, 'Read');
const read = await outcome(page);
const { tokenResponse: said, user } = await page.evaluate(() => ({
  tokenResponse: window.client.getState('tokenResponse'), user: window.client.user.fhirUser,
}));
const style = await page.evaluate((url) => fetch(url).then((answer) => answer.json()), said.smart_style_url);
await browser.close();
console.log(JSON.stringify({
  start, patient, read, style, user, refused,
  context: { patient: said.patient, need_patient_banner: said.need_patient_banner },
}));
