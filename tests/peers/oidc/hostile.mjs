// A provider that misbehaves on request: every mode (modes.mjs) is an issuer of its own,
// http://127.0.0.1:PORT/m/MODE, or /m/MODE~TAG with a state of its own for each TAG.
// It asks nobody anything: the authorization endpoint redirects straight back as ann.

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { freshAccounts } from './accounts.mjs';
import { challenge, jws, leftHalf, makeKeys } from './jose.mjs';
import { modes } from './modes.mjs';

const now = () => Math.floor(Date.now() / 1000);
const accounts = freshAccounts();
const event = 'http://schemas.openid.net/event/backchannel-logout';

const json = (res, status, body, headers = {}) => res
  .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers })
  .end(typeof body === 'string' ? body : JSON.stringify(body));

// Applies a hook, which changes its object or returns another.
const hooked = (hook, value, o) => hook?.(value, o) ?? value;
const asText = (value) => (typeof value === 'string' ? value : JSON.stringify(value));

class Issuer {
  constructor(setup, origin, name, tag) {
    Object.assign(this, setup, { origin, name, tag, mode: modes.get(name) });
    this.base = `${origin}/m/${name}${tag ? `~${tag}` : ''}`;
    this.reset();
  }

  reset() {
    this.signing = this.keys.first;
    this.published = [this.keys.first];
    this.flow = 0;
    this.codes = new Map();
    this.tokens = new Map();
    this.seen = { counts: {}, bytes: {}, complaints: [], requests: [] };
    for (const name of ['firstState', 'firstCode', 'firstIdToken', 'sid', 'bait']) delete this[name];
    this.mode.start?.(this);
  }

  // The issuer of another mode that only this one uses.
  sibling(name) { return `${this.origin}/m/${name}~of-${this.name}${this.tag ? `-${this.tag}` : ''}`; }

  complain(text) { this.seen.complaints.push(text); }

  discovery() {
    const { base } = this;
    const { clientAuth } = this.mode;
    return asText(hooked(this.mode.discovery, {
      issuer: base,
      authorization_endpoint: `${base}/authorize`,
      token_endpoint: `${base}/token`,
      userinfo_endpoint: `${base}/userinfo`,
      jwks_uri: `${base}/jwks`,
      end_session_endpoint: `${base}/end_session`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: clientAuth ? [`client_secret_${clientAuth}`] : ['client_secret_basic', 'client_secret_post'],
      scopes_supported: ['openid', 'profile', 'email', 'groups'],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    }, this));
  }

  jwks() { return asText({ keys: hooked(this.mode.jwks, this.published.map((key) => key.jwk), this) }); }

  authorize(query) {
    const need = ['client_id', 'redirect_uri', 'state', 'nonce', 'code_challenge', ...(this.mode.needs ?? [])];
    for (const name of need) if (!query.get(name)) this.complain(`authorize: no ${name}`);
    if (query.get('response_type') !== 'code') this.complain('authorize: response_type is not code');
    if (query.get('code_challenge_method') !== 'S256') this.complain('authorize: code_challenge_method is not S256');
    if (query.get('client_id') !== this.clientId) this.complain('authorize: another client_id');
    if (!(query.get('scope') ?? '').split(' ').includes('openid')) this.complain('authorize: no scope openid');
    for (const name of new Set(query.keys())) if (query.getAll(name).length > 1) this.complain(`authorize: ${name} twice`);
    if (!query.get('redirect_uri')) return undefined;

    this.flow += 1;
    this.mode.onFlow?.(this);
    const code = randomUUID();
    this.codes.set(code, {
      user: accounts[query.get('as')] ? query.get('as') : 'ann',
      nonce: query.get('nonce'),
      challenge: query.get('code_challenge'),
      redirectUri: query.get('redirect_uri'),
      used: false,
    });
    const answer = new URLSearchParams({ code, state: query.get('state') ?? '', iss: this.base });
    this.mode.authorize?.(answer, this);
    const redirectUri = query.get('redirect_uri');
    const separator = this.mode.fragment ? '#' : redirectUri.includes('?') ? '&' : '?';
    return `${redirectUri}${separator}${answer}`;
  }

