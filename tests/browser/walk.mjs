// A citizen's day in Debian's Chromium: real program, real portals, as ./dev demo starts them.
// With JavaScript each page of the program is looked at (accessible, small, narrow, usable by
// keyboard, no complaint of its CSP); without it the same way leads to the same place.
//   WALK=WORLD walk.mjs [--shots FOLDER]
// WORLD is JSON: {kontor, amt24, gewerbeportal} base URLs; {plain, scripted} persons with
// login_name, password, totp (secret in base32) and attributes.  --shots writes the README's
// pictures.  test_demo.py in tests/portals/ starts all of it.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";

import { axe, controls, overflow, page, start, tabOrder } from "./lib.mjs";

const HTML_BYTES_MAX = 20_000;
const FIRST_VISIT_BYTES_MAX = 150_000;
const STEP_MS = 30_000;
const PICTURE = { width: 900, height: 660 };
const PICTURE_ZOOM = 0.85;

const { shots } = parseArgs({ options: { shots: { type: "string" } } }).values;
const world = JSON.parse(process.env.WALK);
const kontor = (path) => new URL(path, world.kontor).href;
let b;

before(async () => {
	b = await start({ baseUrl: world.kontor, insecure: true, timeoutMs: 30_000 });
	if (shots) mkdirSync(shots, { recursive: true });
});
after(() => b?.close());

