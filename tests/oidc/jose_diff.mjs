/*
 * JWS, JWE and JWK of oidc/ against npm's jose, over generated inputs: valid ones, some with odd
 * headers under a right signature, and mutated ones.  Both say yes or no to each; where both say
 * yes they must have read the same.  What we alone take must have a reason in OURS; what they
 * alone take is counted by the rule (THEIRS) that our refusal names.
 *
 *	node jose_diff.mjs DRIVER [SEED [CASES]]
 */
import { spawn } from "node:child_process";
import * as crypto from "node:crypto";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(join(root, "web/package.json"));
const jose = await import(pathToFileURL(require.resolve("jose")));
const driver = process.argv[2];
const seed = Number(process.argv[3] ?? Date.now() % 1e9);
const cases = Number(process.argv[4] ?? (process.env.KONTOR_TEST_FULL ? 100000 : 3000));

/* ---- chance: the same inputs for the same seed, but for keys and signatures ---- */

let chance = seed >>> 0;
const random = () => {
	chance = (Math.imul(chance, 1664525) + 1013904223) >>> 0;
	return chance / 2 ** 32;
};
const below = (n) => Math.floor(random() * n);
const pick = (list) => list[below(list.length)];

/* ---- the two libraries ---- */

const child = spawn(driver, { stdio: ["pipe", "pipe", "inherit"] });
const waiting = [];
child.on("exit", (code, signal) => {
	if (waiting.length > 0) {
		console.log(`not ok 1 - the driver ended with ${code ?? signal}`);
		process.exit(1);
	}
});
createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()(line));

const b64u = (b) => Buffer.from(b).toString("base64url");

/* { ok: octets } or { no: reason } */
const ask = (verb, ...args) =>
	new Promise((resolve) => {
		waiting.push((line) =>
			resolve(line.startsWith("ok ") ? { ok: Buffer.from(line.slice(3), "base64url") } : { no: line.slice(3) }),
		);
		child.stdin.write([verb, ...args.map((a) => b64u(a) || "-")].join(" ") + "\n");
	});

const theirs = async (promise) => {
	try {
		return { ok: Buffer.from(await promise()) };
	} catch (e) {
		return { no: `${e.name}: ${e.message}` };
	}
};

/* ---- keys ---- */

const SIGN = {
	ES256: ["ec", { namedCurve: "P-256" }],
	ES384: ["ec", { namedCurve: "P-384" }],
	ES512: ["ec", { namedCurve: "P-521" }],
	EdDSA: ["ed25519", {}],
	PS256: ["rsa", { modulusLength: 2048 }],
	PS384: ["rsa", { modulusLength: 2048 }],
	PS512: ["rsa", { modulusLength: 2048 }],
	RS256: ["rsa", { modulusLength: 2048 }],
	RS384: ["rsa", { modulusLength: 2048 }],
	RS512: ["rsa", { modulusLength: 2048 }],
};
const pairs = {};
for (const [alg, [type, options]] of Object.entries(SIGN)) pairs[alg] = crypto.generateKeyPairSync(type, options);
const jwkOf = (alg, more = {}) => ({ ...pairs[alg].publicKey.export({ format: "jwk" }), kid: alg, alg, ...more });
const signers = Object.keys(SIGN);
const theirSet = { keys: signers.map((alg) => jwkOf(alg)) };

function rawSign(alg, text) {
	const key = pairs[alg].privateKey;
	if (alg === "EdDSA") return crypto.sign(null, text, key);
	const digest = `sha${alg.slice(2)}`;
	if (alg.startsWith("ES")) return crypto.sign(digest, text, { key, dsaEncoding: "ieee-p1363" });
	if (alg.startsWith("RS")) return crypto.sign(digest, text, key);
	return crypto.sign(digest, text, {
		key,
		padding: crypto.constants.RSA_PKCS1_PSS_PADDING,
		saltLength: crypto.constants.RSA_PSS_SALTLEN_DIGEST,
	});
}

