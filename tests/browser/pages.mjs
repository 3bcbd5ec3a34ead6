// Every sample page in a real browser: accessible, usable by keyboard and without JavaScript,
// narrow enough, small enough, nothing from elsewhere.
//   pages.mjs RENDER_PAGES SAMPLES.json
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { axe, controls, overflow, page, start, tabOrder } from "./lib.mjs";
import { serve } from "./site.mjs";

const HTML_BYTES_MAX = 20_000;
const FIRST_VISIT_BYTES_MAX = 150_000;
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);

const [renderPages, samplesFile] = process.argv.slice(2);
const samples = Object.keys(JSON.parse(readFileSync(samplesFile, "utf8")).samples);
const folder = mkdtempSync(join(tmpdir(), "kontor-pages-"));
execFileSync(renderPages, [samplesFile, folder]);
// Not among the pages that load nothing from elsewhere.
const CLIENT = "https://stadtportal.example";
const framed = join(folder, "framed.json");
writeFileSync(framed, JSON.stringify({
	...JSON.parse(readFileSync(samplesFile, "utf8")),
	samples: { "logout-framed": { page: "logout_portals", vars: {
		back_url: "/logout/back", results: { portals: [{ name: "Stadtportal", state: "framed" }] },
		frames: [{ name: "Stadtportal", src: `${CLIENT}/out?iss=https%3A%2F%2Fkonto.example&sid=s1` }],
	} } },
}));
execFileSync(renderPages, [framed, folder]);

let site, b, light, dark, narrow, plain;

before(async () => {
	site = await serve(folder);
	b = await start({ baseUrl: site.baseUrl });
	light = await page(b);
	dark = await page(b, { dark: true });
	narrow = await page(b, { width: 320, height: 700 });
	plain = await page(b, { javaScript: false });
	// The page that sends itself is looked at without being sent; see the test of its own.
	for (const p of [light, dark, narrow]) await p.route("**/submit.*.js", (r) => r.fulfill({ contentType: "text/javascript", body: "" }));
});

after(async () => {
	await b?.close();
	await site?.close();
	rmSync(folder, { recursive: true });
});

// The tree that the tags of the source describe, as one line per element.
function treeOfSource(html) {
	const lines = [];
	let depth = 0;
	for (const [, slash, name, , selfClosing] of html.matchAll(/<(\/?)([a-z][a-z0-9]*)((?:"[^"]*"|[^">])*?)(\/?)>/gi)) {
		if (slash) depth--;
		else {
			lines.push(`${depth} ${name}`);
			if (!VOID.has(name) && !selfClosing) depth++;
		}
	}
	assert.equal(depth, 0, "every element is closed");
	return lines;
}

// The tree that the browser made of it.
const treeOfPage = (p) =>
	p.evaluate(() => {
		const lines = [];
		const walk = (e, depth) => {
			lines.push(`${depth} ${e.localName}`);
			for (const c of e.children) walk(c, depth + 1);
		};
		walk(document.documentElement, 0);
		return lines;
	});

async function checkMarkup(name) {
	const html = readFileSync(join(folder, `${name}.html`), "utf8");
	assert.ok(Buffer.byteLength(html) < HTML_BYTES_MAX, `${Buffer.byteLength(html)} bytes`);
	assert.deepEqual(await treeOfPage(light), treeOfSource(html), "the browser had nothing to mend");
	const facts = await light.evaluate(() => ({
		headings: document.querySelectorAll("h1").length,
		ids: [...document.querySelectorAll("[id]")].map((e) => e.id),
		pointers: [...document.querySelectorAll("[aria-describedby],[aria-labelledby],label[for]")].flatMap((e) =>
			`${e.getAttribute("aria-describedby") ?? ""} ${e.getAttribute("aria-labelledby") ?? ""} ${e.getAttribute("for") ?? ""}`.trim().split(/\s+/),
		),
		anchors: [...document.querySelectorAll('a[href^="#"]')].map((e) => e.getAttribute("href").slice(1)),
	}));
	assert.equal(facts.headings, 1, "one h1");
	assert.equal(new Set(facts.ids).size, facts.ids.length, "ids are unique");
	for (const id of [...facts.pointers, ...facts.anchors]) assert.ok(facts.ids.includes(id), `#${id} exists`);
}