// The code of a time step (RFC 6238).
function codeOf(secret, step) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	const bits = [...secret].map((c) => alphabet.indexOf(c).toString(2).padStart(5, "0")).join("");
	const key = Buffer.from(bits.match(/.{8}/g).map((octet) => parseInt(octet, 2)));
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(step));
	const digest = createHmac("sha1", key).update(counter).digest();
	return String((digest.readUInt32BE(digest.at(-1) & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

// A code counts once, and the server takes those of a clock up to one step ahead.
const lastStep = new Map();
async function nextCode(secret) {
	const last = lastStep.get(secret) ?? 0;
	while (last > Date.now() / STEP_MS) await wait(STEP_MS - (Date.now() % STEP_MS));
	const step = Math.max(last + 1, Math.floor(Date.now() / STEP_MS));
	lastStep.set(secret, step);
	return codeOf(secret, step);
}

const NEWCOMER = {
	given_names: "Nele",
	family_name: "Neumann",
	birth_date_day: "1",
	birth_date_month: "2",
	birth_date_year: "1990",
	birth_place: "Dresden",
	street_address: "Weg 1",
	postal_code: "01067",
	locality: "Dresden",
};

// A person's browser, which remembers the answer that became the page it shows.
async function browser(options) {
	const p = await page(b, options);
	p.scripted = options.javaScript;
	p.on("response", (r) => {
		if (r.request().isNavigationRequest() && (r.status() < 300 || r.status() >= 400)) p.answer = r;
	});
	return p;
}

async function press(p, button) {
	await p.click(button);
	await p.waitForLoadState();
}

// From a portal's front page to the program; a portal's own POST may need its button.
async function enter(p, portal) {
	await p.goto(`${portal}/`);
	await press(p, "a.button");
	if (!p.scripted && p.url().startsWith(portal)) await press(p, "form [type=submit]");
	await p.waitForURL(kontor("/**"));
	await p.waitForLoadState();
}

const heading = (p) => p.locator("h1").innerText();

async function send(p, fields, button) {
	for (const [name, value] of Object.entries(fields)) await p.fill(`[name="${name}"]`, value);
	await press(p, `[name=do][value=${button}]`);
}

async function checkSize(p) {
	const html = (await p.answer.body()).length;
	assert.ok(html < HTML_BYTES_MAX, `${html} bytes of HTML`);
	// Style sheet and fonts are loaded once in a walk; whoever comes here first loads them too.
	const each = new Map();
	for (const { url, bytes } of p.traffic) if (url.startsWith(kontor("/static/"))) each.set(url, Math.max(bytes, each.get(url) ?? 0));
	const parts = [...each.values()].reduce((sum, bytes) => sum + bytes, 0);
	assert.ok(parts > 10_000, "style sheet and fonts were loaded");
	const sizes = await p.answer.request().sizes();
	const wire = parts + sizes.responseHeadersSize + sizes.responseBodySize;
	assert.ok(wire < FIRST_VISIT_BYTES_MAX, `${wire} bytes at a first visit`);
}

async function checkKeyboard(p) {
	const stops = await tabOrder(p);
	assert.deepEqual(stops.map((s) => s.html), await controls(p), "the Tab key reaches each control, in the page's order");
	for (const stop of stops) assert.ok(stop.focusShown && stop.inView, `shows its focus, in view: ${stop.html}`);
}

async function checkNarrow(p) {
	const size = p.viewportSize();
	await p.setViewportSize({ width: 320, height: 700 });
	assert.equal(await overflow(p), 0, "scrolls sideways at 320 pixels");
	await p.setViewportSize(size);
}

async function picture(p, name) {
	if (!shots) return;
	const size = p.viewportSize();
	await p.setViewportSize(PICTURE);
	await p.evaluate((zoom) => ((document.documentElement.style.zoom = zoom), document.fonts.ready), PICTURE_ZOOM);
	const height = await p.evaluate(() => Math.ceil(document.body.getBoundingClientRect().bottom));
	await p.screenshot({ path: join(shots, `${name}.png`), fullPage: true, clip: { x: 0, y: 0, width: PICTURE.width, height } });
	await p.evaluate(() => document.documentElement.style.removeProperty("zoom"));
	await p.setViewportSize(size);
}

// What the console says of the program's pages, since last asked.
const complaints = (p) => p.complaints.splice(0).filter((c) => c.includes(kontor("/")));

// The page of the program that stands there: its status, its marked language (links []: the page
// could not be had again in another one), and with
// JavaScript all that a browser can tell about it.
async function look(p, { status = 200, lang = "de", links = [lang], shot } = {}) {
	assert.equal(p.answer.status(), status, p.url());
	assert.ok(p.url().startsWith(kontor("/")), `a page of ${world.kontor}: ${p.url()}`);
	assert.equal(await p.locator("html").getAttribute("lang"), lang);
	assert.deepEqual(await p.locator(".kontor-languages [aria-current]").evaluateAll((all) => all.map((a) => a.lang)), links);
	if (p.scripted) {
		await p.waitForLoadState("networkidle");
		if (shot) await picture(p, shot);
		await axe(p);
		await checkSize(p);
		await checkNarrow(p);
		await checkKeyboard(p);
	}
	assert.deepEqual(complaints(p), []);
}

// What the portal shows as received: {label: value}.
const received = async (p) => Object.fromEntries(await p.locator("tbody tr").evaluateAll((rows) => rows.map((r) => [...r.children].slice(0, 2).map((c) => c.innerText))));
const levelAtPortal = (p) => p.locator("dl b").innerText();

async function switchLanguages(p) {
	const before = await heading(p);
	for (const lang of ["en", "de"]) {
		await press(p, `.kontor-languages a[lang=${lang}]`);
		await look(p, { lang });
		assert.equal((await heading(p)) === before, lang === "de", "the heading is translated");
	}
}

function walk(javaScript) {
	const how = javaScript ? "" : " without JavaScript";
	const person = javaScript ? world.scripted : world.plain;
	const { login_name, password, attributes } = person;
	let p;

	test(`a portal leads to the login page, which speaks two languages${how}`, async () => {
		p = await browser({ javaScript });
		await enter(p, world.amt24);
		await look(p, { shot: "login" });
		await switchLanguages(p);
	});

	test(`a wrong password gives an error summary, in the language chosen${how}`, async () => {
		await send(p, { login_name, password: "Falsch-Geraten-11" }, "login");
		const alert = p.locator("main [role=alert]");
		assert.equal(await alert.count(), 1);
		assert.ok(await alert.evaluate((e) => e === document.activeElement), "the summary has the focus");
		await look(p);
		await switchLanguages(p);
	});

	test(`the right password leads to consent, consent to the portal${how}`, async () => {
		await send(p, { login_name, password }, "login");
		await look(p, { shot: "consent" });
		await p.uncheck("#attr_email");
		await press(p, "[value=agree]");
		if (!javaScript) {
			await look(p, { links: [] });
			await press(p, "#onward button");
		}
		await p.waitForURL(`${world.amt24}/konto`);
		assert.deepEqual(await received(p), {
			Vornamen: attributes.given_names,
			Familienname: attributes.family_name,
			"Straße und Hausnummer": attributes.street_address,
			Postleitzahl: attributes.postal_code,
			Ort: attributes.locality,
		});
		assert.equal(await levelAtPortal(p), "STORK-QAA-Level-2");
		if (javaScript) await picture(p, "portal");
	});

	test(`a portal that wants more gets it by a one-time code${how}`, async () => {
		// The page that sends itself is held, to be looked at and sent by its button.
		if (javaScript) await p.route("**/submit.*.js", (r) => r.fulfill({ contentType: "text/javascript", body: "" }));
		await enter(p, world.gewerbeportal);
		await look(p, { shot: "totp" });
		await send(p, { code: await nextCode(person.totp) }, "login");
		await look(p);
		await press(p, "[value=agree]");
		await look(p, { links: [] });
		await press(p, "#onward button");
		await p.waitForURL(`${world.gewerbeportal}/konto`);
		assert.deepEqual(await received(p), { Geburtsdatum: attributes.birth_date });
		assert.equal(await levelAtPortal(p), "STORK-QAA-Level-3");
	});

	test(`the account page shows data and consents, and leads out${how}`, async () => {
		await p.goto(kontor("/"));
		await look(p);
		await p.goto(kontor("/account"));
		await look(p);
		const text = await p.locator("main").innerText();
		for (const expected of [attributes.family_name, attributes.street_address, "Amt24", "Gewerbeportal"]) assert.ok(text.includes(expected), `${expected} stands in ${text}`);
		await p.goto(kontor("/logout"));
		await look(p);
		await press(p, "[value=logout]");
		await look(p);
		await p.goto(kontor("/account"));
		assert.equal(await p.locator("[name=password]").count(), 1, "the account asks for a login again");
		await p.context().close();
	});

	test(`somebody new makes an account and sets up an app${how}`, async () => {
		p = await browser({ javaScript });
		await p.goto(kontor("/"));
		await look(p);
		await press(p, 'main a[href="/register"]');
		await look(p);
		await press(p, "[value=register]");
		assert.ok((await p.locator("main [role=alert] a").count()) > 1, "each missing field is linked");
		await look(p, { links: [] });
		const chosen = "Birnbaum-Leiter-Segel-29";
		const name = `neu-${randomBytes(4).toString("hex")}`;
		await p.check("#store_consent");
		await send(p, { ...NEWCOMER, login_name: name, new_password: chosen, password_repeat: chosen }, "register");
		assert.equal(new URL(p.url()).pathname, "/account", await p.locator("main").innerText());
		await look(p);
		await p.goto(kontor("/login?level=substantial"));
		await look(p);
		const secret = (await p.locator(".kontor-key").innerText()).replace(/\s/g, "");
		await send(p, { code: await nextCode(secret) }, "enroll");
		await look(p);
		assert.equal(new URL(p.url()).pathname, "/account");
		await p.context().close();
	});
}

walk(true);
walk(false);

test("an unknown address gives an error page", async () => {
	const p = await browser({ javaScript: true });
	await p.goto(kontor("/no-such-page"));
	// The console tells of the status.
	assert.match(complaints(p).join(), /^https:[^ ]*\/no-such-page: Failed to load resource: .*404[^,]*$/);
	await look(p, { status: 404, links: [] });
	await p.context().close();
});