/* Our keys to decrypt with, whose private halves both sides have. */
const opens = {};
for (const curve of ["P-256", "P-384"]) {
	const { privateKey } = crypto.generateKeyPairSync("ec", { namedCurve: curve });
	const jwk = privateKey.export({ format: "jwk" });
	const octets = (name) => Buffer.from(jwk[name], "base64url");
	await ask("import", curve, curve, octets("d"), Buffer.concat([Buffer.from([4]), octets("x"), octets("y")]));
	opens[curve] = privateKey;
}
opens["test-dec-rsa"] = crypto.createPrivateKey({
	key: Buffer.from((await ask("rsa")).ok.toString(), "base64"),
	format: "der",
	type: "pkcs8",
});
const encJwk = (kid) => ({ ...crypto.createPublicKey(opens[kid]).export({ format: "jwk" }), kid, use: "enc" });

const ourSet = JSON.parse((await ask("ours")).ok);

/* ---- how they judge ---- */

const verifyTheirs = (set, token) =>
	theirs(async () => (await jose.compactVerify(token, jose.createLocalJWKSet(set))).payload);

const keyToOpen = (header) => {
	if (opens[header.kid]) return opens[header.kid];
	if (String(header.alg).startsWith("RSA")) return opens["test-dec-rsa"];
	return opens[header.epk?.crv] ?? opens["P-256"];
};
const openTheirs = (token) => theirs(async () => (await jose.compactDecrypt(token, keyToOpen)).plaintext);

/* ---- the written lists ---- */

/* Why we may take what they do not: [their refusal, our reason]. */
const OURS = [
	[/"ext" \(Extractable\)/, "ext says how a private key may be kept; we read public ones"],
	[/Unsupported key usage/, "key_ops may name more than verify (RFC 7517 4.3)"],
];

/* Which of our rules refuses what they take. */
const THEIRS = [
	[/header (crit|b64|zip|jku|jwk|x5u|x5c|enc) is refused/, "members that change reading or bring a key"],
	[/base64/, "base64url in its one spelling"],
	[/JSON: not well-formed|not well-formed/, "JSON without duplicates, lone surrogates, U+0000"],
	[/bytes, at most 4096|octets$/, "sizes have an end"],
	[/not an object/, "a token's payload is an object"],
	[/alg is not one we verify|alg or enc is not one we open/, "the closed lists of algorithms"],
	[/a header member is null/, "a header member is not null"],
	[/JSON: (alg|kid|typ|enc|apu|apv|epk) is not/, "header members are of their type"],
	[/no key, or more than one, fits/, "the kid names a key of our list"],
	[/the key is for/, "a key has one algorithm"],
	[/vector or tag|encrypted key of wrong size/, "parts have their one size"],
	[/JWE: long ap[uv]/, "names of parties have an end"],
	[/epk|JWE: does not open/, "an ephemeral key is public and on the curve of the key"],
	[/symmetric|private member/, "a set holds public keys"],
	[/no key that we have a use for/, "keys, curves and uses outside our lists are no use"],
	[/RSA key must name its alg|does not fit the key/, "a key names the algorithm that it has"],
	[/RSA with|RSA exponent|leading zeros|RSA modulus|ROCA|n or e is empty/, "weak RSA keys"],
	[/wrong length|no point of|small order|Ed25519 key of/, "points have full length and lie on the curve"],
	[/is missing|kid is empty|is not a string|is not an array|key_ops is null/, "members of a key are there and of their type"],
	[/deep/, "depth has an end"],
];

/* ---- cases ---- */

/* What was tried: each class of input, and how often. */
const tried = new Map();
const note = (name) => tried.set(name, (tried.get(name) ?? 0) + 1);
/* The class that an input is of, beside what is odd about it. */
let whose;
const begin = (name) => note((whose = name));

