// npm's oidc-provider as it is measured beside Kontor: one process, its in-memory adapter, an
// RSA-2048 key.  Logins and consents are given at once, so what is measured is a warm login.
//   oidc-provider.mjs PORT HOST SECRET
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";

import Provider from "oidc-provider";

const [port, host, secret] = process.argv.slice(2);
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const issuer = `https://${host}`;

const portal = {
	client_secret: secret,
	redirect_uris: ["https://portal.example/back"],
	response_types: ["code"],
};
const machine = {
	client_secret: secret,
	redirect_uris: [],
	response_types: [],
	grant_types: ["client_credentials"],
	scope: "read",
};

const provider = new Provider(issuer, {
	clients: [
		{ client_id: "bench-provider", ...portal, grant_types: ["authorization_code"] },
		{ client_id: "bench-tokensprovider", ...portal, grant_types: ["authorization_code", "refresh_token"] },
		{ client_id: "bench-apiprovider", ...machine },
		{ client_id: "bench-jwtprovider", ...machine },
	],
	scopes: ["openid", "offline_access", "read"],
	rotateRefreshToken: true,
	issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
	jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid: "bench" }] },
	cookies: { keys: ["bench"] },
	claims: { openid: ["sub"], profile: ["family_name"] },
	pkce: { required: () => true },
	clientBasedCORS: () => true, // the load sends an Origin with every form
	features: {
		devInteractions: { enabled: false },
		clientCredentials: { enabled: true },
		introspection: { enabled: true },
		// Tokens for it are signed; others are names.
		resourceIndicators: {
			enabled: true,
			defaultResource: (ctx, client) => (client.clientId === "bench-jwtprovider" ? "https://api.example" : undefined),
			getResourceServerInfo: () => ({
				scope: "read",
				audience: "https://api.example",
				accessTokenTTL: 600,
				accessTokenFormat: "jwt",
				jwt: { sign: { alg: "RS256" } },
			}),
		},
	},
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
		grant.addOIDCScope("openid profile offline_access");
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
