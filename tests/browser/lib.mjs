// A browser for tests: Debian's Chromium driven by playwright-core, with axe-core.
// Used by pages.mjs on rendered samples and by flow tests on the running program.
//
//   const b = await start({ baseUrl: "https://konto.localhost:8443" });
//   const p = await page(b, { width: 320, javaScript: false });
//   await p.goto(b.url("/login"));
//   await axe(p);                    // throws with each finding
//   await b.close();
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(join(root, "web/package.json"));
const { chromium } = require("playwright-core");
const axeSource = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

// WCAG 2.2 AA is BITV 2.0 and EN 301 549; best practices on top.
const AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

// baseUrl: where the program answers.  hosts: names besides *.localhost that mean this machine.
// insecure: accept the test CA's certificates.
export async function start({ baseUrl, hosts = [], insecure = false, timeoutMs = 60000 }) {
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: [
			"--no-sandbox", // tests may run as root
			"--disable-dev-shm-usage",
			...(hosts.length ? [`--host-resolver-rules=${hosts.map((h) => `MAP ${h} 127.0.0.1`).join(",")}`] : []),
		],
	});
	return {
		browser,
		insecure,
		timeoutMs,
		url: (path) => new URL(path, baseUrl).href,
		close: () => browser.close(),
	};
}

// A page in a context of its own (own cookies).  page.traffic lists what it loaded: url, status,
// bytes on the wire, headers; page.complaints what its console said, refusals by CSP among them.
export async function page(b, { width = 1280, height = 900, javaScript = true, dark = false, lang = "de-DE" } = {}) {
	const context = await b.browser.newContext({
		viewport: { width, height },
		javaScriptEnabled: javaScript,
		colorScheme: dark ? "dark" : "light",
		reducedMotion: "reduce",
		locale: lang,
		ignoreHTTPSErrors: b.insecure,
		bypassCSP: false,
	});
	const p = await context.newPage();
	p.setDefaultTimeout(b.timeoutMs);
	p.traffic = [];
	p.complaints = [];
	p.on("console", (m) => ["error", "warning"].includes(m.type()) && p.complaints.push(`${m.location().url}: ${m.text()}`));
	p.on("pageerror", (e) => p.complaints.push(String(e)));
	p.on("requestfailed", (r) => p.complaints.push(`${r.url()}: ${r.failure()?.errorText}`));
	p.on("requestfinished", async (r) => {
		const entry = { url: r.url(), status: 0, bytes: 0, headers: {} };
		p.traffic.push(entry);
		try {
			const response = await r.response();
			const sizes = await r.sizes();
			entry.status = response.status();
			entry.headers = response.headers();
			entry.bytes = sizes.responseHeadersSize + sizes.responseBodySize;
		} catch {
			// the page went away before it could be asked
		}
	});
	return p;
}

// Throws with each finding of axe-core on the page as it is.  Needs a page with JavaScript.
export async function axe(p, { except = [] } = {}) {
	await p.evaluate(axeSource);
	const { violations } = await p.evaluate(
		(options) => globalThis.axe.run(document, options),
		{
			runOnly: { type: "tag", values: AXE_TAGS },
			rules: Object.fromEntries(except.map((id) => [id, { enabled: false }])),
		},
	);
	if (violations.length)
		throw new Error(
			violations
				.map((v) => `axe ${v.id} (${v.impact}): ${v.help}\n` + v.nodes.map((n) => `  ${n.html}\n  ${n.failureSummary}`).join("\n"))
				.join("\n"),
		);
}

// What the Tab key reaches from the page's first control on, each once and in order.
export async function tabOrder(p, most = 200) {
	const stops = [];
	await p.locator(CONTROLS).first().focus();
	for (let i = 0; i < most; i++) {
		const stop = await p.evaluate(() => {
			const e = document.activeElement;
			const seen = (globalThis.seenByTab ??= new WeakSet());
			if (e === document.body || seen.has(e)) return null;
			seen.add(e);
			const box = e.getBoundingClientRect();
			const style = getComputedStyle(e);
			return {
				html: e.outerHTML.slice(0, 120),
				inView: box.width > 0 && box.height > 0 && box.top >= 0 && box.left >= 0 && box.bottom <= innerHeight && box.right <= innerWidth,
				focusShown: (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2) || style.boxShadow !== "none",
			};
		});
		if (!stop) break;
		stops.push(stop);
		await p.keyboard.press("Tab");
	}
	return stops;
}

// What a person can operate, in the order of the page.
export const CONTROLS = "a[href],button,summary,input:not([type=hidden]),select,textarea";
// Of radio buttons that belong together the Tab key reaches the chosen one; the arrow keys, the others.
export const controls = (p) =>
	p.evaluate((all) => {
		const passed = (e) => e.type === "radio" && !e.checked && document.querySelector(`input[name="${e.name}"]:checked`);
		return [...document.querySelectorAll(all)].filter((e) => !passed(e)).map((e) => e.outerHTML.slice(0, 120));
	}, CONTROLS);

// Pixels by which the page is wider than its window.
export const overflow = (p) => p.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