const HEADERS = [
	'"crit":["exp"]', '"crit":[]', '"b64":false', '"b64":true', '"zip":"DEF"', '"jku":"https://a.example"',
	'"jwk":{"kty":"oct","k":"AA"}', '"x5u":"https://a.example"', '"x5c":["AA"]', '"enc":"A128GCM"', '"typ":"JWT"',
	'"typ":5', '"typ":null', '"cty":"JWT"', '"kid":"nobody"', '"kid":5', '"kid":""', '"kid":null', '"alg":"none"',
	'"x":"\\u0000"', '"x":"\\ud800"', '"x":1e400', '"x":{"y":[[[[]]]]}', '"":""', '"x":"\u00e4"', '"x5t":"AA"', '"x":true',
	'"iss":"https://a.example"',
];
const PAYLOADS = ["{}", '{"sub":"x"}', '{"sub":"x","n":{"a":[1,2,{"b":null}]}}', '{"a":1,"a":2}', "[]", '"x"', "", " {}", "{}\n", '{"x":"\\u0000"}', '{"x":"\u00fc"}'];

function headerText(alg) {
	const members = [`"alg":${JSON.stringify(alg)}`];
	if (random() < 0.7) members.push(`"kid":${JSON.stringify(random() < 0.9 ? alg : pick(signers))}`);
	while (random() < 0.35) {
		const odd = pick(HEADERS);
		note(`header ${odd}`);
		members.push(odd);
	}
	if (random() < 0.2) members.reverse();
	let text = `{${members.join(random() < 0.1 ? " ,\t" : ",")}}`;
	if (random() < 0.02) text = pick(["\ufeff", " ", "x"]) + text;
	if (random() < 0.02) text += pick([" ", "\n", "{}", "\0"]);
	if (random() < 0.01) text = text.replace("{", `{"long":"${"a".repeat(4200)}",`);
	if (random() < 0.02) text = text.replace(alg, pick([alg.toLowerCase(), "HS256", "none", "", `${alg} `, pick(signers)]));
	return text;
}

