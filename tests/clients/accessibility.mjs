// Pages as WCAG wants them: node accessibility.mjs, with one JSON object on standard input:
// { packages, chromium, site, languages, widths, tags, shots: [{ name, path, cookies, fill, click }] }.
// Prints for each page and language what axe-core finds, its language, title, headings, words, and what is wider than the screen.
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { browser, told } from './browsing.mjs';

const axe = await readFile(join(resolve(told.packages), 'node_modules', 'axe-core', 'axe.min.js'), 'utf8');
const widest = (page) => page.evaluate(() => document.documentElement.scrollWidth);
const found = [];

for (const { name, path, cookies, fill, click } of told.shots) {
  for (const language of told.languages) {
    const context = await browser.newContext({ locale: language, viewport: { width: 360, height: 740 } });
    const all = { ...cookies, 'wijkdossier-language': language };
    await context.addCookies(Object.entries(all).map(([key, value]) => ({ name: key, value, url: told.site })));
    const page = await context.newPage();
    await page.goto(told.site + path);
    for (const [selector, value] of Object.entries(fill)) await page.fill(selector, value);
    if (click) await Promise.all([page.waitForNavigation(), page.click(click)]);
    // By the debugger: the Content-Security-Policy of the page stays as it is.
    await page.evaluate(axe);
    const { violations } = await page.evaluate((tags) => window.axe.run({ runOnly: { type: 'tag', values: tags } }), told.tags);
    const wide = [];
    for (const media of [{ forcedColors: 'none' }, { forcedColors: 'active', reducedMotion: 'reduce' }]) {
      await page.emulateMedia(media);
      for (const width of told.widths) {
        await page.setViewportSize({ width, height: 740 });
        const pixels = await widest(page);
        if (pixels > width) wide.push(`${pixels} pixels on ${width}, forced colours ${media.forcedColors}`);
      }
    }
    found.push({
      name, language, wide,
      lang: await page.evaluate(() => document.documentElement.lang),
      title: await page.title(),
      headings: await page.locator('h1').allTextContents(),
      alerts: await page.locator('[role=alert]').count(),
      focused: await page.evaluate(() => document.activeElement.getAttribute('role') ?? ''),
      // An app says what it wants in one language.
      text: await page.evaluate(() => { document.querySelectorAll('q').forEach((q) => q.remove()); return document.body.innerText; }),
      violations: violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`)),
    });
    await context.close();
  }
}
await browser.close();
console.log(JSON.stringify(found));
