// What the cases need: the library, a way to the node, and the hands of operator and person.
import { createRequire } from "node:module";
import { request } from "node:https";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(join(root, "web/package.json"));
export const oidc = await import(pathToFileURL(require.resolve("openid-client")));
export const jose = await import(pathToFileURL(require.resolve("jose")));
export const told = JSON.parse(process.env.KONTOR_TOLD);

// fetch by name below .localhost, which is this machine, trusting the test's certificate alone.
export function reach(url, { method = "GET", headers = {}, body, tls = {} } = {}) {
	return new Promise((resolve, reject) => {
		const text = body === undefined || body === null ? undefined : String(body);
		const to = request(url, {
			method,
			headers: { ...headers, ...(text === undefined ? {} : { "content-length": Buffer.byteLength(text) }) },
			ca: told.ca,
			lookup: (_name, options, done) =>
				options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4),
			...tls,
		});
		to.on("error", reject);
		to.on("response", async (from) => {
			const parts = [];
			for await (const part of from) parts.push(part);
			const empty = [204, 304].includes(from.statusCode);
			resolve(new Response(empty ? null : Buffer.concat(parts), { status: from.statusCode, headers: from.headers }));
		});
		to.end(text);
	});
}

async function hand(what, asked) {
	const said = await fetch(`${told.hand}/${what}`, { method: "POST", body: JSON.stringify(asked) });
	const result = await said.json();
	if (said.status !== 200) throw new Error(`${what}: ${result}`);
	return result;
}

// The operator's part: a client of these metadata; what the command says.
export const register = (metadata, attributes = ["given_names", "family_name"]) =>
	hand("register", { metadata: { redirect_uris: [told.callback], ...metadata }, attributes });

export const detailsType = (document) => hand("details_type", { document });

// The person's part: where the browser ends, and what it shows.
export const visit = (url, more = {}) => hand("visit", { url: String(url), ...more });

export const pings = () => hand("pings", {});

let number = 0;
export const newId = (what) => `${what}-${++number}`;

export async function keyPair(alg) {
	const names = {
		ES256: { name: "ECDSA", namedCurve: "P-256" },
		ES384: { name: "ECDSA", namedCurve: "P-384" },
		EdDSA: { name: "Ed25519" },
		PS256: { name: "RSA-PSS", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
		RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
	};
	const pair = await crypto.subtle.generateKey(names[alg], true, ["sign", "verify"]);
	const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
	for (const member of ["key_ops", "ext"]) delete jwk[member];
	const kid = newId(alg.toLowerCase());
	return { pair, kid, jwks: { keys: [{ ...jwk, kid, alg, use: "sig" }] }, key: { key: pair.privateKey, kid } };
}

export async function encryptionPair(alg) {
	const rsa = alg.startsWith("RSA");
	const name = rsa
		? { name: "RSA-OAEP", hash: "SHA-256", modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) }
		: { name: "ECDH", namedCurve: "P-256" };
	const pair = await crypto.subtle.generateKey(name, true, rsa ? ["encrypt", "decrypt"] : ["deriveBits"]);
	const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
	for (const member of ["key_ops", "ext"]) delete jwk[member];
	const kid = newId("enc");
	return { pair, kid, jwks: { keys: [{ ...jwk, kid, alg, use: "enc" }] } };
}

// A configuration of the library, as discovery makes it.
export function configure(clientId, metadata, authentication) {
	return oidc.discovery(new URL(told.base), clientId, metadata, authentication, {
		[oidc.customFetch]: reach,
		execute: [oidc.enableNonRepudiationChecks],
	});
}

// A login from the request to the tokens.  more: parameters of the request; build: how the library
// makes its URL; options: visit's.
export async function login(config, more = {}, { build = oidc.buildAuthorizationUrl, ...options } = {}) {
	const verifier = oidc.randomPKCECodeVerifier();
	const [state, nonce] = [oidc.randomState(), oidc.randomNonce()];
	const url = await build(config, {
		redirect_uri: told.callback,
		scope: "openid profile",
		code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
		code_challenge_method: "S256",
		state,
		nonce,
		...more,
	});
	const shown = await visit(url, options);
	const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
	return { shown, checks, redeem: () => oidc.authorizationCodeGrant(config, new URL(shown.url), checks) };
}
