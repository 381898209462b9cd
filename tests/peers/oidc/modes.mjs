// What the hostile provider can do: one entry per mode.
//
//   name: [expect, what it does, hooks, module]
//
// `expect` is what a correct relying party makes of it; more words after it, separated by |, are
// answers that are also right. `module` is the relying-party module of the OpenID Foundation's
// conformance suite that does the same (without its prefix `oidcc-client-test`, '' for the plain one).
//
// Hooks change what a good provider would have done: `discovery`, `authorize`, `token`, `header`,
// `claims`, `jwks` and `userinfo` change an object (or return another); `sign` makes the ID token;
// `reply` answers an endpoint by hand; `flow` runs when a login begins. `o` is the issuer's state.

import { encode, jws, leftHalf, pem } from './jose.mjs';
import { faults } from './faults.mjs';

const now = () => Math.floor(Date.now() / 1000);
const set = (values) => (target) => { Object.assign(target, values); };
const drop = (...names) => (target) => { for (const name of names) delete target[name]; };
const other = 'https://other.example';

// --- discovery ---------------------------------------------------------------------------------

const discovery = {
  'discovery-openid-config': ['login', 'Metadata with many members that a client does not know.', { discovery: set({ x_unknown: { a: [1, null] }, service_documentation: 'https://docs.example/', claims_supported: ['sub', 'x'] }) }, 'discovery-openid-config'],
  'discovery-issuer-mismatch': ['fault', 'The metadata name another issuer than the one asked.', { discovery: set({ issuer: other }) }, 'discovery-issuer-mismatch'],
  'discovery-issuer-slash': ['fault', 'The issuer in the metadata has a slash more.', { discovery: (doc) => { doc.issuer += '/'; } }],
  'discovery-issuer-case': ['fault', 'The issuer in the metadata differs in the case of a letter.', { discovery: (doc) => { doc.issuer = doc.issuer.replace('/m/', '/M/'); } }],
  'discovery-issuer-host': ['fault', 'The issuer says localhost instead of 127.0.0.1.', { discovery: (doc) => { doc.issuer = doc.issuer.replace('127.0.0.1', 'localhost'); } }],
  'discovery-issuer-query': ['fault', 'The issuer has a query.', { discovery: (doc) => { doc.issuer += '?x=1'; } }],
  'discovery-issuer-missing': ['fault', 'The metadata name no issuer.', { discovery: drop('issuer') }],
  'discovery-issuer-number': ['fault', 'The issuer is a number.', { discovery: set({ issuer: 42 }) }],
  'discovery-issuer-twice': ['fault', 'The issuer stands there twice, the wrong one first.', { reply: { discovery: (res, good) => res.writeHead(200, { 'content-type': 'application/json' }).end(`{"issuer":"${other}",${good.slice(1)}`) } }],
  'discovery-no-jwks-uri': ['fault', 'There is no jwks_uri.', { discovery: drop('jwks_uri') }],
  'discovery-no-token-endpoint': ['fault', 'There is no token endpoint.', { discovery: drop('token_endpoint') }],
  'discovery-no-authorization-endpoint': ['fault', 'There is no authorization endpoint.', { discovery: drop('authorization_endpoint') }],
  'discovery-wrong-types': ['fault', 'Lists are strings and addresses are lists.', { discovery: (doc) => { doc.token_endpoint = [doc.token_endpoint]; doc.response_types_supported = 'code'; doc.id_token_signing_alg_values_supported = { RS256: true }; } }],
  'discovery-no-s256': ['login', 'Only `plain` is announced for PKCE: S256 is sent all the same.', { discovery: set({ code_challenge_methods_supported: ['plain'] }) }],
  'discovery-no-pkce': ['login', 'PKCE is not announced: S256 is sent all the same.', { discovery: drop('code_challenge_methods_supported') }],
  'discovery-implicit-only': ['fault|login', 'Only the implicit flow is announced.', { discovery: set({ response_types_supported: ['id_token', 'id_token token'] }) }],
  'discovery-none-only': ['fault', 'Only unsigned ID tokens are announced, and sent.', { discovery: set({ id_token_signing_alg_values_supported: ['none'] }), sign: (h, c) => jws({ alg: 'none' }, c, 'none') }],
  'discovery-script': ['fault', 'The authorization endpoint is a script.', { discovery: set({ authorization_endpoint: 'javascript:alert(document.domain)//' }) }],
  'discovery-data': ['fault', 'The authorization endpoint is a data: URL.', { discovery: set({ authorization_endpoint: 'data:text/html,<script>alert(1)</script>' }) }],
  'discovery-authorize-query': ['login', 'The authorization endpoint has a query of its own, which has to be kept.', { discovery: (doc) => { doc.authorization_endpoint += '?tenant=lab'; }, needs: ['tenant'] }],
  'discovery-jwks-link-local': ['fault', 'The keys are at the address of a cloud machine\'s metadata.', { discovery: set({ jwks_uri: 'http://169.254.169.254/latest/meta-data/' }) }],
  'discovery-jwks-mapped': ['fault', 'The same address, written as IPv6.', { discovery: set({ jwks_uri: 'http://[::ffff:169.254.169.254]/keys' }) }],
  'discovery-jwks-decimal': ['fault', 'The same address, written as one number.', { discovery: set({ jwks_uri: 'http://2852039166/keys' }) }],
  'discovery-jwks-file': ['fault', 'The keys are in a file of the client\'s machine.', { discovery: set({ jwks_uri: 'file:///etc/passwd' }) }],
  'discovery-token-link-local': ['fault', 'The token endpoint is at the address of a cloud machine\'s metadata.', { discovery: set({ token_endpoint: 'http://169.254.169.254/token' }) }],
  'discovery-token-password': ['fault|login', 'The token endpoint\'s address has a user and a password in it.', { discovery: (doc) => { doc.token_endpoint = doc.token_endpoint.replace('http://', 'http://user:password@'); } }],
  'end-session-script': ['login', 'The end-session endpoint is a script; a logout must not lead there.', { discovery: set({ end_session_endpoint: 'javascript:alert(1)' }) }],
};

