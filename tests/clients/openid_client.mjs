// Kontor as npm's openid-client finds it: every way it can ask is asked.  See test_openid_client.py.
import assert from "node:assert/strict";
import test from "node:test";

import { configure, detailsType, encryptionPair, jose, keyPair, login, newId, oidc, pings, reach, register, told, visit } from "./lib.mjs";

const ciba = "urn:openid:params:grant-type:ciba";
const base = { scope: "openid profile", profile: "oidc", id_token_signed_response_alg: "ES256" };

async function secretClient(method, more = {}) {
	const client_id = newId("portal");
	const { client_secret } = await register({ client_id, token_endpoint_auth_method: method, ...base, ...more });
	const how = {
		client_secret_basic: oidc.ClientSecretBasic, client_secret_post: oidc.ClientSecretPost,
		client_secret_jwt: oidc.ClientSecretJwt, none: oidc.None,
	}[method];
	const { id_token_signed_response_alg = "ES256", authorization_signed_response_alg } = more;
	return configure(client_id, { id_token_signed_response_alg, authorization_signed_response_alg }, how(client_secret));
}

async function keyClient(alg, more = {}) {
	const client_id = newId("portal");
	const keys = await keyPair(alg);
	await register({ client_id, token_endpoint_auth_method: "private_key_jwt", jwks: keys.jwks, ...base, ...more });
	return configure(client_id, { id_token_signed_response_alg: "ES256" }, oidc.PrivateKeyJwt(keys.key));
}

async function apiOf(uri, format) {
	const client_id = newId("api");
	const { client_secret } = await register({
		client_id, redirect_uris: undefined, grant_types: [], resource_uris: [uri], resource_scopes: ["read"],
		access_token_format: format, token_endpoint_auth_method: "client_secret_basic",
	}, []);
	return configure(client_id, {}, oidc.ClientSecretBasic(client_secret));
}

async function goesThrough(config) {
	const l = await login(config);
	const tokens = await l.redeem();
	const claims = tokens.claims();
	assert.equal(claims.iss, told.base);
	assert.ok(claims.sub.length >= 43);
	const info = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
	assert.equal(info.given_name, "Testa");
	assert.equal(info.family_name, "Muster");
	return tokens;
}

for (const method of ["client_secret_basic", "client_secret_post", "client_secret_jwt"])
	test(`a login with ${method}`, async () => {
		await goesThrough(await secretClient(method));
	});

test("a login at a public client", async () => {
	await goesThrough(await secretClient("none", { profile: "oauth" }));
});

for (const alg of ["ES256", "ES384", "EdDSA", "PS256", "RS256"])
	test(`a login with private_key_jwt by ${alg}`, async () => {
		await goesThrough(await keyClient(alg));
	});

for (const alg of ["RS256", "PS256", "ES384"])
	test(`an ID token signed with ${alg}`, async () => {
		await goesThrough(await secretClient("client_secret_basic", { id_token_signed_response_alg: alg }));
	});

test("userinfo that is signed", async () => {
	const more = { userinfo_signed_response_alg: "ES256" };
	const config = await secretClient("client_secret_basic", more);
	const info = await oidc.discovery(new URL(told.base), config.clientMetadata().client_id,
		{ ...config.clientMetadata(), ...more }, undefined, { [oidc.customFetch]: reach });
	const tokens = await (await login(config)).redeem();
	assert.equal((await oidc.fetchUserInfo(info, tokens.access_token, tokens.claims().sub)).given_name, "Testa");
});

for (const [alg, enc] of [["ECDH-ES", "A128GCM"], ["ECDH-ES+A256KW", "A256GCM"], ["RSA-OAEP-256", "A256CBC-HS512"]])
	test(`an ID token encrypted with ${alg} and ${enc}`, async () => {
		const keys = await encryptionPair(alg);
		const config = await secretClient("client_secret_basic", {
			jwks: keys.jwks, id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc,
		});
		const l = await login(config);
		await assert.rejects(l.redeem(), (e) => e.code !== undefined);
		oidc.enableDecryptingResponses(config, [enc], { key: keys.pair.privateKey, alg, kid: keys.kid });
		await goesThrough(config);
	});

test("a pushed request", async () => {
	const config = await keyClient("ES256", { require_pushed_authorization_requests: true });
	const l = await login(config, {}, { build: oidc.buildAuthorizationUrlWithPAR });
	assert.equal((await l.redeem()).claims().iss, told.base);
	await assert.rejects((await login(config)).redeem(), { error: "invalid_request" });
});