async function checkKeyboard() {
	const stops = await tabOrder(light);
	assert.deepEqual(stops.map((s) => s.html), await controls(light), "the Tab key reaches each control, in the page's order");
	for (const stop of stops) {
		assert.ok(stop.focusShown, `shows its focus: ${stop.html}`);
		assert.ok(stop.inView, `is in view when it has the focus: ${stop.html}`);
	}
}

for (const sample of samples)
	test(`${sample} is accessible, valid, narrow and small in both languages`, async () => {
		for (const lang of ["de", "en"]) {
			const name = `${sample}.${lang}`;
			await light.goto(b.url(`/${name}`));
			await axe(light);
			await checkMarkup(name);
			await checkKeyboard();
			await narrow.goto(b.url(`/${name}`));
			assert.equal(await overflow(narrow), 0, `${name} scrolls sideways at 320 pixels`);
		}
		await dark.goto(b.url(`/${sample}.de`));
		await axe(dark);
	});

test("pages load nothing from elsewhere and break no rule of their CSP", () => {
	for (const p of [light, dark, narrow]) {
		assert.deepEqual(p.complaints, []);
		assert.deepEqual(p.traffic.filter((t) => !t.url.startsWith(site.baseUrl)), []);
		assert.deepEqual(p.traffic.filter((t) => t.status !== 200 && t.status !== 304), []);
	}
});

test("a first visit stays below 150 kB on the wire", async () => {
	for (const name of ["login.de", "register-problems.de", "consent.de", "account.de"]) {
		const p = await page(b);
		await p.goto(b.url(`/${name}`), { waitUntil: "networkidle" });
		const bytes = p.traffic.reduce((sum, t) => sum + t.bytes, 0);
		assert.ok(p.traffic.length >= 4, "style sheet and fonts were loaded");
		assert.ok(bytes < FIRST_VISIT_BYTES_MAX, `${name}: ${bytes} bytes`);
		console.log(`# ${name}: ${bytes} bytes in ${p.traffic.length} requests`);
		await p.context().close();
	}
});

test("rare letters of names bring their own part of the font", async () => {
	const p = await page(b);
	await p.goto(b.url("/consent.de"), { waitUntil: "networkidle" });
	assert.equal(p.traffic.filter((t) => t.url.includes("-more.")).length, 0);
	const more = p.waitForResponse(/fira-sans-400-more\./);
	await p.evaluate(() => (document.querySelector("dd").textContent = "Łucja Ěmşőğ-Ņikā"));
	await more;
	await p.context().close();
});

test("the skip link leads past the header", async () => {
	await light.goto(b.url("/login.de"));
	await light.keyboard.press("Tab");
	await light.keyboard.press("Enter");
	await light.keyboard.press("Tab");
	assert.equal(await light.evaluate(() => document.activeElement.name), "login_name");
});

test("a page with problems begins at their list, which leads to the fields", async () => {
	await light.goto(b.url("/register-problems.de"));
	// The browser gives autofocus its due with the next frame, which may come after the load.
	await light.waitForFunction(() => document.activeElement.getAttribute("role") === "alert");
	await light.keyboard.press("Tab");
	await light.keyboard.press("Enter");
	await light.waitForFunction(() => location.hash === "#family_name");
});

// What the form of a page sends when a button is chosen.
async function sent(p, name, button, fill = {}) {
	await p.goto(b.url(`/${name}`));
	for (const [field, value] of Object.entries(fill)) await p.fill(`[name="${field}"]`, value);
	await p.route("**/flow/**", (r) => r.fulfill({ status: 204 }));
	const request = p.waitForRequest((r) => r.method() === "POST");
	await p.click(button, { noWaitAfter: true });
	// The program takes forms of its own origin only; a page must not make the browser hide it.
	assert.equal((await (await request).allHeaders()).origin, site.baseUrl);
	return Object.fromEntries(new URLSearchParams((await request).postData()));
}