// --- the answer of the authorization endpoint ---------------------------------------------------

const error = (code, more = {}) => (params) => { params.delete('code'); params.set('error', code); for (const [k, v] of Object.entries(more)) params.set(k, v); };

const authorize = {
  'state-changed': ['refused', 'The state comes back changed.', { authorize: (p) => p.set('state', `${p.get('state').slice(0, -1)}-`) }],
  'state-missing': ['refused', 'No state comes back.', { authorize: (p) => p.delete('state') }],
  'state-empty': ['refused', 'An empty state comes back.', { authorize: (p) => p.set('state', '') }],
  'state-twice': ['refused', 'The state comes back twice, a wrong one last.', { authorize: (p) => p.append('state', 'another') }],
  'state-of-another': ['refused', 'From the second login on, the state of the first one comes back.', { flows: 2, authorize: (p, o) => { o.firstState ??= p.get('state'); p.set('state', o.firstState); } }],
  'code-missing': ['refused', 'No code comes back.', { authorize: (p) => p.delete('code') }],
  'code-empty': ['refused', 'An empty code comes back.', { authorize: (p) => p.set('code', '') }],
  'code-twice': ['refused', 'Two codes come back.', { authorize: (p) => p.append('code', 'another') }],
  'code-long': ['login', 'The code is 2,000 characters long.', { authorize: (p, o) => { const code = p.get('code'); const long = code + 'x'.repeat(2000 - code.length); o.codes.set(long, o.codes.get(code)); p.set('code', long); } }],
  'code-odd': ['login', 'The code has characters in it that must be encoded.', { authorize: (p, o) => { const odd = `${p.get('code')}&state=x+%2F=ü#"<`; o.codes.set(odd, o.codes.get(p.get('code'))); p.set('code', odd); } }],
  'code-used': ['refused', 'The code was redeemed before, by somebody else.', { authorize: (p, o) => { o.codes.get(p.get('code')).used = true; } }],
  'code-replayed': ['refused', 'From the second login on, the first code comes back again.', { flows: 2, authorize: (p, o) => { o.firstCode ??= p.get('code'); p.set('code', o.firstCode); } }],
  'code-injected': ['refused|fault', 'The code belongs to another person\'s login; the provider takes any PKCE verifier.', { sloppy: true, authorize: (p, o) => { Object.assign(o.codes.get(p.get('code')), { user: 'eve', nonce: 'of-another-login' }); } }],
  'response-in-fragment': ['refused', 'The answer comes in the fragment, where a server never sees it.', { fragment: true }],
  'response-extra': ['login', 'Unknown parameters come back as well, an ID token among them.', { authorize: (p) => { p.set('session_state', 'abc.def'); p.set('id_token', 'a.b.c'); p.set('access_token', 'x'); } }],
  'iss-missing': ['refused', 'The `iss` parameter is announced and does not come back.', { authorize: (p) => p.delete('iss') }],
  'iss-not-announced': ['login', '`iss` is neither announced nor sent.', { discovery: drop('authorization_response_iss_parameter_supported'), authorize: (p) => p.delete('iss') }],
  'iss-unasked': ['login', '`iss` is sent, rightly, although it is not announced.', { discovery: drop('authorization_response_iss_parameter_supported') }],
  'iss-other': ['refused', 'Another issuer comes back in `iss`.', { authorize: (p, o) => p.set('iss', o.sibling('good')) }],
  'iss-other-unannounced': ['refused', 'Another issuer comes back in `iss`, which was not announced.', { discovery: drop('authorization_response_iss_parameter_supported'), authorize: (p, o) => p.set('iss', o.sibling('good')) }],
  'iss-slash': ['refused', 'The issuer comes back with a slash more.', { authorize: (p) => p.set('iss', `${p.get('iss')}/`) }],
  'iss-twice': ['refused', 'Two issuers come back, the right one first.', { authorize: (p) => p.append('iss', other) }],
  'mix-up': ['refused', 'Mix-up: the metadata send the user to an honest provider (`good`), and its code to this one.', { discovery: (doc, o) => { doc.authorization_endpoint = `${o.sibling('good')}/authorize`; } }],
  'mix-up-token': ['fault|refused', 'Mix-up the other way: the code goes to an honest provider (`good`), which knows nothing of it.', { discovery: (doc, o) => { doc.token_endpoint = `${o.sibling('good')}/token`; doc.jwks_uri = `${o.sibling('good')}/jwks`; } }],
  'error-denied': ['refused', 'The user or the provider said no: access_denied.', { authorize: error('access_denied', { error_description: 'Not today' }) }],
  'error-login-required': ['refused', 'login_required, as if nobody could be asked.', { authorize: error('login_required') }],
  'error-server': ['fault', 'server_error.', { authorize: error('server_error') }],
  'error-unavailable': ['fault', 'temporarily_unavailable.', { authorize: error('temporarily_unavailable') }],
  'error-unknown': ['refused|fault', 'An error that no document knows.', { authorize: error('x_teapot') }],
  'error-markup': ['refused', 'The error and its description are HTML with a script: it must not be shown as such.', { authorize: error('access_denied', { error_description: '<script>alert(1)</script>"\'><img src=x onerror=alert(1)>', error_uri: 'javascript:alert(1)' }) }],
  'error-newlines': ['refused', 'The description has line ends and terminal escapes in it: nothing may forge a line of the log.', { authorize: error('access_denied', { error_description: 'no\r\nlogin.succeeded user=admin\u001b[2J\u0000' }) }],
  'error-long': ['refused', 'The description is 6,000 characters long.', { authorize: error('access_denied', { error_description: 'x'.repeat(6000) }) }],
  'error-and-code': ['refused', 'An error and a code come back together.', { authorize: (p) => p.set('error', 'access_denied') }],
  'error-other-iss': ['refused', 'An error comes back in another issuer\'s name.', { authorize: (p, o) => { error('server_error')(p); p.set('iss', o.sibling('good')); } }],
};