test("a refresh token is rotated and its scope narrows", async () => {
	const config = await secretClient("client_secret_basic", {
		scope: "openid profile offline_access", grant_types: ["authorization_code", "refresh_token"],
	});
	const first = await (await login(config, { scope: "openid profile offline_access" })).redeem();
	const second = await oidc.refreshTokenGrant(config, first.refresh_token);
	assert.notEqual(second.refresh_token, first.refresh_token);
	assert.equal(second.claims().sub, first.claims().sub);
	assert.equal(second.claims().auth_time, first.claims().auth_time);
	const third = await oidc.refreshTokenGrant(config, second.refresh_token, { scope: "openid" });
	assert.equal(third.scope, "openid");
	// The first one again, when its successor was used: a thief or the portal has it, so none works.
	await assert.rejects(oidc.refreshTokenGrant(config, first.refresh_token), { error: "invalid_grant" });
	await assert.rejects(oidc.refreshTokenGrant(config, third.refresh_token), { error: "invalid_grant" });
});

test("a device without a browser, after a person said so elsewhere", async () => {
	const grant = "urn:ietf:params:oauth:grant-type:device_code";
	const config = await secretClient("client_secret_basic", { grant_types: [grant] });
	const asked = await oidc.initiateDeviceAuthorization(config, { scope: "openid profile" });
	assert.equal(asked.verification_uri, `${told.base}/device`);
	const poll = () => oidc.genericGrantRequest(config, grant, { device_code: asked.device_code });
	await assert.rejects(poll(), { error: "authorization_pending" });
	await visit(asked.verification_uri_complete);
	const tokens = await oidc.pollDeviceAuthorizationGrant(config, asked);
	assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, oidc.skipSubjectCheck)).given_name, "Testa");
	await assert.rejects(poll(), { error: "invalid_grant" });
});

test("a person who is asked without a browser agrees in the account", async () => {
	const config = await secretClient("client_secret_basic",
		{ grant_types: ["authorization_code", ciba], backchannel_token_delivery_mode: "poll" });
	const { sub } = (await (await login(config)).redeem()).claims();
	const asked = await oidc.initiateBackchannelAuthentication(config, { scope: "openid profile", login_hint: sub, binding_message: "W4SC" });
	const poll = () => oidc.genericGrantRequest(config, ciba, { auth_req_id: asked.auth_req_id });
	await assert.rejects(poll(), { error: "authorization_pending" });
	await assert.rejects(
		oidc.initiateBackchannelAuthentication(config, { scope: "openid", login_hint: sub }), { error: "access_denied" });
	const shown = await visit(`${told.base}/requests`);
	assert.equal(shown.url, `${told.base}/requests?notice=request_agreed`);
	const tokens = await oidc.pollBackchannelAuthenticationGrant(config, asked);
	assert.equal(tokens.claims().sub, sub);
	assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, sub)).given_name, "Testa");
	await assert.rejects(poll(), { error: "invalid_grant" });
});

// The ping for this request, once it is there.
async function pingOf(auth_req_id) {
	for (let i = 0; i < 600; i++) {
		const ping = (await pings()).find((p) => p.body.auth_req_id === auth_req_id);
		if (ping) return ping;
		await new Promise((done) => setTimeout(done, 50));
	}
	throw new Error("no ping in 30 s");
}

test("a client is told by a ping that its person has answered", async () => {
	const config = await secretClient("client_secret_basic", {
		grant_types: ["authorization_code", ciba], backchannel_token_delivery_mode: "ping",
		backchannel_client_notification_endpoint: told.notify,
	});
	const { sub } = (await (await login(config)).redeem()).claims();
	const client_notification_token = oidc.randomState();
	const begin = (more) => oidc.initiateBackchannelAuthentication(config, { scope: "openid profile", login_hint: sub, ...more });
	await assert.rejects(begin({}), { error: "invalid_request" });
	const asked = await begin({ client_notification_token });
	await visit(`${told.base}/requests`);
	const ping = await pingOf(asked.auth_req_id);
	assert.equal(ping.authorization, `Bearer ${client_notification_token}`);
	assert.deepEqual(Object.keys(ping.body), ["auth_req_id"]);
	const tokens = await oidc.pollBackchannelAuthenticationGrant(config, { ...asked, interval: 0 });
	assert.equal(tokens.claims().sub, sub);
});