test("forms work without JavaScript", async () => {
	assert.deepEqual(await sent(plain, "login.de", "[value=login]", { login_name: "erika", password: "a b" }), {
		csrf: "q1w2e3r4t5z6u7i8o9p0aSdFgHjKlYxCvBnM12345678",
		login_name: "erika",
		password: "a b",
		do: "login",
	});
	const { csrf, offer, ...consent } = await sent(plain, "consent.de", "[value=agree]");
	assert.deepEqual(consent, { attr_birth_name: "1", attr_street_address: "1", do: "agree" });
	assert.equal((await sent(plain, "login.de", "[value=cancel]")).do, "cancel");
});

test("a message for a portal is sent by itself, and by its button without JavaScript", async () => {
	const wanted = { SAMLResponse: "PHNhbWxwOlJlc3BvbnNlLz4=", RelayState: 'ss:mem:"<1>"' };
	for (const javaScript of [true, false]) {
		const p = await page(b, { javaScript });
		await p.route("https://amt24.example/acs", (r) => r.fulfill({ status: 200, body: "arrived" }));
		const request = p.waitForRequest("https://amt24.example/acs");
		await p.goto(b.url("/post-binding.de"), { waitUntil: "commit" });
		if (!javaScript) await p.click("button", { noWaitAfter: true });
		assert.deepEqual(Object.fromEntries(new URLSearchParams((await request).postData())), wanted);
		await p.context().close();
	}
});

// The page about a logout with one client in a frame, as the program sends it when `allowed`.
async function logoutFramed(allowed) {
	const p = await page(b);
	const loaded = [];
	let told;
	p.said = new Promise((done) => (told = done));
	await p.context().addCookies([
		{ name: "none", value: "1", url: CLIENT, secure: true, sameSite: "None" },
		{ name: "lax", value: "1", url: CLIENT, secure: true, sameSite: "Lax" },
	]);
	await p.route(b.url("/logout-framed.de"), async (r) => {
		const given = await r.fetch();
		const csp = given.headers()["content-security-policy"];
		await r.fulfill({ response: given, headers: { ...given.headers(), "content-security-policy": allowed ? `${csp}; frame-src ${CLIENT}` : csp } });
	});
	await p.route(`${CLIENT}/**`, async (r) => {
		loaded.push(r.request());
		const url = new URL(r.request().url());
		if (url.pathname === "/said") told(url.searchParams);
		await r.fulfill({ contentType: "text/html", body: url.pathname !== "/out" ? "" : `<script>
			let led = true;
			try { top.location = "${CLIENT}/taken"; } catch { led = false; }
			fetch("/said?" + new URLSearchParams({ led, cookie: document.cookie, from: document.referrer }));
		</script>` });
	});
	await p.goto(b.url("/logout-framed.de"));
	return { p, loaded };
}

test("a client that a logout's page frames runs there, hidden, and leads nobody away", async () => {
	const { p, loaded } = await logoutFramed(true);
	const said = await p.said;
	assert.equal(loaded[0].url(), `${CLIENT}/out?iss=https%3A%2F%2Fkonto.example&sid=s1`);
	assert.equal(said.get("led"), "false");
	assert.equal(said.get("from"), "", "it does not learn the page's address");
	assert.ok(!said.get("cookie").includes("lax"), "cookies that are not SameSite=None stay away");
	assert.equal(p.url(), b.url("/logout-framed.de"));
	assert.equal(await p.locator("iframe").isVisible(), false);
	assert.equal((await tabOrder(p)).filter((s) => s.html.includes("iframe")).length, 0);
	await axe(p);
	await p.context().close();
});

test("a frame that the page's policy does not name is not loaded", async () => {
	const { p, loaded } = await logoutFramed(false);
	assert.deepEqual(loaded, []);
	assert.ok(p.complaints.some((c) => c.includes("Content Security Policy")));
	await p.context().close();
});