// --- the token endpoint ------------------------------------------------------------------------

const refusal = (status, body) => ({ reply: { token: (res) => res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)) } });
const tokenText = (change) => ({ reply: { token: (res, good) => res.writeHead(200, { 'content-type': 'application/json' }).end(change(good)) } });

const token = {
  'client-secret-basic': ['login', 'Only client_secret_basic is announced and taken.', { clientAuth: 'basic' }, 'client-secret-basic'],
  'client-secret-post': ['login', 'Only client_secret_post is announced and taken.', { clientAuth: 'post' }],
  'token-invalid-grant': ['refused', 'The code is refused: invalid_grant.', refusal(400, { error: 'invalid_grant' })],
  'token-invalid-client': ['fault', 'The client is refused: invalid_client.', refusal(401, { error: 'invalid_client' })],
  'token-error-200': ['fault|refused', 'An error comes with status 200.', refusal(200, { error: 'invalid_grant' })],
  'token-error-unknown': ['fault|refused', 'An error that no document knows.', refusal(400, { error: 'x_teapot' })],
  'token-error-types': ['fault|refused', 'The error is an object.', refusal(400, { error: { code: 1 }, error_description: ['x'] })],
  'token-error-markup': ['refused', 'The description of the error is HTML with a script.', refusal(400, { error: 'invalid_grant', error_description: '<script>alert(1)</script>\r\nx' })],
  'token-no-access-token': ['fault', 'The access token is missing.', { token: drop('access_token') }],
  'token-access-token-number': ['fault', 'The access token is a number.', { token: set({ access_token: 7 }) }],
  'token-access-token-header': ['fault', 'The access token has a line end and a header in it.', { token: (body, o) => { const odd = `${body.access_token}\r\nX-Admin: 1`; o.tokens.set(odd, o.tokens.get(body.access_token)); body.access_token = odd; } }],
  'token-no-type': ['fault', 'The token type is missing.', { token: drop('token_type') }],
  'token-type-mac': ['fault', 'The token type is not Bearer.', { token: set({ token_type: 'mac' }) }],
  'token-type-case': ['login', 'The token type is written `bEARER`, which is allowed.', { token: set({ token_type: 'bEARER' }) }],
  'token-expires-string': ['login|fault', 'expires_in is a string.', { token: set({ expires_in: '600' }) }],
  'token-expires-negative': ['login|fault', 'expires_in is negative.', { token: set({ expires_in: -1 }) }],
  'token-expires-huge': ['login|fault', 'expires_in is 1e308.', { token: set({ expires_in: 1e308 }) }],
  'token-no-expiry': ['login', 'expires_in is missing, which is allowed.', { token: drop('expires_in') }],
  'token-extra': ['login', 'The answer has members that a client does not know.', { token: set({ not_before_policy: 0, session_state: 'x', x: { y: [] } }) }],
  'token-twice': ['fault', 'The ID token stands there twice, a worthless one last.', tokenText((good) => good.replace(/}$/, ',"id_token":"a.b.c"}'))],
  'token-text': ['login|fault', 'Correct JSON, announced as text/plain.', { reply: { token: (res, good) => res.writeHead(200, { 'content-type': 'text/plain' }).end(good) } }],
  'token-wrong-utf8': ['fault', 'The answer is not UTF-8.', { reply: { token: (res, good) => res.writeHead(200, { 'content-type': 'application/json' }).end(Buffer.concat([Buffer.from('{"x":"\xff\xfe",', 'latin1'), Buffer.from(good.slice(1))])) } }],
};

// --- the ID token ------------------------------------------------------------------------------

const claims = (change) => ({ claims: change });
const header = (change) => ({ header: change });
const signedBy = (name) => ({ sign: (h, c, o) => jws(h, c, o.keys[name].alg, o.keys[name].privateKey) });
const raw = (change) => ({ sign: (h, c, o) => change(jws(h, c, o.signing.alg, o.signing.privateKey)) });
const rotate = (change) => (o) => { if (o.flow === 2) change(o); };