function signedToken() {
	const alg = pick(signers);
	begin(`they sign ${alg}`);
	const input = `${b64u(headerText(random() < 0.95 ? alg : pick(signers)))}.${b64u(pick(PAYLOADS))}`;
	let signature = rawSign(alg, Buffer.from(input));
	if (random() < 0.04)
		signature = pick([
			Buffer.alloc(signature.length), Buffer.alloc(0), signature.subarray(1), Buffer.concat([signature, Buffer.from([0])]),
			Buffer.concat([Buffer.from([0]), signature]), Buffer.alloc(signature.length, 255),
		]);
	return `${input}.${b64u(signature)}`;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const MUTATIONS = {
	"octet changed": (t, at) => t.slice(0, at) + pick(ALPHABET) + t.slice(at + 1),
	"octet more": (t, at) => t.slice(0, at) + pick(ALPHABET) + t.slice(at),
	"octet less": (t, at) => t.slice(0, at) + t.slice(at + 1),
	"cut off": (t, at) => t.slice(0, at),
	"foreign octet": (t, at) => t.slice(0, at) + pick(["=", ".", " ", "+", "/", "\n", "\u00e4", "%"]) + t.slice(at),
	"part empty": (t, at, parts) => parts.with(below(parts.length), "").join("."),
	"part twice": (t, at, parts) => parts.with(below(parts.length), pick(parts)).join("."),
	"padding": (t, at, parts) => parts.map((p) => (random() < 0.4 ? `${p}=` : p)).join("."),
	"last octet": (t, at, parts) =>
		parts.map((p) => (p.length > 0 && random() < 0.5 ? p.slice(0, -1) + pick(ALPHABET) : p)).join("."),
	"part more": (t) => `${t}.`,
	"other order": (t, at, parts) => [...parts].reverse().join("."),
	"base64": (t) => t.replaceAll("-", "+").replaceAll("_", "/"),
	"white space": (t) => pick([` ${t}`, `${t} `, `${t}\n`, `\t${t}`]),
	"flattened JSON": (t, at, parts) =>
		JSON.stringify({ protected: parts[0], payload: parts[1], signature: parts[2] }),
	"general JSON": (t, at, parts) =>
		JSON.stringify({ payload: parts[1], signatures: [{ protected: parts[0], signature: parts[2] }] }),
	"payload left out": (t, at, parts) => parts.map((p, i) => (i === 1 ? "" : p)).join("."),
	"signature left out": (t, at, parts) => parts.with(-1, "").join("."),
};

function mutate(token) {
	let t = token;
	do {
		const name = pick(Object.keys(MUTATIONS));
		note(`mutation ${name}`);
		t = MUTATIONS[name](t, below(t.length + 1), t.split("."));
	} while (random() < 0.2);
	return t;
}

const ALGS = ["ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "RSA-OAEP-256", "ECDH-ES+A192KW", "RSA-OAEP", "RSA-OAEP-384", "RSA-OAEP-512"];
/* By a secret, which is what anybody has of our key: its public half. */
const SECRETS = { dir: 0, A128KW: 16, A256KW: 32, A256GCMKW: 32 };
const ENCS = ["A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512", "A192GCM", "A192CBC-HS384"];
const CONTENTS = ["", "x", '{"sub":"x"}', "x".repeat(3000)];

async function tokenBySecret() {
	const alg = pick(Object.keys(SECRETS)), kid = pick(Object.keys(opens));
	const spki = crypto.createPublicKey(opens[kid]).export({ format: "der", type: "spki" });
	begin(`they encrypt ${alg}`);
	return new jose.CompactEncrypt(Buffer.from("x"))
		.setProtectedHeader({ alg, enc: "A256GCM", kid })
		.encrypt(spki.subarray(0, SECRETS[alg] || 32));
}

async function encryptedToken() {
	if (random() < 0.05) return tokenBySecret();
	const alg = ALGS[below(random() < 0.8 ? 4 : ALGS.length)], enc = ENCS[below(random() < 0.8 ? 4 : ENCS.length)];
	const kid = alg.startsWith("RSA") ? "test-dec-rsa" : pick(["P-256", "P-384"]);
	const header = { alg, enc };
	begin(`they encrypt ${alg} ${enc}${alg.startsWith("RSA") ? "" : ` ${kid}`}`);
	if (random() < 0.6) header.kid = kid;
	if (random() < 0.1) header[pick(["typ", "cty", "iss", "x5t"])] = "JWT";
	if (random() < 0.05) header[pick(["jku", "x5u", "b64", "kid"])] = pick(["x", 5, false]);
	if (random() < 0.05) header[pick(["jwk", "x5c"])] = pick([{}, []]);
	const make = new jose.CompactEncrypt(Buffer.from(pick(CONTENTS))).setProtectedHeader(header);
	if (alg.startsWith("ECDH") && random() < 0.3)
		make.setKeyManagementParameters({ apu: Buffer.from(pick(["Alice", "", "a".repeat(600)])), apv: Buffer.from("Bob") });
	return make.encrypt(crypto.createPublicKey(opens[kid]));
}

function keyText() {
	const alg = pick(signers);
	const enc = random() < 0.2;
	const jwk = enc ? { ...encJwk(pick(Object.keys(opens))) } : jwkOf(alg);
	const number = (b) => b64u(b);
	begin(`key ${jwk.kty} ${jwk.crv ?? ""} ${enc ? "to encrypt" : "to verify"}`);
	while (random() < 0.6) {
		const name = pick(["x", "y", "n", "e", "kty", "crv", "alg", "use", "kid", "key_ops", "d", "k", "ext"]);
		note(`key's ${name}`);
		const octets = typeof jwk[name] === "string" ? Buffer.from(jwk[name], "base64url") : Buffer.alloc(4, 1);
		jwk[name] = pick([
			() => undefined,
			() => number(Buffer.concat([Buffer.from([0]), octets])),
			() => number(octets.subarray(1)),
			() => number(octets.map((v, i) => (i === octets.length - 1 ? v ^ 1 : v))),
			() => number(Buffer.alloc(octets.length)),
			() => `${jwk[name]}=`,
			() => pick([5, null, "", "x", true, []]),
			() => pick(["sig", "enc", "EC", "RSA", "OKP", "oct", "P-256", "P-384", "P-521", "Ed25519", ...signers, ...ALGS]),
			() => pick([["verify"], ["sign"], ["verify", "wrapKey"], ["deriveBits"], []]),
			() => pick(["AQAB", "Aw", "AQ", "AQAA", "AAEAAQ", "AQAAAAAB"]),
		])();
	}
	return JSON.stringify(jwk);
}

/* They import for an algorithm and then use it; for a set of one, as we read it. */
async function keyTheirs(text) {
	return theirs(async () => {
		const jwk = JSON.parse(text);
		const encrypts = jwk.use === "enc" || (jwk.use === undefined && ALGS.includes(jwk.alg));
		const alg = jwk.alg ?? (encrypts ? (jwk.kty === "RSA" ? "RSA-OAEP-256" : "ECDH-ES") : undefined);
		const guess = alg ?? (jwk.kty === "OKP" ? "EdDSA" : jwk.crv === "P-384" ? "ES384" : "ES256");
		const key = await jose.importJWK(jwk, guess);
		if (key instanceof Uint8Array) throw new TypeError("a secret");
		if (encrypts)
			await new jose.CompactEncrypt(Buffer.from("x")).setProtectedHeader({ alg: guess, enc: "A128GCM" }).encrypt(key);
		// RFC 9864 2.2: two names of one algorithm.
		return encrypts ? "encrypt" : `verify ${guess === "Ed25519" ? "EdDSA" : guess}`;
	});
}

/* ---- the comparison ---- */

const told = { both: 0, neither: 0, theirs: new Map(), ours: new Map() };
const taken = new Set(); // classes of which both took one
const faults = [];

const pending = [];
const PENDING_MOST = 64;

/* us, them: promises.  whole: nothing was changed, so they must take it. */
async function judge(kind, input, us, them, whole = false) {
	const of = whose;
	pending.push(
		Promise.all([us, them]).then(([ours, others]) => {
			if (whole && others.no) faults.push(`${kind}: they refuse ${input}: ${others.no}`);
			compare(kind, input, of, ours, others);
		}),
	);
	if (pending.length >= PENDING_MOST) await Promise.all(pending.splice(0));
}

function compare(kind, input, of, us, them) {
	const count = (map, why) => map.set(why, (map.get(why) ?? 0) + 1);
	if (us.ok && them.ok) {
		told.both++;
		taken.add(of);
		if (!us.ok.equals(them.ok)) faults.push(`${kind}: read differently: ${input}: ${us.ok} / ${them.ok}`);
	} else if (us.no !== undefined && them.no !== undefined) told.neither++;
	else if (us.ok) {
		const why = OURS.find(([no]) => no.test(them.no));
		if (why) count(told.ours, why[1]);
		else faults.push(`${kind}: only we take ${input} (they: ${them.no})`);
	} else {
		const why = THEIRS.find(([no]) => no.test(us.no));
		if (why) count(told.theirs, why[1]);
		else faults.push(`${kind}: only they take ${input} (we: ${us.no})`);
	}
}

const setText = JSON.stringify(theirSet), ourText = JSON.stringify(ourSet);
const kinds = {
	async "they sign"() {
		let token = signedToken();
		if (random() < 0.4) token = mutate(token);
		await judge("they sign", token, ask("jws", setText, token), verifyTheirs(theirSet, token));
	},
	async "we sign"() {
		const alg = pick(["ES256", "ES384", "RS256", "PS256"]);
		begin(`we sign ${alg}`);
		const made = await ask("sign", alg, pick(['{"sub":"x"}', '{"a":"\u00fc","b":[1,{}]}', "{}"]));
		let token = made.ok.toString();
		const whole = random() < 0.5;
		if (!whole) token = mutate(token);
		await judge("we sign", token, ask("jws", ourText, token), verifyTheirs(ourSet, token), whole);
	},
	async "they encrypt"() {
		let token = await encryptedToken();
		if (random() < 0.5) token = mutate(token);
		await judge("they encrypt", token, ask("jwe", token), openTheirs(token));
	},
	async "we encrypt"() {
		const alg = ALGS[below(4)], enc = ENCS[below(4)], kid = alg.startsWith("RSA") ? "test-dec-rsa" : pick(["P-256", "P-384"]);
		begin(`we encrypt ${alg} ${enc}${alg.startsWith("RSA") ? "" : ` ${kid}`}`);
		const made = await ask("seal", JSON.stringify({ keys: [encJwk(kid)] }), alg, enc, pick(CONTENTS));
		let token = made.ok.toString();
		const whole = random() < 0.5;
		if (!whole) token = mutate(token);
		await judge("we encrypt", token, ask("jwe", token), openTheirs(token), whole);
	},
	async keys() {
		const text = keyText();
		await judge("keys", text, ask("jwk", text), keyTheirs(text));
	},
};

/* Of each of these both have to have taken one. */
const OPEN = ALGS.slice(0, 4).flatMap((alg) =>
	ENCS.slice(0, 4).flatMap((enc) =>
		alg.startsWith("RSA") ? [`${alg} ${enc}`] : ["P-256", "P-384"].map((curve) => `${alg} ${enc} ${curve}`)),
);
const KEYS = ["EC P-256", "EC P-384", "RSA "];
const COMMON = [
	...["ES256", "ES384", "EdDSA", "PS256", "PS384", "RS256"].map((alg) => `they sign ${alg}`),
	...["ES256", "ES384", "RS256", "PS256"].map((alg) => `we sign ${alg}`),
	...OPEN.flatMap((how) => [`they encrypt ${how}`, `we encrypt ${how}`]),
	...KEYS.flatMap((key) => [`key ${key} to verify`, `key ${key} to encrypt`]),
	"key OKP Ed25519 to verify",
];

/* Once plainly, so that chance leaves none out. */
for (const how of OPEN) {
	const [alg, enc, kid = "test-dec-rsa"] = how.split(" ");
	begin(`they encrypt ${how}`);
	const token = await new jose.CompactEncrypt(Buffer.from("x")).setProtectedHeader({ alg, enc, kid })
		.encrypt(crypto.createPublicKey(opens[kid]));
	await judge("they encrypt", token, ask("jwe", token), openTheirs(token));
	begin(`we encrypt ${how}`);
	const ours = (await ask("seal", JSON.stringify({ keys: [encJwk(kid)] }), alg, enc, "x")).ok.toString();
	await judge("we encrypt", ours, ask("jwe", ours), openTheirs(ours), true);
}
for (const alg of signers) {
	begin(`they sign ${alg}`);
	const input = `${b64u(JSON.stringify({ alg, kid: alg }))}.${b64u('{"sub":"x"}')}`;
	const token = `${input}.${b64u(rawSign(alg, Buffer.from(input)))}`;
	await judge("they sign", token, ask("jws", setText, token), verifyTheirs(theirSet, token));
}

const names = Object.keys(kinds);
for (let i = 0; i < cases && faults.length < 20; i++) {
	/* RSA signatures and ECDH cost most; keys cost least. */
	await kinds[names[i % names.length]]();
}
await Promise.all(pending);
child.stdin.end();

console.log(`# seed ${seed}: ${cases} cases, ${told.both} taken by both, ${told.neither} by neither`);
for (const [name, n] of [...tried].sort()) console.log(`# ${n} of ${name}${taken.has(name) ? ", taken by both" : ""}`);
for (const [why, n] of told.ours) console.log(`# only we: ${n}: ${why}`);
for (const [why, n] of [...told.theirs].sort((p, q) => q[1] - p[1])) console.log(`# only they: ${n}: ${why}`);
for (const fault of faults) console.log(`# ${JSON.stringify(fault).slice(0, 900)}`);
const tests = [
	[told.both > cases / 10 && told.neither > cases / 10, "both libraries take and refuse a good part"],
	[!faults.some((f) => /only we/.test(f)), "what we alone take has a written reason"],
	[!faults.some((f) => /only they/.test(f)), "what they alone take is refused by a rule"],
	[COMMON.every((name) => taken.has(name)), `each of ${COMMON.length} classes that both know was taken by both`],
	[!faults.some((f) => /differently|they refuse/.test(f)), "what both take is read alike, and they take what we make"],
];
tests.forEach(([ok, name], i) => console.log(`${ok ? "ok" : "not ok"} ${i + 1} - ${name}`));
console.log(`1..${tests.length}`);
process.exit(tests.every(([ok]) => ok) ? 0 : 1);
