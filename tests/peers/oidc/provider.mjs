// An OpenID provider for tests: the certified `oidc-provider`, with accounts of its own, a plain login
// form, and a control API under /__control. It also starts the hostile provider (hostile.mjs).
//
//   node provider.mjs DIR     serves on free ports of 127.0.0.1, then writes DIR/oidc.env
//
// The packages come from $VESTIBULE_PEERS_CACHE/node_modules; `peer` puts them there.

import { AsyncLocalStorage } from 'node:async_hooks';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freshAccounts } from './accounts.mjs';
import { startHostile } from './hostile.mjs';
import { Adapter, forget } from './storage.mjs';

// oidc-provider 9 is written for Node 22; this is all that Node 20 lacks.
URL.parse ??= (url, base) => { try { return new URL(url, base); } catch { return null; } };

const library = join(process.env.VESTIBULE_PEERS_CACHE, 'node_modules/oidc-provider/lib/index.js');
const { Provider, errors } = await import(pathToFileURL(library));

const secret = 'a-secret-that-only-tests-know-0123456789';
const oddSecret = 'odd: 100%+ sure&true=/"\\?';
const cookieKey = randomBytes(32).toString('hex');

const freshClients = () => {
  const client = (id, more) => ({
    client_id: id,
    client_secret: secret,
    redirect_uris: ['http://127.0.0.1/callback'],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_basic',
    ...more,
  });
  return Object.fromEntries([
    client('vestibule'),
    client('vestibule-post', { token_endpoint_auth_method: 'client_secret_post' }),
    client('vestibule-public', { token_endpoint_auth_method: 'none', client_secret: undefined }),
    client('vestibule-es256', { id_token_signed_response_alg: 'ES256' }),
    client('vestibule-eddsa', { id_token_signed_response_alg: 'EdDSA' }),
    // Its secret has to be form-encoded before it goes into an Authorization header.
    client('vestibule-odd', { client_secret: oddSecret }),
  ].map((one) => [one.client_id, one]));
};

const freshOptions = () => ({ down: false, delay_ms: 0, claims_in_id_token: true, refresh_tokens: true });

const state = {
  accounts: freshAccounts(),
  clients: freshClients(),
  // Clients whose addresses a test has set; the others may be sent anywhere on this machine.
  strict: new Set(),
  options: freshOptions(),
  keys: [],
  counts: {},
  requests: [],
  logins: [],
};

let issuer;
let provider;
let handle;

// --- keys --------------------------------------------------------------------------------------

const newKey = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID(),
});
const newRsa = () => newKey('rsa', { modulusLength: 2048 }, 'RS256');
const newEc = () => newKey('ec', { namedCurve: 'P-256' }, 'ES256');
const newEd = () => newKey('ed25519', {}, 'EdDSA');

// --- the provider ------------------------------------------------------------------------------

const bySub = (sub) => Object.values(state.accounts).find((account) => account.claims.sub === sub);

const profile = ['preferred_username', 'name', 'groups', 'realm_access', 'resource_access'];

const configuration = () => ({
  adapter: Adapter,
  clients: Object.values(state.clients),
  jwks: { keys: state.keys },
  cookies: {
    keys: [cookieKey],
    // Browsers share cookies between ports: these names are nobody else's.
    names: { session: 'op_session', interaction: 'op_interaction', resume: 'op_resume' },
  },
  acrValues: ['1', '2'],
  scopes: ['openid', 'offline_access', 'profile', 'email', 'groups', 'roles'],
  claims: {
    openid: ['sub', 'acr', 'amr', 'auth_time'],
    iss: null,
    sid: null,
    profile,
    email: ['email', 'email_verified'],
    groups: ['groups'],
    roles: ['realm_access', 'resource_access'],
  },
  conformIdTokenClaims: !state.options.claims_in_id_token,
  allowOmittingSingleRegisteredRedirectUri: false,
  responseTypes: ['code'],
  pkce: { required: () => true },
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA', 'PS256'] },
  ttl: {
    AccessToken: 600, AuthorizationCode: 60, IdToken: 600, Interaction: 3600, Grant: 86400, RefreshToken: 86400, Session: 86400,
  },
  issueRefreshToken: async (ctx, client) => state.options.refresh_tokens && client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    dPoP: { enabled: false },
    pushedAuthorizationRequests: { enabled: false },
    backchannelLogout: { enabled: true },
    claimsParameter: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    userinfo: { enabled: true },
    rpInitiatedLogout: {
      enabled: true,
      logoutSource: (ctx, form) => { ctx.body = page(`${form}<button name="logout" value="yes" form="op.logoutForm">Log out</button>`); },
      postLogoutSuccessSource: (ctx) => { ctx.body = page('<p>You are logged out.</p>'); },
    },
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  renderError: async (ctx, out) => { ctx.type = 'json'; ctx.body = out; },
  async findAccount(ctx, sub) {
    const account = bySub(sub);
    if (!account || account.disabled) return undefined;
    return {
      accountId: sub,
      claims: async () => JSON.parse(JSON.stringify({ acr: account.acr, amr: account.amr, ...account.claims })),
    };
  },
  fetch: send,
});

