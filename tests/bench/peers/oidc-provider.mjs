// npm's oidc-provider as it is measured beside Kontor: one process, its in-memory adapter, an
// RSA-2048 key.  Logins and consents are given at once, so what is measured is a warm login.
//   oidc-provider.mjs PORT HOST SECRET
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const [port, host, secret] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const issuer = `https://${host}`;

const provider = new Provider(issuer, {
	clients: [
		{
			client_id: "bench-provider",
			client_secret: secret,
			redirect_uris: ["https://portal.example/back"],
			response_types: ["code"],
			grant_types: ["authorization_code"],
		},
	],
	jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "bench" }] },
	cookies: { keys: ["bench"] },
	claims: { openid: ["sub"], profile: ["family_name"] },
	pkce: { required: () => true },
	clientBasedCORS: () => true, // the load sends an Origin with every form
	features: { devInteractions: { enabled: false } },
	interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
	findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, family_name: "Mustermann" }) }),
	async loadExistingGrant(ctx) {
		const { Grant } = ctx.oidc.provider;
		const { clientId } = ctx.oidc.client;
		// A session has one grant for a client, and a token of an earlier one is refused.
		const kept = ctx.oidc.session.grantIdFor(clientId);
		const known = kept && (await Grant.find(kept));
		if (known) return known;
		const grant = new Grant({ clientId, accountId: ctx.oidc.session.accountId });
		grant.addOIDCScope("openid profile");
		await grant.save();
		return grant;
	},
});
provider.proxy = true; // the load says https by its Host, as if a proxy had ended TLS

const answer = provider.callback();
createServer((request, response) => {
	request.headers["x-forwarded-proto"] = "https";
	if (request.url.startsWith("/interaction/")) provider.interactionFinished(request, response, { login: { accountId: "bench" } });
	else answer(request, response);
}).listen(Number(port), "127.0.0.1");