  // Who the client says it is, and whether it may.
  client(req, form) {
    const [scheme, text] = (req.headers.authorization ?? '').split(' ');
    if (scheme.toLowerCase() === 'basic') {
      const [id, secret] = Buffer.from(text ?? '', 'base64').toString().split(':').map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
      return { way: form.has('client_secret') ? 'both' : 'basic', good: id === this.clientId && secret === this.clientSecret };
    }
    if (form.has('client_secret')) return { way: 'post', good: form.get('client_id') === this.clientId && form.get('client_secret') === this.clientSecret };
    return { way: 'none', good: false };
  }

  // [status, body] of the token endpoint, as a good provider would answer, but for what the mode changes.
  token(req, form) {
    const { way, good } = this.client(req, form);
    if (!good || (this.mode.clientAuth && this.mode.clientAuth !== way)) {
      this.complain(`token: client authentication by '${way}' refused`);
      return [401, { error: 'invalid_client' }];
    }
    if (form.get('grant_type') !== 'authorization_code') return [400, { error: 'unsupported_grant_type' }];
    const code = this.codes.get(form.get('code'));
    if (!code || code.used) return [400, { error: 'invalid_grant', error_description: 'unknown or used code' }];
    code.used = true;
    if (!this.mode.sloppy) {
      if (form.get('redirect_uri') !== code.redirectUri) {
        this.complain('token: another redirect_uri');
        return [400, { error: 'invalid_grant', error_description: 'redirect_uri' }];
      }
      if (challenge(form.get('code_verifier') ?? '') !== code.challenge) {
        this.complain('token: the code_verifier does not match');
        return [400, { error: 'invalid_grant', error_description: 'code_verifier' }];
      }
    }
    this.mode.onToken?.(this);
    const accessToken = randomUUID();
    this.tokens.set(accessToken, code);
    this.sid = randomUUID();
    return [200, hooked(this.mode.token, {
      access_token: accessToken, token_type: 'Bearer', expires_in: 600, scope: 'openid profile email groups', id_token: this.idToken(code, accessToken),
    }, this)];
  }

  idToken({ user, nonce }, accessToken) {
    const { sub, ...profile } = accounts[user].claims;
    const claims = hooked(this.mode.claims, {
      iss: this.base,
      sub,
      aud: this.clientId,
      exp: now() + 600,
      iat: now(),
      auth_time: now(),
      nonce,
      acr: '1',
      amr: ['pwd'],
      sid: this.sid,
      at_hash: leftHalf(this.signing.alg, accessToken),
      ...(this.mode.about.step === 'userinfo' ? {} : profile),
    }, this);
    return this.signed(this.mode.header, claims, this.mode.sign, 'JWT');
  }

  signed(change, claims, sign, typ) {
    const header = hooked(change, { alg: this.signing.alg, kid: this.signing.kid, typ }, this);
    return sign ? sign(header, claims, this) : jws(header, claims, this.signing.alg, this.signing.privateKey);
  }

  // [status, body] of the userinfo endpoint.
  userinfo(req, form) {
    const [scheme, text] = (req.headers.authorization ?? '').split(' ');
    const way = scheme.toLowerCase() === 'bearer' ? 'header' : form.has('access_token') ? 'body' : 'none';
    const code = this.tokens.get(way === 'header' ? text : form.get('access_token'));
    if (!code || (this.mode.bearer && this.mode.bearer !== way)) return [401, { error: 'invalid_token' }];
    return [200, hooked(this.mode.userinfo, structuredClone(accounts[code.user].claims), this)];
  }

  // Sends this mode's logout token to a client and tells how the client answered.
  async logout({ url, sub = accounts.ann.claims.sub, sid = this.sid }) {
    const claims = hooked(this.mode.logout, {
      iss: this.base, sub, sid, aud: this.clientId, iat: now(), exp: now() + 120, jti: randomUUID(), events: { [event]: {} },
    }, this);
    const token = this.signed(this.mode.logoutHeader, claims, this.mode.logoutSign, 'logout+jwt');
    const answers = [];
    for (const delivery of url ? (this.mode.deliver ?? ((one) => [{ token: one }]))(token) : []) {
      const { method = 'POST', query, headers, body = method === 'POST' ? new URLSearchParams({ logout_token: delivery.token }) : undefined } = delivery;
      try {
        const response = await fetch(query ? `${url}?${query}` : url, { method, headers, body, redirect: 'manual', signal: AbortSignal.timeout(30_000) });
        answers.push({ status: response.status, cache_control: response.headers.get('cache-control'), body: (await response.text()).slice(0, 10_000) });
      } catch (error) {
        answers.push({ error: String(error.cause ?? error) });
      }
    }
    return { logout_token: token, claims, answers };
  }
}