// Set while the control API sends a logout token, to tell what was sent and answered.
const outgoing = new AsyncLocalStorage();

async function send(url, options) {
  const letter = outgoing.getStore();
  if (letter) letter.token = new URLSearchParams(options.body.toString()).get('logout_token');
  if (letter && !letter.post) return new Response();
  // The library's own guard against requests to this machine would stop every back-channel logout here.
  const response = await fetch(url, { ...options, dispatcher: undefined });
  if (letter) letter.answer = { status: response.status, body: (await response.clone().text()).slice(0, 10_000) };
  return response;
}

const loopback = (uri) => {
  const url = URL.parse(uri);
  return url?.protocol === 'http:' && ['127.0.0.1', 'localhost'].includes(url.hostname);
};

const rebuild = () => {
  provider = new Provider(issuer, configuration());
  const client = provider.Client.prototype;
  client.redirectUriAllowed = function allowed(uri) {
    return this.redirectUris.includes(uri) || (!state.strict.has(this.clientId) && loopback(uri));
  };
  client.postLogoutRedirectUriAllowed = function allowed(uri) {
    return (this.postLogoutRedirectUris ?? []).includes(uri) || (!state.strict.has(this.clientId) && loopback(uri));
  };
  client.includeSid = () => true;
  provider.on('authorization.success', (ctx) => {
    const { session, client: of } = ctx.oidc;
    state.logins.push({ sub: session.accountId, client: of.clientId, sid: session.sidFor(of.clientId) });
  });
  provider.on('server_error', (ctx, error) => console.error(error));
  handle = provider.callback();
};

// --- the login form ----------------------------------------------------------------------------

const page = (content) => `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Test provider</title>${content}</html>\n`;

const form = (note = '') => page(`<form method="post"><p>${note}</p>
<label>Login <input name="login" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button>Log in</button> <button name="cancel" value="1">Cancel</button></form>`);

const html = (res, status, text) => res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(text);

async function interaction(req, res) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(req, res);
  const finish = (result) => provider.interactionFinished(req, res, result, { mergeWithLastSubmission: !('error' in result) });

  if (prompt.name === 'consent') {
    // Everybody agrees to everything that is asked for.
    const grant = (grantId && await provider.Grant.find(grantId))
      || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '));
    if (prompt.details.missingOIDCClaims) grant.addOIDCClaims(prompt.details.missingOIDCClaims);
    return finish({ consent: { grantId: await grant.save() } });
  }
  if (req.method !== 'POST') return html(res, 200, form());

  const fields = new URLSearchParams(await text(req));
  if (fields.has('cancel')) return finish({ error: 'access_denied', error_description: 'The user pressed Cancel' });
  const name = fields.get('login') ?? '';
  const account = Object.hasOwn(state.accounts, name) ? state.accounts[name] : undefined;
  if (!account || account.disabled || account.password !== fields.get('password')) {
    return html(res, 401, form('This login and password do not belong together.'));
  }
  return finish({ login: { accountId: account.claims.sub, acr: account.acr, amr: account.amr } });
}

