// Opens the pages of the built site from its folder in headless Chromium and prints, as JSON, what a reader
// would notice: errors in the console, requests to elsewhere, broken pictures, pages that scroll sideways on
// a phone, violations of accessibility rules, whether the search finds something and formulas are drawn.
//
//     node check.mjs SITE [SCREENSHOTS]

import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [site, screenshots] = process.argv.slice(2).map((folder) => path.resolve(folder));
const address = (page) => pathToFileURL(path.join(site, page)).href;
const axe = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PHONE = { width: 390, height: 844 };
const DESKTOP = { width: 1280, height: 900 };
const WITH_AXE = [
  "index.html",
  "getting-started.html",
  "guide/distillation.html",
  "examples/index.html",
  "reference/generated/sklearn_heartkd.DistilledClassifier.html",
  "benchmarks/devices.html",
];

const pages = fs
  .readdirSync(site, { recursive: true })
  .filter((name) => name.endsWith(".html") && !name.startsWith("_"))
  .sort();
const found = { pages: pages.length, console: [], requests: [], images: [], sideways: [], axe: [] };

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    ...(process.getuid() === 0 ? ["--no-sandbox"] : []),
  ],
});

async function open(context, name) {
  const page = await context.newPage();
  page.on("pageerror", (error) => found.console.push(`${name}: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") found.console.push(`${name}: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) found.requests.push(`${name}: ${request.url()}`);
  });
  await page.goto(address(name), { waitUntil: "load" });
  return page;
}

// every page, first on a desktop, then on a phone
const context = await browser.newContext({ viewport: DESKTOP });
for (const name of pages) {
  const page = await open(context, name);
  const broken = await page.evaluate(() =>
    [...document.images].filter((image) => image.complete && !image.naturalWidth).map((i) => i.src),
  );
  found.images.push(...broken.map((source) => `${name}: ${source}`));
  await page.setViewportSize(PHONE);
  const extra = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  if (extra > 1) found.sideways.push(`${name}: ${extra} px`);
  await page.close();
}

// some pages in each theme and size
for (const colorScheme of ["light", "dark"]) {
  for (const [kind, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    const themed = await browser.newContext({ viewport, colorScheme });
    await themed.addInitScript((mode) => {
      localStorage.setItem("mode", mode);
      localStorage.setItem("theme", mode);
    }, colorScheme);
    for (const name of WITH_AXE) {
      const page = await open(themed, name);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() =>
        window.axe.run({ preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] }),
      );
      for (const { id, nodes } of violations) {
        const where = nodes.slice(0, 3).map((node) => node.target.join(" "));
        found.axe.push(`${name} (${colorScheme}, ${kind}): ${id}, ${nodes.length} times: ${where}`);
      }
      if (screenshots) {
        const file = `${name.replaceAll("/", "_").replace(".html", "")}-${colorScheme}-${kind}.png`;
        await page.screenshot({ path: path.join(screenshots, file) });
      }
      await page.close();
    }
    await themed.close();
  }
}

const search = await open(context, "search.html");
await search.goto(`${address("search.html")}?q=murmur`);
// results appear one after another
await search.waitForFunction(() => document.querySelectorAll("#search-results li").length > 9);
found.hits = await search.locator("#search-results li").count();
const formulas = await open(
  context,
  "reference/generated/sklearn_heartkd.distillation.SoftTargets.html",
);
await formulas.waitForSelector("mjx-container svg");
found.formulas = await formulas.locator("mjx-container svg").count();
await browser.close();
console.log(JSON.stringify(found, null, 1));
