// Serves rendered samples as the program serves pages: same paths, same security headers.
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const TYPES = {
	".html": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
	".woff2": "font/woff2",
};

// DESIGN: Content-Security-Policy without unsafe-*; form-action names this flow's answer origins.
const CSP =
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; " +
	"form-action 'self' https://amt24.example; frame-ancestors 'none'; base-uri 'none'";

function answer(folder, names, request, response) {
	const { pathname } = new URL(request.url, "http://x");
	const name = pathname.startsWith("/static/") ? pathname.slice(8) : `${pathname.slice(1)}.html`;
	if (!names.has(name)) {
		response.writeHead(404, { "content-type": "text/plain" }).end("not found\n");
		return;
	}
	const headers = { "content-type": TYPES[extname(name)], "content-security-policy": CSP, "x-content-type-options": "nosniff", "referrer-policy": "same-origin" };
	const packed = names.has(`${name}.gz`) && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
	if (packed) headers["content-encoding"] = "gzip";
	response.writeHead(200, headers).end(readFileSync(join(folder, packed ? `${name}.gz` : name)));
}

export async function serve(folder) {
	const names = new Set(readdirSync(folder));
	const server = createServer((rq, rs) => answer(folder, names, rq, rs));
	await new Promise((done) => server.listen(0, "127.0.0.1", done));
	return {
		baseUrl: `http://127.0.0.1:${server.address().port}`,
		pages: [...names].filter((n) => n.endsWith(".html")).map((n) => n.slice(0, -5)).sort(),
		close: () => new Promise((done) => server.close(done)),
	};
}
