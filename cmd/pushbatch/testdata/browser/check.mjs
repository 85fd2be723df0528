// Opens pages in Chromium and tells, as JSON, what a reader would see there:
//
//   node check.mjs CHROMIUM PAGE…
//
// Each page is opened at the width of a phone and of a desktop; axe looks at
// both colour schemes.
import axe from 'axe-core';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { pathToFileURL } from 'node:url';

const [executablePath, ...pages] = process.argv.slice(2);
const profile = mkdtempSync(join(tmpdir(), 'report-check-'));
const context = await chromium.launchPersistentContext(profile, {
  executablePath,
  timeout: 120_000,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
    '--disable-component-update', '--disable-sync'],
});
context.setDefaultTimeout(120_000);

// look runs in the page.
function look() {
  const area = (e) => {
    const r = e.getBoundingClientRect();
    return { x: r.x, width: r.width, height: r.height, kind: e.parentElement.classList[1] ?? '' };
  };
  const table = (id) => [...document.querySelectorAll(`#${id} tr`)].map((tr) => [...tr.cells].map((td) => td.textContent));
  return {
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    background: getComputedStyle(document.body).backgroundColor,
    foreign: document.querySelectorAll('script, img, iframe, object, embed, form, [onerror], [onload], [onclick]').length,
    charts: [...document.querySelectorAll('svg[data-chart]')].map((svg) => ({
      id: svg.dataset.chart, alternative: svg.parentElement.getAttribute('aria-label'), area: area(svg),
      bars: [...svg.querySelectorAll('.bars rect')].map(area),
      texts: [...svg.querySelectorAll('text')].map((t) => ({ text: t.textContent, ...area(t) })),
    })),
    breakdowns: [...document.querySelectorAll('table.breakdown')].map((t) => [...t.querySelectorAll('tbody tr')].map((tr) => ({
      name: tr.cells[0].textContent, count: tr.cells[1].textContent, ...area(tr.querySelector('rect')),
    }))),
    numbers: [...document.querySelectorAll('[data-key]')].map((e) => ({ key: e.dataset.key, value: e.dataset.value, text: e.textContent })),
    headings: [...document.querySelectorAll('h1, h2')].map((e) => e.textContent.trim()),
    time: table('time-table'),
    latency: table('latency-table'),
    text: document.body.innerText,
  };
}

const seen = [];
for (const path of pages) {
  const page = await context.newPage();
  const url = pathToFileURL(path).href;
  const troubles = [];
  page.on('console', (m) => troubles.push(`console: ${m.text()}`));
  page.on('pageerror', (e) => troubles.push(`error: ${e.message}`));
  page.on('dialog', (d) => { troubles.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', (r) => { if (r.url() !== url && r.url() !== 'data:,') troubles.push(`request: ${r.url()}`); });
  const cdp = await context.newCDPSession(page); // what it evaluates is not subject to the page's policy
  await page.goto(url);
  const views = {};
  for (const [name, width, height] of [['small phone', 360, 740], ['phone', 390, 844], ['desktop', 1280, 800]]) {
    await page.setViewportSize({ width, height });
    views[name] = await page.evaluate(look);
  }
  const violations = [];
  const backgrounds = {};
  await cdp.send('Runtime.evaluate', { expression: axe.source });
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
      expression: 'document.querySelectorAll("details").forEach((d) => { d.open = true; });'
        + 'axe.run().then((r) => JSON.stringify({ passes: r.passes.length, violations: r.violations, background: getComputedStyle(document.body).backgroundColor }))',
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    const found = JSON.parse(result.value);
    if (found.passes < 10) throw new Error(`axe checked only ${found.passes} rules`);
    backgrounds[colorScheme] = found.background;
    for (const v of found.violations) {
      violations.push({ scheme: colorScheme, rule: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 3).map((n) => n.html) });
    }
  }
  const pdf = (await page.pdf({ format: 'A4' })).length;
  seen.push({ path, troubles, views, violations, backgrounds, pdf });
  await page.close();
}
await context.close();
rmSync(profile, { recursive: true, force: true });
console.log(JSON.stringify(seen));
