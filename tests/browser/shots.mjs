// Pictures of every sample page: shots.mjs RENDERED_FOLDER OUT_FOLDER [NAME_PART]
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { page, start } from "./lib.mjs";
import { serve } from "./site.mjs";

const [rendered, out, part = ""] = process.argv.slice(2);
const looks = {
	desktop: { width: 1280, height: 800 },
	mobile: { width: 360, height: 740 },
	dark: { width: 1280, height: 800, dark: true },
};

mkdirSync(out, { recursive: true });
const site = await serve(rendered);
const b = await start({ baseUrl: site.baseUrl });
for (const [look, options] of Object.entries(looks)) {
	const p = await page(b, options);
	for (const name of site.pages.filter((n) => n.includes(part) && (look !== "dark" || n.endsWith(".de")))) {
		// The page that sends itself is pictured without sending.
		await p.route("**/submit.*.js", (r) => r.abort());
		await p.goto(b.url(`/${name}`));
		await p.evaluate(() => document.fonts.ready);
		await p.screenshot({ path: join(out, `${name}.${look}.png`), fullPage: true });
	}
	await p.context().close();
}
await b.close();
await site.close();