// The library has no way of its own to sign such a request: jose does, the library carries it.
test("as FAPI-CIBA has it: signed by key, told by a ping, bound", async () => {
	const client_id = newId("portal");
	const keys = await keyPair("ES256");
	await register({
		client_id, token_endpoint_auth_method: "private_key_jwt", jwks: keys.jwks, scope: "openid profile", profile: "fapi2",
		dpop_bound_access_tokens: true, grant_types: ["authorization_code", ciba], backchannel_token_delivery_mode: "ping",
		backchannel_client_notification_endpoint: told.notify, backchannel_authentication_request_signing_alg: "ES256",
	});
	const config = await configure(client_id, { id_token_signed_response_alg: "ES256" }, oidc.PrivateKeyJwt(keys.key));
	const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
	const l = await login(config, {}, { build: oidc.buildAuthorizationUrlWithPAR });
	const first = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks, undefined, { DPoP });
	const { sub } = first.claims();
	const client_notification_token = oidc.randomState();
	const says = { scope: "openid profile", login_hint: sub, binding_message: "W4SC", client_notification_token };
	const signed = (more = {}) => new jose.SignJWT({ ...says, ...more })
		.setProtectedHeader({ alg: "ES256", kid: keys.kid }).setIssuer(client_id).setAudience(told.base)
		.setIssuedAt().setNotBefore("0s").setExpirationTime("5m").setJti(oidc.randomState()).sign(keys.key.key);
	await assert.rejects(oidc.initiateBackchannelAuthentication(config, says), { error: "invalid_request" });
	await assert.rejects(oidc.initiateBackchannelAuthentication(config, { request: await signed({ binding_message: undefined }) }),
		{ error: "invalid_binding_message" });
	const request = await signed();
	const asked = await oidc.initiateBackchannelAuthentication(config, { request });
	await assert.rejects(oidc.initiateBackchannelAuthentication(config, { request }), { error: "invalid_request" });
	await visit(`${told.base}/requests`);
	assert.equal((await pingOf(asked.auth_req_id)).authorization, `Bearer ${client_notification_token}`);
	await assert.rejects(oidc.genericGrantRequest(config, ciba, { auth_req_id: asked.auth_req_id }), { error: "invalid_dpop_proof" });
	const tokens = await oidc.pollBackchannelAuthenticationGrant(config, { ...asked, interval: 0 }, undefined, { DPoP });
	assert.equal(tokens.claims().sub, sub);
	assert.equal(tokens.token_type, "dpop");
	assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).given_name, "Testa");
});

test("a code gives tokens once", async () => {
	const l = await login(await secretClient("client_secret_basic"));
	await l.redeem();
	await assert.rejects(l.redeem(), { error: "invalid_grant" });
});

test("prompt=none without a login is answered with login_required", async () => {
	const l = await login(await secretClient("client_secret_basic"), { prompt: "none" }, { browser: newId("browser") });
	await assert.rejects(l.redeem(), { error: "login_required" });
});

test("max_age is kept and auth_time told", async () => {
	const config = await secretClient("client_secret_basic");
	const l = await login(config, { max_age: "100" });
	const tokens = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), { ...l.checks, maxAge: 100 });
	assert.ok(Number.isInteger(tokens.claims().auth_time));
});

test("a logout that the portal starts leads back to it", async () => {
	const config = await secretClient("client_secret_basic", { post_logout_redirect_uris: [told.callback] });
	const browser = newId("browser");
	const tokens = await (await login(config, {}, { browser })).redeem();
	const url = oidc.buildEndSessionUrl(config, {
		id_token_hint: tokens.id_token, post_logout_redirect_uri: told.callback, state: "over",
	});
	const shown = await visit(url, { browser });
	assert.equal(shown.url, `${told.callback}?state=over`);
	const l = await login(config, { prompt: "none" }, { browser });
	await assert.rejects(l.redeem(), { error: "login_required" });
});

test("tokens that DPoP binds", async () => {
	const config = await keyClient("ES256", { dpop_bound_access_tokens: true });
	for (const alg of ["ES256", "Ed25519", "PS256"]) {
		const dpop = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(alg));
		const l = await login(config);
		const tokens = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks, undefined, { DPoP: dpop });
		assert.equal(tokens.token_type, "dpop");
		const { sub } = tokens.claims();
		assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP: dpop })).given_name, "Testa");
		await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, sub));
		const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(alg));
		await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP: other }));
	}
});