async function text(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > 1 << 20) throw new Refusal(413, 'body too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

// --- the control API ---------------------------------------------------------------------------

class Refusal extends Error {
  constructor(status, message) { super(message); this.status = status; }
}

const find = (table, name, what) => {
  if (!Object.hasOwn(table, name)) throw new Refusal(404, `no ${what} '${name}'`);
  return table[name];
};

const assign = (target, changes) => {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete target[name]; else target[name] = value;
  }
};

const publicKeys = () => state.keys.map(({ kid, alg }) => ({ kid, alg }));

const parts = ['accounts', 'clients', 'options', 'sessions', 'counts'];

const control = {
  'GET ': () => ({ issuer, calls: Object.keys(control) }),
  'GET counts': () => state.counts,
  'GET requests': () => state.requests,
  'GET keys': publicKeys,
  'GET options': () => state.options,
  'GET clients': () => state.clients,
  'GET accounts': () => state.accounts,

  // Makes or changes a client; null removes a member. Set redirect_uris are then the only ones.
  'POST clients NAME': (body, id) => {
    const before = state.clients[id];
    const after = structuredClone(before ?? { ...freshClients().vestibule, client_id: id });
    assign(after, body);
    state.clients = { ...state.clients, [id]: after };
    try { rebuild(); } catch (error) {
      if (before) state.clients[id] = before; else delete state.clients[id];
      rebuild();
      throw new Refusal(400, error.error_description ?? error.message);
    }
    if (body.redirect_uris) state.strict.add(id);
    return after;
  },

  // Makes or changes an account: password, disabled, acr, amr, and claims (null removes one).
  'POST accounts NAME': ({ claims = {}, ...more }, name) => {
    const account = state.accounts[name] ??= {
      password: `${name}-pass-1`, disabled: false, acr: '1', amr: ['pwd'],
      claims: { sub: randomUUID(), preferred_username: name, email: `${name}@lab.example`, email_verified: true },
    };
    assign(account, more);
    assign(account.claims, claims);
    return account;
  },

  'POST accounts NAME groups': ({ add = [], remove = [] }, name) => {
    const { claims } = find(state.accounts, name, 'account');
    claims.groups = [...new Set([...(claims.groups ?? []), ...add])].filter((group) => !remove.includes(group));
    return claims.groups;
  },

  // Signs with a new RSA key (or alg ES256, EdDSA) from now on; the old one stays published unless keep is false.
  'POST rotate': ({ keep = true, alg = 'RS256' }) => {
    const make = { RS256: newRsa, ES256: newEc, EdDSA: newEd }[alg];
    if (!make) throw new Refusal(400, `no keys for '${alg}'`);
    state.keys = [make(), ...state.keys.filter((key) => keep || key.alg !== alg)];
    rebuild();
    return publicKeys();
  },

  // Posts a logout token for an account to a URL and tells what came back; without a URL only makes the token.
  'POST logout': async ({ account, client = 'vestibule', url, sid }) => {
    const { claims: { sub } } = find(state.accounts, account, 'account');
    const of = await provider.Client.find(client);
    if (!of) throw new Refusal(404, `no client '${client}'`);
    const last = state.logins.findLast((login) => login.sub === sub && login.client === client);
    const session = sid ?? last?.sid;
    of.backchannelLogoutUri = url ?? 'http://127.0.0.1/';
    of.backchannelLogoutSessionRequired = session !== undefined && sid !== false;
    const letter = { post: Boolean(url) };
    try {
      await outgoing.run(letter, () => of.backchannelLogout(sub, session));
    } catch (error) {
      letter.answer ??= { error: String(error.cause ?? error) };
    }
    return { logout_token: letter.token, sid: sid === false ? undefined : session, ...letter.answer };
  },

  // Ends every session of an account here and forgets its grants, codes and tokens.
  'POST revoke': ({ account }) => {
    const { claims: { sub } } = find(state.accounts, account, 'account');
    return { forgotten: forget((payload) => payload.accountId === sub) };
  },

  'POST options': (body) => {
    for (const name of Object.keys(body)) find(state.options, name, 'option');
    Object.assign(state.options, body);
    rebuild();
    return state.options;
  },

  // Back to the beginning, or the named parts of it. The keys stay: they were never anybody's state.
  'POST reset': ({ only = parts }) => {
    for (const part of only) if (!parts.includes(part)) throw new Refusal(400, `no part '${part}'`);
    if (only.includes('accounts')) state.accounts = freshAccounts();
    if (only.includes('clients')) { state.clients = freshClients(); state.strict.clear(); }
    if (only.includes('options')) state.options = freshOptions();
    if (only.includes('sessions')) { forget(() => true); state.logins = []; }
    if (only.includes('counts')) { state.counts = {}; state.requests = []; }
    rebuild();
    return { reset: only };
  },
};