const idToken = {
  'idtoken-sig-rs256': ['login', 'The ID token is signed with RS256.', {}, 'idtoken-sig-rs256'],
  'idtoken-sig-es256': ['login|fault', 'The ID token is signed with ES256, as announced.', { start: (o) => { o.signing = o.keys.ec; o.published = [o.keys.first, o.keys.ec]; }, discovery: set({ id_token_signing_alg_values_supported: ['ES256'] }) }],
  'idtoken-sig-eddsa': ['login|fault', 'The ID token is signed with EdDSA, as announced.', { start: (o) => { o.signing = o.keys.ed; o.published = [o.keys.first, o.keys.ed]; }, discovery: set({ id_token_signing_alg_values_supported: ['EdDSA'] }) }],
  'idtoken-sig-ps256': ['login|fault', 'The ID token is signed with PS256, as announced.', { discovery: set({ id_token_signing_alg_values_supported: ['PS256'] }), jwks: (keys) => keys.map((one) => ({ ...one, alg: 'PS256' })), sign: (h, c, o) => jws({ ...h, alg: 'PS256' }, c, 'PS256', o.signing.privateKey) }],
  'idtoken-sig-unannounced': ['fault|login', 'The ID token is signed with ES256 by a published key, but only RS256 is announced.', { start: (o) => { o.signing = o.keys.ec; o.published = [o.keys.first, o.keys.ec]; } }],
  'idtoken-sig-none': ['fault', 'The ID token is not signed: alg none.', { sign: (h, c) => jws({ alg: 'none' }, c, 'none') }, 'idtoken-sig-none'],
  'idtoken-sig-none-case': ['fault', 'alg is written `nOnE`.', { sign: (h, c) => jws({ alg: 'nOnE' }, c, 'none') }],
  'idtoken-sig-none-signed': ['fault', 'alg says none and a signature follows.', { sign: (h, c, o) => jws({ ...h, alg: 'none' }, c, 'RS256', o.signing.privateKey) }],
  'idtoken-sig-empty': ['fault', 'alg says RS256 and no signature follows.', { sign: (h, c) => jws(h, c, 'none') }],
  'idtoken-alg-missing': ['fault', 'The header has no alg.', { sign: (h, c, o) => jws({ kid: h.kid }, c, 'RS256', o.signing.privateKey) }],
  'invalid-sig-rs256': ['fault', 'The RS256 signature is wrong.', raw((text) => text.replace(/\.([\w-]{4})([\w-]*)$/, (all, a, b) => `.${a === 'AAAA' ? 'BBBB' : 'AAAA'}${b}`)), 'invalid-sig-rs256'],
  'invalid-sig-key': ['fault', 'Another key made the signature and the header names the published one.', { sign: (h, c, o) => jws(h, c, 'RS256', o.keys.thief.privateKey) }],
  'invalid-sig-es256': ['fault', 'The ES256 signature is by a key that is not published.', { start: (o) => { o.signing = o.keys.ec; o.published = [o.keys.first, o.keys.ec]; }, discovery: set({ id_token_signing_alg_values_supported: ['ES256'] }), ...signedBy('ecThief') }, 'invalid-sig-es256'],
  'invalid-sig-es256-zero': ['fault', 'The ES256 signature is all zeros.', { start: (o) => { o.signing = o.keys.ec; o.published = [o.keys.ec]; }, discovery: set({ id_token_signing_alg_values_supported: ['ES256'] }), sign: (h, c) => `${encode(h)}.${encode(c)}.${Buffer.alloc(64).toString('base64url')}` }],
  'invalid-sig-hs256': ['fault', 'HS256 is announced, and the signature is made with another secret.', { discovery: set({ id_token_signing_alg_values_supported: ['HS256'] }), sign: (h, c) => jws({ alg: 'HS256' }, c, 'HS256', 'another secret') }, 'invalid-sig-hs256'],
  'hs256-client-secret': ['fault', 'The provider changes to HS256 with the client\'s secret.', { sign: (h, c, o) => jws({ alg: 'HS256' }, c, 'HS256', o.clientSecret) }],
  'hs256-public-key': ['fault', 'HS256, with the public RSA key\'s PEM text as the secret.', { sign: (h, c, o) => jws({ ...h, alg: 'HS256' }, c, 'HS256', pem(o.signing)) }],
  'hs256-modulus': ['fault', 'HS256, with the public RSA key\'s modulus as the secret.', { sign: (h, c, o) => jws({ ...h, alg: 'HS256' }, c, 'HS256', Buffer.from(o.signing.jwk.n, 'base64url')) }],
  'hs256-empty': ['fault', 'HS256, with an empty secret.', { sign: (h, c) => jws({ ...h, alg: 'HS256' }, c, 'HS256', '') }],

  'kid-unknown': ['fault', 'The header names a key that is not published. The keys may be fetched once more, not at every login.', { header: (h, o) => { h.kid = `unknown-${o.flow}-${now()}`; } }],
  'kid-absent-single-jwks': ['login', 'The header names no key, and one is published.', header(drop('kid')), 'kid-absent-single-jwks'],
  'kid-absent-multiple-jwks': ['login|fault', 'The header names no key, and several are published: trying them or giving up are both right.', { start: (o) => { o.published = [o.keys.second, o.keys.first]; }, header: drop('kid') }, 'kid-absent-multiple-jwks'],
  'kid-number': ['fault', 'kid is a number.', header(set({ kid: 1 }))],
  'kid-path': ['fault', 'kid is a path.', header(set({ kid: '../../../../dev/null' }))],
  'kid-sql': ['fault', 'kid is a piece of SQL.', header(set({ kid: "first' or '1'='1" }))],
  'kid-long': ['fault', 'kid is 100 kB long.', header(set({ kid: 'k'.repeat(1e5) }))],
  'header-jwk': ['fault', 'The header brings its own key.', { sign: (h, c, o) => jws({ alg: 'RS256', jwk: o.keys.thief.jwk }, c, 'RS256', o.keys.thief.privateKey) }],
  'header-jku': ['fault', 'The header says where its key is: here, at /thief-jwks, which must not be asked.', { sign: (h, c, o) => jws({ alg: 'RS256', kid: 'thief', jku: `${o.base}/thief-jwks` }, c, 'RS256', o.keys.thief.privateKey) }],
  'header-x5u': ['fault', 'The header says where its certificate is.', { sign: (h, c, o) => jws({ alg: 'RS256', kid: 'thief', x5u: `${o.base}/thief-jwks` }, c, 'RS256', o.keys.thief.privateKey) }],
  'header-crit': ['fault', 'The header demands an extension nobody knows.', header(set({ crit: ['x-unknown'], 'x-unknown': true }))],
  'header-b64': ['fault', 'The header says that the payload is not encoded.', header(set({ crit: ['b64'], b64: false }))],
  'header-zip': ['fault|login', 'The header says that the payload is compressed.', header(set({ zip: 'DEF' }))],
  'header-typ-access': ['fault|login', 'typ says that this is an access token.', header(set({ typ: 'at+jwt' }))],
  'header-typ-logout': ['fault|login', 'typ says that this is a logout token.', header(set({ typ: 'logout+jwt' }))],
  'header-alg-twice': ['fault', 'alg stands in the header twice.', { sign: (h, c, o) => jws(`{"alg":"none","alg":"RS256","kid":"${h.kid}"}`, c, 'RS256', o.signing.privateKey) }],

  'signing-key-rotation': ['login', 'Before the second login the key is replaced by one with a new kid.', { flows: 2, onFlow: rotate((o) => { o.signing = o.keys.second; o.published = [o.keys.second]; }) }, 'signing-key-rotation'],
  'signing-key-rotation-just-before-signing': ['login', 'The key is replaced just before the ID token is signed.', { onToken: (o) => { o.signing = o.keys.second; o.published = [o.keys.second]; } }, 'signing-key-rotation-just-before-signing'],
  'signing-key-overlap': ['login', 'Before the second login a key is added and used; the old one stays.', { flows: 2, onFlow: rotate((o) => { o.signing = o.keys.second; o.published = [o.keys.first, o.keys.second]; }) }],
  'signing-key-withdrawn': ['fault|login', 'At the second login the key in use is no longer published; a client may have kept it for a while.', { flows: 2, onFlow: rotate((o) => { o.published = [o.keys.second]; }) }],
  'signing-key-same-kid': ['login|fault', 'Before the second login the key is replaced by another with the same kid.', { flows: 2, onFlow: rotate((o) => { o.signing = { ...o.keys.second, kid: 'first', jwk: { ...o.keys.second.jwk, kid: 'first' } }; o.published = [o.signing]; }) }],

  'invalid-iss': ['fault', 'The ID token names another issuer.', claims(set({ iss: other })), 'invalid-iss'],
  'id-iss-slash': ['fault', 'The issuer in the ID token has a slash more.', claims((c) => { c.iss += '/'; })],
  'id-iss-prefix': ['fault', 'The issuer in the ID token is longer than the right one.', claims((c) => { c.iss += '.evil.example'; })],
  'id-iss-missing': ['fault', 'The ID token names no issuer.', claims(drop('iss'))],
  'id-iss-list': ['fault', 'The issuer is a list.', claims((c) => { c.iss = [c.iss]; })],
  'missing-sub': ['fault', 'There is no sub.', claims(drop('sub')), 'missing-sub'],
  'sub-empty': ['fault', 'sub is empty.', { ...claims(set({ sub: '' })), userinfo: set({ sub: '' }) }],
  'sub-null': ['fault', 'sub is null.', claims(set({ sub: null }))],
  'sub-number': ['fault', 'sub is a number.', claims(set({ sub: 42 }))],
  'sub-list': ['fault', 'sub is a list.', claims((c) => { c.sub = [c.sub]; })],
  'sub-255': ['login', 'sub is 255 characters long, the most there may be.', { ...claims(set({ sub: 's'.repeat(255) })), userinfo: set({ sub: 's'.repeat(255) }) }],
  'sub-256': ['fault', 'sub is 256 characters long.', { ...claims(set({ sub: 's'.repeat(256) })), userinfo: set({ sub: 's'.repeat(256) }) }],
  'sub-case': ['login', 'sub is that of `good` in upper case: this is another person.', { ...claims((c) => { c.sub = c.sub.toUpperCase(); }), userinfo: (c) => { c.sub = c.sub.toUpperCase(); } }],
  'sub-space': ['login|fault', 'sub is that of `good` with a space behind: this is another person.', { ...claims((c) => { c.sub += ' '; }), userinfo: (c) => { c.sub += ' '; } }],
  'sub-nul': ['fault', 'sub has a NUL byte in it.', { ...claims((c) => { c.sub += '\u0000x'; }), userinfo: (c) => { c.sub += '\u0000x'; } }],
  'sub-twice': ['fault', 'sub stands in the ID token twice.', claims((c) => JSON.stringify(c).replace('{', '{"sub":"admin",'))],
  'invalid-aud': ['fault', 'The ID token is for another client.', claims(set({ aud: 'another-client' })), 'invalid-aud'],
  'missing-aud': ['fault', 'There is no aud.', claims(drop('aud')), 'missing-aud'],
  'aud-empty-list': ['fault', 'aud is an empty list.', claims(set({ aud: [] }))],
  'aud-list': ['login', 'aud is a list with this client alone.', claims((c) => { c.aud = [c.aud]; })],
  'aud-extra': ['fault', 'aud has a second client in it, and azp is missing.', claims((c) => { c.aud = [c.aud, 'another-client']; })],
  'aud-extra-azp': ['fault|login', 'aud has a second client in it, and azp names this one.', claims((c) => { c.azp = c.aud; c.aud = [c.aud, 'another-client']; })],
  'aud-prefix': ['fault', 'aud begins like this client\'s id.', claims((c) => { c.aud += '-2'; })],
  'aud-case': ['fault', 'aud is this client\'s id in upper case.', claims((c) => { c.aud = c.aud.toUpperCase(); })],
  'azp-right': ['login', 'azp names this client.', claims((c) => { c.azp = c.aud; })],
  'azp-wrong': ['fault', 'azp names another client.', claims(set({ azp: 'another-client' }))],
  'nonce-invalid': ['fault|refused', 'The nonce is another one.', claims(set({ nonce: 'another' })), 'nonce-invalid'],
  'nonce-missing': ['fault|refused', 'There is no nonce.', claims(drop('nonce'))],
  'nonce-empty': ['fault|refused', 'The nonce is empty.', claims(set({ nonce: '' }))],
  'nonce-list': ['fault|refused', 'The nonce is a list.', claims((c) => { c.nonce = [c.nonce]; })],
  'exp-past': ['fault', 'The ID token expired an hour ago.', claims((c) => { c.exp = now() - 3600; c.iat = now() - 7200; })],
  'exp-missing': ['fault', 'There is no exp.', claims(drop('exp'))],
  'exp-string': ['fault', 'exp is a string.', claims((c) => { c.exp = String(c.exp); })],
  'exp-negative': ['fault', 'exp is negative.', claims(set({ exp: -1 }))],
  'exp-huge': ['fault|login', 'exp is 1e308.', claims((c) => JSON.stringify(c).replace(/"exp":\d+/, '"exp":1e308'))],
  'exp-u64': ['fault|login', 'exp is the largest number of 64 bits.', claims((c) => JSON.stringify(c).replace(/"exp":\d+/, '"exp":18446744073709551615'))],
  'exp-fraction': ['login|fault', 'exp is a fraction, which is allowed.', claims((c) => { c.exp += 0.5; })],
  'missing-iat': ['fault', 'There is no iat.', claims(drop('iat')), 'missing-iat'],
  'iat-future': ['fault', 'The ID token was made in an hour from now.', claims((c) => { c.iat = now() + 3600; c.exp = now() + 7200; })],
  'iat-skew': ['login', 'The provider\'s clock is ten seconds fast.', claims((c) => { c.iat = now() + 10; })],
  'iat-old': ['fault|login', 'The ID token was made a day ago and is still valid.', claims((c) => { c.iat = now() - 86400; })],
  'iat-string': ['fault', 'iat is a string.', claims((c) => { c.iat = String(c.iat); })],
  'nbf-future': ['fault|login', 'The ID token is not valid before an hour from now.', claims((c) => { c.nbf = now() + 3600; })],
  'auth-time-old': ['login|refused|fault', 'The person was asked for the password a day ago: right unless max_age was asked for.', claims((c) => { c.auth_time = now() - 86400; })],
  'acr-low': ['login|refused|fault', 'acr says 0: right unless more was asked for.', claims(set({ acr: '0', amr: [] }))],
  'at-hash-wrong': ['fault', 'at_hash belongs to another access token.', claims((c, o) => { c.at_hash = leftHalf(o.signing.alg, 'another token'); })],
  'at-hash-missing': ['login', 'There is no at_hash, which is allowed here.', claims(drop('at_hash'))],
  'id-token-missing': ['fault', 'The answer has no ID token.', { token: drop('id_token') }],
  'id-token-null': ['fault', 'The ID token is null.', { token: set({ id_token: null }) }],
  'id-token-number': ['fault', 'The ID token is a number.', { token: set({ id_token: 7 }) }],
  'id-token-garbage': ['fault', 'The ID token is no token.', { token: set({ id_token: 'never a token' }) }],
  'id-token-two-parts': ['fault', 'The ID token has two parts.', raw((text) => text.split('.').slice(0, 2).join('.'))],
  'id-token-five-parts': ['fault', 'The ID token is an encrypted one.', { sign: (h, c) => [encode({ alg: 'RSA-OAEP', enc: 'A256GCM' }), 'AAAA', 'AAAA', encode(c), 'AAAA'].join('.') }],
  'id-token-list': ['fault', 'The payload is a list.', claims((c) => JSON.stringify([c]))],
  'id-token-not-json': ['fault', 'The payload is not JSON.', claims(() => 'sub=admin')],
  'id-token-huge': ['fault', 'The ID token is 20 MB long.', claims(set({ padding: 'x'.repeat(15e6) }))],
  'id-token-replayed': ['fault|refused', 'From the second login on, the first ID token comes again.', { flows: 2, token: (body, o) => { o.firstIdToken ??= body.id_token; body.id_token = o.firstIdToken; } }],
};