for (const format of ["opaque", "jwt"])
	test(`a client's own token for an API (${format}), which asks about it, and which is given back`, async () => {
		const resource = `https://${newId("api")}.example/`;
		const api = await apiOf(resource, format);
		const config = await secretClient("client_secret_basic", {
			scope: "openid read", grant_types: ["authorization_code", "client_credentials"], resources: [resource],
		});
		const { access_token } = await oidc.clientCredentialsGrant(config, { resource, scope: "read" });
		assert.equal(access_token.split(".").length === 3, format === "jwt");
		const known = await oidc.tokenIntrospection(api, access_token);
		assert.equal(known.active, true);
		assert.equal(known.aud, resource);
		assert.equal(known.scope, "read");
		assert.equal(known.client_id, config.clientMetadata().client_id);
		// Another API learns nothing of it.
		const other = await oidc.tokenIntrospection(await apiOf(`https://${newId("api")}.example/`, format), access_token);
		assert.deepEqual(other, { active: false });
		await oidc.tokenRevocation(config, access_token);
		assert.deepEqual(await oidc.tokenIntrospection(api, access_token), { active: false });
		await assert.rejects(oidc.clientCredentialsGrant(config, { resource: "https://foreign.example/" }), { error: "invalid_target" });
	});

test("a token that an API exchanges for one for the service behind it", async () => {
	const behind = `https://${newId("archive")}.example/`, resource = `https://${newId("api")}.example/`;
	const grant = "urn:ietf:params:oauth:grant-type:token-exchange", type = "urn:ietf:params:oauth:token-type:access_token";
	const archive = await apiOf(behind, "opaque");
	const client_id = newId("api");
	const { client_secret } = await register({
		client_id, redirect_uris: undefined, grant_types: [grant], resource_uris: [resource], resource_scopes: ["read"], resources: [behind],
		scope: "read", token_endpoint_auth_method: "client_secret_basic",
	}, []);
	const api = configure(client_id, {}, oidc.ClientSecretBasic(client_secret));
	const portal = await secretClient("client_secret_basic", {
		scope: "openid read", grant_types: ["authorization_code", "client_credentials"], resources: [resource], may_act: [client_id],
	});
	const { access_token } = await oidc.clientCredentialsGrant(portal, { resource });
	const asked = { subject_token: access_token, subject_token_type: type, audience: archive.clientMetadata().client_id };
	const given = await oidc.genericGrantRequest(await api, grant, asked);
	assert.equal(given.issued_token_type, type);
	const known = await oidc.tokenIntrospection(archive, given.access_token);
	assert.equal(known.active, true);
	assert.equal(known.sub, portal.clientMetadata().client_id);
	assert.deepEqual(known.act, { sub: client_id });
	await assert.rejects(oidc.genericGrantRequest(await api, grant, { ...asked, audience: "nobody" }), { error: "invalid_target" });
	await assert.rejects(oidc.genericGrantRequest(await api, grant, { ...asked, subject_token: "x" }), { error: "invalid_request" });
});

// What a page that posts by itself sends to the portal.
function posted(shown) {
	const form = shown.forms.find((f) => f.action === told.callback);
	assert.ok(form, shown.text);
	return new Request(told.callback, {
		method: "POST", body: new URLSearchParams(form.fields),
		headers: { "content-type": "application/x-www-form-urlencoded" },
	});
}

test("the answer by form_post", async () => {
	const config = await secretClient("client_secret_basic");
	const l = await login(config, { response_mode: "form_post" });
	const tokens = await oidc.authorizationCodeGrant(config, posted(l.shown), l.checks);
	assert.equal(tokens.claims().iss, told.base);
});

test("the answer by fragment, with an ID token that vouches for code and state", async () => {
	const config = await secretClient("client_secret_basic", { response_types: ["code id_token"] });
	oidc.useCodeIdTokenResponseType(config);
	oidc.enableDetachedSignatureResponseChecks(config);
	const l = await login(config, { response_type: "code id_token" });
	assert.equal((await l.redeem()).claims().iss, told.base);
});

test("a signed answer (JARM)", async () => {
	const config = await secretClient("client_secret_basic", { authorization_signed_response_alg: "ES256" });
	oidc.useJwtResponseMode(config);
	const l = await login(config, { response_mode: "jwt" });
	assert.equal((await l.redeem()).claims().iss, told.base);
});

test("a signed request (JAR)", async () => {
	const client_id = newId("portal");
	const keys = await keyPair("ES256");
	await register({
		client_id, token_endpoint_auth_method: "private_key_jwt", jwks: keys.jwks, ...base,
		request_object_signing_alg: "ES256", require_signed_request_object: true,
	});
	const config = await configure(client_id, { id_token_signed_response_alg: "ES256" }, oidc.PrivateKeyJwt(keys.key));
	const l = await login(config, {}, { build: (c, p) => oidc.buildAuthorizationUrlWithJAR(c, p, keys.key) });
	assert.equal((await l.redeem()).claims().iss, told.base);
	await assert.rejects((await login(config)).redeem());
});

