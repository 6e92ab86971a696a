// Pictures of pages: node screenshots.mjs, with one JSON object on standard input:
// { packages, chromium, site, folder, widths, languages, shots: [{ name, path, cookies: { name: value }, fill: { selector: text }, click }] }.
// Prints a JSON array with what a visitor would stumble over: what is wider than the screen, and what the browser refused.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { text } from 'node:stream/consumers';

const { packages, chromium: executablePath, site, folder, widths, languages, shots } = JSON.parse(await text(process.stdin));
const entry = join(resolve(packages), 'node_modules', 'playwright-core', 'index.mjs');
const { chromium } = await import(pathToFileURL(entry).href);
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const problems = [];

for (const { name, path, cookies, fill, click } of shots) {
  for (const language of languages) {
    const context = await browser.newContext({ locale: language });
    const all = { ...cookies, 'wijkdossier-language': language };
    await context.addCookies(Object.entries(all).map(([key, value]) => ({ name: key, value, url: site })));
    const page = await context.newPage();
    const say = (what) => problems.push(`${name} ${language}: ${what}`);
    // What can't be loaded is told below, with its address.
    page.on('console', (message) => /^Failed to load/.test(message.text()) || say(message.text()));
    page.on('response', (answer) => answer.status() < 400 || answer.request().isNavigationRequest() || say(`lacks ${answer.url()}`));
    page.on('request', (request) => request.url().startsWith(site) || say(`asks ${request.url()}`));
    for (const width of widths) {
      await page.setViewportSize({ width, height: 740 });
      await page.goto(site + path);
      for (const [selector, value] of Object.entries(fill)) await page.fill(selector, value);
      if (click) await Promise.all([page.waitForNavigation(), page.click(click)]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      if (wide > width) say(`${wide} pixels wide on a screen of ${width}`);
      await page.screenshot({ path: join(folder, `${name}-${language}-${width}.png`), fullPage: true });
    }
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(problems));