// --- the published keys ------------------------------------------------------------------------

const jwks = {
  'discovery-jwks-uri-keys': ['login', 'The keys are where jwks_uri says, and nowhere else.', { discovery: (doc) => { doc.jwks_uri = doc.jwks_uri.replace(/jwks$/, 'somewhere/else/keys?v=2'); } }, 'discovery-jwks-uri-keys'],
  'jwks-no-keys': ['fault', 'The list of keys is empty.', { jwks: () => [] }],
  'jwks-keys-object': ['fault', 'The keys are not a list.', { jwks: (keys) => ({ ...keys }) }],
  'jwks-no-member': ['fault', 'The member `keys` is missing.', { reply: { jwks: (res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{}') } }],
  'jwks-for-encryption': ['fault', 'The key in use is for encryption.', { jwks: (keys) => keys.map((one) => ({ ...one, use: 'enc' })) }],
  'jwks-other-alg': ['fault', 'The key in use is for RS512, and the ID token says RS256.', { jwks: (keys) => keys.map((one) => ({ ...one, alg: 'RS512' })) }],
  'jwks-symmetric': ['fault', 'The key is a published secret, and the ID token is made with HS256.', { discovery: set({ id_token_signing_alg_values_supported: ['HS256'] }), jwks: () => [{ kty: 'oct', kid: 'first', alg: 'HS256', use: 'sig', k: encode('everybody-knows-this-secret-0123456789') }], sign: (h, c) => jws({ alg: 'HS256', kid: 'first' }, c, 'HS256', 'everybody-knows-this-secret-0123456789') }],
  'jwks-weak': ['fault', 'The RSA key has 512 bits.', { start: (o) => { o.signing = o.keys.weak; o.published = [o.keys.weak]; } }],
  'jwks-unknown-kinds': ['login', 'Keys of unknown kinds stand before the right one.', { jwks: (keys) => [{ kty: 'XYZ', kid: 'x', y: 1 }, { kty: 'EC', crv: 'P-999', x: 'AA', y: 'AA', kid: 'e' }, ...keys] }],
  'jwks-broken-neighbour': ['login|fault', 'A broken key stands before the right one.', { jwks: (keys) => [{ kty: 'RSA', kid: 'broken', n: '!!!', e: 7 }, ...keys] }],
  'jwks-same-kid': ['login|fault', 'Two keys have the same kid, and the wrong one stands first.', { jwks: (keys, o) => [{ ...o.keys.thief.jwk, kid: 'first' }, ...keys] }],
  'jwks-bare': ['login', 'The key has no kid, alg and use, and the header no kid.', { header: drop('kid'), jwks: (keys) => keys.map(({ kid, alg, use, ...rest }) => rest) }],
  'jwks-many': ['login|fault', '20,000 keys, the right one last.', { jwks: (keys, o) => [...Array.from({ length: 20000 }, (_, n) => ({ ...o.keys.second.jwk, kid: `k${n}` })), ...keys] }],
};

// --- userinfo ----------------------------------------------------------------------------------

const userinfo = {
  'scope-userinfo-claims': ['login', 'Name, address and groups are only at the userinfo endpoint.', {}, 'scope-userinfo-claims'],
  'userinfo-bearer-header': ['login', 'The access token is only taken in the Authorization header.', { bearer: 'header' }, 'userinfo-bearer-header'],
  'userinfo-bearer-body': ['fault|login', 'The access token is only taken in a form; clients need not know that way.', { bearer: 'body' }, 'userinfo-bearer-body'],
  'userinfo-invalid-sub': ['fault', 'sub is that of another person.', { userinfo: set({ sub: 'somebody-else', preferred_username: 'admin' }) }, 'userinfo-invalid-sub'],
  'userinfo-sub-missing': ['fault', 'There is no sub.', { userinfo: drop('sub') }],
  'userinfo-sub-number': ['fault', 'sub is a number.', { userinfo: set({ sub: 42 }) }],
  'userinfo-sub-twice': ['fault', 'sub stands there twice, the right one last.', { userinfo: (c) => JSON.stringify(c).replace('{', '{"sub":"somebody-else",') }],
  'userinfo-sub-case': ['fault', 'sub differs in the case of its letters.', { userinfo: (c) => { c.sub = c.sub.toUpperCase(); } }],
  'userinfo-401': ['fault', 'The access token that was just issued is refused.', { reply: { userinfo: (res) => res.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end() } }],
  'userinfo-jwt-unsigned': ['fault', 'The answer is an unsigned token, which nobody asked for.', { reply: { userinfo: (res, good) => res.writeHead(200, { 'content-type': 'application/jwt' }).end(jws({ alg: 'none' }, good, 'none')) } }],
  'userinfo-jwt-thief': ['fault', 'The answer is a token signed by a key that is not published.', { reply: { userinfo: (res, good, o) => res.writeHead(200, { 'content-type': 'application/jwt' }).end(jws({ alg: 'RS256', kid: 'first' }, good, 'RS256', o.keys.thief.privateKey)) } }],
  'userinfo-groups-string': ['login', 'groups is a string: it counts as unknown, not as a group.', { userinfo: set({ groups: '/admin' }) }],
  'userinfo-groups-objects': ['login', 'groups is a list of objects: they count as unknown.', { userinfo: set({ groups: [{ name: '/admin' }, 7, null] }) }],
  'userinfo-groups-absent': ['login', 'groups is absent: what was known stays.', { userinfo: drop('groups') }],
  'userinfo-groups-empty': ['login', 'groups is empty: the person is in none.', { userinfo: set({ groups: [] }) }],
  'userinfo-groups-many': ['login|fault', 'groups has 50,000 names.', { userinfo: set({ groups: Array.from({ length: 50000 }, (_, n) => `/g/${n}`) }) }],
  'userinfo-roles-wrong-type': ['login', 'realm_access and resource_access have wrong types: they count as unknown.', { userinfo: set({ realm_access: ['admin'], resource_access: 'admin' }) }],
  'userinfo-verified-string': ['login', 'email_verified is the string "true": the address is not verified.', { userinfo: set({ email_verified: 'true' }) }],
  'userinfo-email-unverified': ['login', 'The address is not verified: nobody is found by it.', { userinfo: set({ email_verified: false }) }],
  'userinfo-email-odd': ['login|refused|fault', 'The address has two @ and a line end in it.', { userinfo: set({ email: 'ann@evil.example@lab.example\r\nBcc: x@y.example' }) }],
  'userinfo-name-missing': ['login|refused|fault', 'There is no preferred_username: a name has to come from elsewhere, or the login is refused.', { userinfo: drop('preferred_username') }],
  'userinfo-name-list': ['refused|fault|login', 'preferred_username is a list.', { userinfo: set({ preferred_username: ['ann'] }) }],
  'userinfo-name-odd': ['refused|fault|login', 'preferred_username has control characters, a slash and markup in it.', { userinfo: set({ preferred_username: '../<b>ann</b>\u0000\r\n' }) }],
  'userinfo-name-long': ['refused|fault|login', 'preferred_username is 10,000 characters long.', { userinfo: set({ preferred_username: 'a'.repeat(10000) }) }],
};

// --- back-channel logout -----------------------------------------------------------------------
// The login is good. `logout` changes the logout token's claims, `logoutHeader` its header, `logoutSign`
// signs it, `deliver` says how it is sent. Expected: `logout` (2xx, the session has ended) or `refused` (400, it goes on).

const event = 'http://schemas.openid.net/event/backchannel-logout';
const logout = {
  'logout-good': ['logout', 'A correct logout token with sub and sid.', {}],
  'logout-sub-only': ['logout', 'Only sub: every session of this person ends.', { logout: drop('sid') }],
  'logout-sid-only': ['logout', 'Only sid: this session ends.', { logout: drop('sub') }],
  'logout-no-typ': ['logout', 'The header has no typ, as of older providers.', { logoutHeader: drop('typ') }],
  'logout-aud-list': ['logout', 'aud is a list with this client alone.', { logout: (c) => { c.aud = [c.aud]; } }],
  'logout-sid-unknown': ['refused|logout', 'sid is unknown and sub is absent: no session ends.', { logout: (c) => { delete c.sub; c.sid = 'unknown'; } }],
  'logout-sub-other': ['refused|logout', 'sub is that of another person and sid is absent: this session goes on.', { logout: (c) => { delete c.sid; c.sub = 'somebody-else'; } }],
  'logout-sub-sid-mismatch': ['refused', 'sid is of this session and sub of another person.', { logout: set({ sub: 'somebody-else' }) }],
  'logout-no-sub-no-sid': ['refused', 'Neither sub nor sid.', { logout: drop('sub', 'sid') }],
  'logout-iss-wrong': ['refused', 'The token names another issuer.', { logout: set({ iss: other }) }],
  'logout-iss-missing': ['refused', 'The token names no issuer.', { logout: drop('iss') }],
  'logout-aud-wrong': ['refused', 'The token is for another client.', { logout: set({ aud: 'another-client' }) }],
  'logout-aud-missing': ['refused', 'There is no aud.', { logout: drop('aud') }],
  'logout-iat-missing': ['refused', 'There is no iat.', { logout: drop('iat') }],
  'logout-iat-future': ['refused', 'The token was made in an hour from now.', { logout: (c) => { c.iat = now() + 3600; c.exp = now() + 7200; } }],
  'logout-exp-past': ['refused', 'The token expired an hour ago.', { logout: (c) => { c.iat = now() - 7200; c.exp = now() - 3600; } }],
  'logout-exp-missing': ['refused|logout', 'There is no exp; it became compulsory late.', { logout: drop('exp') }],
  'logout-jti-missing': ['refused', 'There is no jti.', { logout: drop('jti') }],
  'logout-events-missing': ['refused', 'There are no events.', { logout: drop('events') }],
  'logout-events-other': ['refused', 'events has another event in it.', { logout: set({ events: { 'http://schemas.openid.net/event/other': {} } }) }],
  'logout-events-string': ['refused', 'events is a string.', { logout: set({ events: event }) }],
  'logout-event-null': ['refused', 'The event is not an object.', { logout: set({ events: { [event]: null } }) }],
  'logout-nonce': ['refused', 'The token has a nonce, which it must not have.', { logout: set({ nonce: 'x' }) }],
  'logout-id-token': ['refused', 'An ID token is sent as a logout token.', { logout: (c) => { delete c.events; c.nonce = 'x'; }, logoutHeader: set({ typ: 'JWT' }) }],
  'logout-typ-other': ['refused', 'typ says that this is an access token.', { logoutHeader: set({ typ: 'at+jwt' }) }],
  'logout-sig-none': ['refused', 'alg none.', { logoutSign: (h, c) => jws({ ...h, alg: 'none' }, c, 'none') }],
  'logout-sig-wrong': ['refused', 'Another key made the signature.', { logoutSign: (h, c, o) => jws(h, c, 'RS256', o.keys.thief.privateKey) }],
  'logout-sig-unknown-kid': ['refused', 'The header names a key that is not published.', { logoutSign: (h, c, o) => jws({ ...h, kid: 'thief' }, c, 'RS256', o.keys.thief.privateKey) }],
  'logout-hs256-client-secret': ['refused', 'HS256 with the client\'s secret.', { logoutSign: (h, c, o) => jws({ ...h, alg: 'HS256' }, c, 'HS256', o.clientSecret) }],
  'logout-hs256-public-key': ['refused', 'HS256 with the public key\'s PEM text.', { logoutSign: (h, c, o) => jws({ ...h, alg: 'HS256' }, c, 'HS256', pem(o.signing)) }],
  'logout-crit': ['refused', 'The header demands an extension nobody knows.', { logoutHeader: set({ crit: ['x-unknown'], 'x-unknown': 1 }) }],
  'logout-replayed': ['refused|logout', 'The same token is sent twice; this is about the second answer.', { deliver: (token) => [{ token }, { token }] }],
  'logout-missing': ['refused', 'The form has no logout_token.', { deliver: () => [{ body: new URLSearchParams({ token: 'x' }) }] }],
  'logout-empty': ['refused', 'The logout_token is empty.', { deliver: () => [{ body: new URLSearchParams({ logout_token: '' }) }] }],
  'logout-twice': ['refused', 'The form has two logout_tokens.', { deliver: (token) => [{ body: new URLSearchParams([['logout_token', token], ['logout_token', 'a.b.c']]) }] }],
  'logout-json': ['refused', 'The token comes in JSON.', { deliver: (token) => [{ body: JSON.stringify({ logout_token: token }), headers: { 'content-type': 'application/json' } }] }],
  'logout-get': ['refused', 'The token comes with GET in the query.', { deliver: (token) => [{ method: 'GET', query: `logout_token=${token}` }] }],
  'logout-query': ['refused', 'The token comes with POST in the query.', { deliver: (token) => [{ query: `logout_token=${token}`, body: new URLSearchParams() }] }],
  'logout-huge': ['refused', 'The form is 20 MB long.', { deliver: (token) => [{ body: `logout_token=${token}&x=${'x'.repeat(20e6)}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } }] }],
};

// --- all of them -------------------------------------------------------------------------------

// Discovery that answers badly, keys that do, and so on: each fault at each endpoint.
const faulty = (endpoint) => Object.fromEntries(Object.entries(faults).map(([name, [what, reply, may = []]]) => [
  `${endpoint}-${name}`, [['fault', ...may].join('|'), `The ${endpoint} endpoint ${what}.`, { reply: { [endpoint]: reply } }],
]));

const steps = {
  none: { good: ['login', 'Everything is right.', {}, ''] },
  discovery: { ...discovery, ...faulty('discovery') },
  authorize,
  token: { ...token, ...faulty('token') },
  id_token: idToken,
  jwks: { ...jwks, ...faulty('jwks') },
  userinfo: { ...userinfo, ...faulty('userinfo') },
  logout,
};

export const modes = new Map();
for (const [step, entries] of Object.entries(steps)) {
  for (const [mode, [expected, about, hooks, module]] of Object.entries(entries)) {
    if (modes.has(mode)) throw new Error(`two modes '${mode}'`);
    const [expect, ...may] = expected.split('|');
    const { flows = 1 } = hooks;
    const suite = module === undefined ? undefined : ['oidcc-client-test', module].filter(Boolean).join('-');
    modes.set(mode, { ...hooks, about: { mode, step, expect, may, flows, about, ...(suite && { module: suite }) } });
  }
}