async function controlled(req, res, path) {
  const [, , ...words] = path.split('/').map(decodeURIComponent);
  const name = ['accounts', 'clients'].includes(words[0]) && words.length > 1 ? words[1] : undefined;
  const call = [...words.slice(0, 1), ...(name === undefined ? words.slice(1) : ['NAME', ...words.slice(2)])].join(' ');
  const run = control[`${req.method} ${call}`];
  if (!run) throw new Refusal(404, `no call '${req.method} ${call}'`);
  const body = req.method === 'POST' ? JSON.parse(await text(req) || '{}') : {};
  json(res, 200, await run(body, name));
}

// --- the server --------------------------------------------------------------------------------

const json = (res, status, body) => res.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body, null, 1)}\n`);

const endpoints = [
  ['discovery', /^\/\.well-known\/openid-configuration$/], ['jwks', /^\/jwks$/], ['authorize', /^\/auth$/], ['resume', /^\/auth\//],
  ['token', /^\/token$/], ['introspection', /^\/token\/introspection$/], ['revocation', /^\/token\/revocation$/],
  ['userinfo', /^\/me$/], ['login', /^\/interaction\//], ['end_session', /^\/session\/end/],
];

const server = createServer(async (req, res) => {
  const { pathname } = new URL(req.url, issuer);
  try {
    if (pathname === '/__control' || pathname.startsWith('/__control/')) {
      return await controlled(req, res, pathname === '/__control' ? '/__control/' : pathname);
    }
    const endpoint = endpoints.find(([, pattern]) => pattern.test(pathname))?.[0] ?? 'other';
    state.counts[endpoint] = (state.counts[endpoint] ?? 0) + 1;
    const seen = {
      endpoint, method: req.method, url: req.url, authorization: req.headers.authorization?.split(' ')[0], user_agent: req.headers['user-agent'],
    };
    state.requests.push(seen);
    if (state.requests.length > 500) state.requests.shift();
    res.on('finish', () => { seen.status = res.statusCode; });
    if (state.options.delay_ms) await new Promise((wake) => { setTimeout(wake, state.options.delay_ms); });
    if (state.options.down) return json(res, 503, { error: 'temporarily_unavailable' });
    if (endpoint === 'login') return await interaction(req, res);
    return await handle(req, res);
  } catch (error) {
    const status = error.status ?? (error instanceof errors.SessionNotFound || error instanceof SyntaxError ? 400 : 500);
    if (status === 500) console.error(error);
    if (!res.headersSent) json(res, status, { error: error.message }); else res.destroy();
    return undefined;
  }
});

server.keepAliveTimeout = 120_000; // no client shall meet a connection that just went away

const folder = process.argv[2];
if (!folder) { console.error('usage: node provider.mjs DIR'); process.exit(2); }

await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
issuer = `http://127.0.0.1:${server.address().port}`;
state.keys = [newRsa(), newEc(), newEd()];
rebuild();
const hostile = await startHostile({ clientId: 'vestibule', clientSecret: secret });

const env = {
  VESTIBULE_TEST_OIDC: issuer,
  VESTIBULE_TEST_OIDC_HOSTILE: hostile,
  VESTIBULE_TEST_OIDC_CONTROL: `${issuer}/__control`,
  VESTIBULE_TEST_OIDC_CLIENT: 'vestibule',
  VESTIBULE_TEST_OIDC_SECRET: secret,
};
const file = join(folder, 'oidc.env');
writeFileSync(`${file}.new`, Object.entries(env).map(([name, value]) => `export ${name}=${value}\n`).join(''), { mode: 0o600 });
renameSync(`${file}.new`, file);
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => process.exit(0));
process.on('unhandledRejection', (error) => console.error('unhandled:', error));
