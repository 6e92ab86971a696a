// A resident without a mouse lets an app in and stops it: node keyboard.mjs, with one JSON object on standard input:
// { packages, chromium, asks, redirect, apps, stop, username, password, colours }. Prints where the focus went, as JSON.
import { browser, phone, told } from './browsing.mjs';

const { context } = await phone();
const opened = async () => {
  const one = await context.newPage();
  await one.emulateMedia({ forcedColors: told.colours, reducedMotion: 'reduce' });
  return one;
};
let page = await opened();

// What has the focus, and whether somebody sees that: it is outlined, on the screen, and under nothing else.
const focus = () => page.evaluate(async () => {
  // What gets the focus is scrolled to in the next frame.
  for (let frames = 0; frames < 2; frames++) await new Promise(requestAnimationFrame);
  const one = document.activeElement;
  if (one === document.body) return null;
  const { left, right, top, bottom } = one.getBoundingClientRect();
  const style = getComputedStyle(one);
  const there = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  return {
    name: one.getAttribute('aria-label') ?? (one.labels?.length ? one.labels[0].textContent : one.textContent).replace(/\s+/g, ' ').trim(),
    field: one.getAttribute('name') ?? '', value: one.getAttribute('value') ?? '', role: one.getAttribute('role') ?? '',
    described: one.getAttribute('aria-describedby') ?? '', id: one.id, main: Boolean(one.closest('main')),
    outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
    shown: top > -1 && bottom < innerHeight + 1 && left > -1 && right < innerWidth + 1 && (there === one || one.contains(there) || Boolean(there?.contains(one))),
    y: Math.round(top + scrollY),
  };
});
async function tab() {
  await page.keyboard.press('Tab');
  return focus();
}
// Tab on until there is what is looked for; every stop on the way.
async function walk(to) {
  const stops = [];
  for (let count = 0; count < 100; count++) {
    const stop = await tab();
    if (stop === null) throw new Error('the focus left the page');
    stops.push(stop);
    if (to(stop)) return stops;
  }
  throw new Error('not found with a hundred times Tab');
}
const enter = () => Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
const found = { titles: [] };
const titled = async () => found.titles.push(await page.title());

await page.goto(told.asks);
await titled();
found.skip = await tab();
await page.keyboard.press('Enter');
found.skipped = await page.evaluate(() => document.activeElement.id);
found.login = await walk(({ field }) => field === 'username');
await page.keyboard.type(told.username);
await walk(({ field }) => field === 'password');
await page.keyboard.type('not the password');
await enter();
await titled();
found.wrong = await focus();
found.again = await walk(({ field }) => field === 'password');
await page.keyboard.type(told.password);
await enter();
await titled();

found.screen = await walk(({ field, value }) => field === 'reading' && value === 'allergies');
await page.keyboard.press('Space');
found.screen.push(...await walk(({ field }) => field === 'duration'));
await page.keyboard.press('ArrowDown');
found.duration = await page.locator('input[name=duration]:checked').getAttribute('value');
found.unticked = await page.locator('input[name=reading]:not(:checked)').evaluateAll((boxes) => boxes.map((box) => box.value));
found.screen.push(...await walk(({ value }) => value === 'allow'));
// Nobody answers there.
const [left] = await Promise.all([page.waitForRequest((one) => one.url().startsWith(told.redirect)), page.keyboard.press('Enter')]);
found.left = left.url();

page = await opened();
await page.goto(told.apps);
await titled();
found.apps = await walk(({ name }) => name === told.stop);
await enter();
await titled();
found.stop = await walk(({ name }) => name === 'Nu stoppen');
await enter();
await titled();
found.stopped = await page.locator('h1').textContent();

await browser.close();
console.log(JSON.stringify(found));