async function readText(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > 1 << 20) throw new Error('body too large');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

async function answer(o, endpoint, req, res, url) {
  const body = req.method === 'POST' ? await readText(req) : '';
  if (endpoint === '__seen') return json(res, 200, { issuer: o.base, flow: o.flow, sid: o.sid, ...o.seen });
  if (endpoint === '__reset') { o.reset(); return json(res, 200, {}); }
  if (endpoint === '__logout') return json(res, 200, await o.logout(JSON.parse(body || '{}')));

  const form = new URLSearchParams(body);
  const { seen } = o;
  seen.counts[endpoint] = (seen.counts[endpoint] ?? 0) + 1;
  if (seen.requests.length < 200) {
    seen.requests.push({
      endpoint, method: req.method, url: req.url, authorization: req.headers.authorization, content_type: req.headers['content-type'],
      user_agent: req.headers['user-agent'], ...(body && { form: Object.fromEntries(form) }),
    });
  }
  const before = req.socket.bytesWritten;
  const { socket } = req;
  const limit = setTimeout(() => res.destroy(), 300_000);
  res.on('close', () => {
    clearTimeout(limit);
    seen.bytes[endpoint] = (seen.bytes[endpoint] ?? 0) + (socket.bytesWritten - before);
  });

  let status = 200;
  let good;
  switch (endpoint) {
    case 'discovery': good = o.discovery(); break;
    case 'jwks': good = o.jwks(); break;
    case 'token': [status, good] = o.token(req, form); break;
    case 'userinfo': [status, good] = o.userinfo(req, form); break;
    case 'thief-jwks': good = { keys: [o.keys.thief.jwk] }; break;
    case 'bait': good = o.bait ?? '{}'; break;
    case 'end_session': good = {}; break;
    case 'authorize': {
      const location = o.authorize(url.searchParams);
      if (!location) return json(res, 400, { error: 'invalid_request' });
      return res.writeHead(303, { location, 'cache-control': 'no-store' }).end();
    }
    default: return json(res, 404, { error: 'not found' });
  }
  const reply = o.mode.reply?.[endpoint];
  if (reply) return reply(res, asText(good), o, url.href, req);
  return json(res, status, asText(good));
}

const paths = { '/.well-known/openid-configuration': 'discovery', '/somewhere/else/keys': 'jwks' };

export async function startHostile({ clientId, clientSecret }) {
  const setup = { clientId, clientSecret, keys: makeKeys() };
  const issuers = new Map();
  let origin;

  const server = createServer(async (req, res) => {
    try {
      const url = new URL(req.url, origin);
      if (url.pathname === '/__modes') {
        return json(res, 200, [...modes.values()].map(({ about }) => ({ ...about, issuer: `${origin}/m/${about.mode}` })));
      }
      const [, name, tag = '', path] = /^\/m\/([a-z0-9-]+)(?:~([A-Za-z0-9._-]{1,100}))?(\/.*)$/.exec(url.pathname) ?? [];
      if (!modes.has(name)) return json(res, 404, { error: 'no such mode; see /__modes' });
      const key = `${name}~${tag}`;
      if (!issuers.has(key)) issuers.set(key, new Issuer(setup, origin, name, tag));
      return await answer(issuers.get(key), paths[path] ?? path.slice(1), req, res, url);
    } catch (error) {
      console.error('hostile:', error);
      if (res.headersSent) res.destroy(); else json(res, 500, { error: `the test provider itself failed: ${error.message}` });
      return undefined;
    }
  });
  server.keepAliveTimeout = 120_000; // no client shall meet a connection that just went away
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  origin = `http://127.0.0.1:${server.address().port}`;
  return origin;
}