test("as FAPI 2.0 has it: pushed, signed by key, bound", async () => {
	const config = await keyClient("ES256", { profile: "fapi2", dpop_bound_access_tokens: true });
	const dpop = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
	const l = await login(config, {}, { build: oidc.buildAuthorizationUrlWithPAR });
	const tokens = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks, undefined, { DPoP: dpop });
	const { sub } = tokens.claims();
	assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, sub, { DPoP: dpop })).given_name, "Testa");
});

test("resources that the person agrees to, and a code that is bound to a key", async () => {
	const resource = `https://${newId("api")}.example/`;
	const other = `https://${newId("api")}.example/`;
	const api = await apiOf(resource, "jwt");
	await apiOf(other, "opaque");
	const config = await keyClient("ES256", { scope: "openid profile read", resources: [resource, other] });
	const dpop = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
	const ask = async () => login(config, {
		scope: "openid profile read", resource, dpop_jkt: await dpop.calculateThumbprint(),
	});
	const redeem = (l, uri, DPoP) =>
		oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks, { resource: uri }, { DPoP });
	const tokens = await redeem(await ask(), resource, dpop);
	const known = await oidc.tokenIntrospection(api, tokens.access_token);
	assert.equal(known.aud, resource);
	assert.equal(known.scope, "read");
	assert.equal(known.cnf.jkt, await dpop.calculateThumbprint());
	await assert.rejects(redeem(await ask(), other, dpop), { error: "invalid_target" });
	const stranger = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
	await assert.rejects(redeem(await ask(), resource, stranger), { error: "invalid_grant" });
	await assert.rejects(redeem(await ask(), resource), { error: "invalid_grant" });
});

test("a proof at the pushed request binds the code", async () => {
	const config = await keyClient("ES256");
	const dpop = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair("ES256"));
	const build = (c, p) => oidc.buildAuthorizationUrlWithPAR(c, p, { DPoP: dpop });
	const l = await login(config, {}, { build });
	const tokens = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks, undefined, { DPoP: dpop });
	assert.equal(tokens.token_type, "dpop");
	await assert.rejects((await login(config, {}, { build })).redeem(), { error: "invalid_grant" });
});

test("authorization details (RAR)", async () => {
	const type = newId("details");
	const label = { de: "Termine", en: "Appointments" };
	await detailsType({ type, label, fields: { actions: { required: true, values: ["read", "book"], label } } });
	const resource = `https://${newId("api")}.example/`;
	const api = await apiOf(resource, "opaque");
	const config = await secretClient("client_secret_basic", {
		resources: [resource], authorization_details_types: [type],
	});
	const details = (...actions) => JSON.stringify([{ type, actions }]);
	const l = await login(config, { authorization_details: details("read", "book") });
	const tokens = await oidc.authorizationCodeGrant(config, new URL(l.shown.url), l.checks,
		{ resource, authorization_details: details("read") });
	assert.deepEqual(tokens.authorization_details, [{ type, actions: ["read"] }]);
	const known = await oidc.tokenIntrospection(api, tokens.access_token);
	assert.deepEqual(known.authorization_details, [{ type, actions: ["read"] }]);
	const wrong = await login(config, { authorization_details: details("write") });
	await assert.rejects(wrong.redeem(), { error: "invalid_authorization_details" });
});

test("an answer that is signed and encrypted (JARM)", async () => {
	const keys = await encryptionPair("ECDH-ES");
	const config = await secretClient("client_secret_basic", {
		jwks: keys.jwks, authorization_signed_response_alg: "ES256",
		authorization_encrypted_response_alg: "ECDH-ES", authorization_encrypted_response_enc: "A256GCM",
	});
	oidc.enableDecryptingResponses(config, ["A256GCM"], { key: keys.pair.privateKey, alg: "ECDH-ES", kid: keys.kid });
	oidc.useJwtResponseMode(config);
	const l = await login(config, { response_mode: "jwt" });
	assert.equal(new URL(l.shown.url).searchParams.get("response").split(".").length, 5);
	assert.equal((await l.redeem()).claims().iss, told.base);
});

test("an account that is made on the way (prompt=create)", async () => {
	const config = await secretClient("client_secret_basic");
	const l = await login(config, { prompt: "create" }, { browser: newId("browser") });
	const tokens = await l.redeem();
	assert.equal((await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).given_name, "Testa");
});
