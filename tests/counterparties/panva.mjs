// A certified OpenID provider (npm oidc-provider) whose people log in and consent by themselves; with $ASK it asks who it is.
//
// Who it is: `login_hint` of the authorization request, else whoever POST /__ctl/next named, else alice. `deny` refuses.
// Clients: web, other, short (whose first access tokens live for a second), brief (whose access tokens live for 62), post, public,
// es, eddsa, jwtinfo; each secret is NAME-secret.
//
//   POST /__ctl/next?account=bob            the next log-ins are bob's
//   POST /__ctl/user?account=bob {claims}   what is known about bob
//   POST /__ctl/rotate?keep=1&alg=RS256     a new signing key; keep=0 drops the old ones of that algorithm
//   POST /__ctl/revoke?account=bob          every grant of bob is void
//   POST /__ctl/slow?ms=5000                how long the token endpoint sleeps
//   GET  /__ctl/issued                      every code and token it ever gave away
//   GET  /__ctl/log                         every request, `METHOD path`, and what came of grants
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { bodyOf, installed, isOurs, json, serve } from './lib.mjs';

const { default: Provider } = await installed('oidc-provider');
const ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

function newKey(alg) {
  const pair = {
    RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
    ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    EdDSA: () => generateKeyPairSync('ed25519'),
  }[alg]();
  return { ...pair.privateKey.export({ format: 'jwk' }), use: 'sig', alg, kid: `${alg}-${randomBytes(4).toString('hex')}` };
}

const people = new Map(Object.entries({
  alice: {
    email: 'alice@example.test', email_verified: true, name: 'Alice Example', given_name: 'Alice', family_name: 'Example',
    preferred_username: 'alice', picture: 'http://127.0.0.1:9/a.png', locale: 'en-GB', updated_at: 1700000000,
  },
  bob: { email: 'bob@example.test', email_verified: false, name: 'Bob Unverified', preferred_username: 'bob' },
  carol: { email: 'CAROL@Example.Test', email_verified: true, name: 'Cårôl 😀 <b>x</b>', preferred_username: 'carol' },
  noemail: { name: 'No Mail', preferred_username: 'noemail' },
}));
let keys = ALGORITHMS.map(newKey);
let next = 'alice';
let slow = 0;
const log = [];
const issued = new Set();
const note = (line) => { log.push(line); if (log.length > 5000) log.shift(); };

// One store for all instances, so that sessions and grants outlive a change of keys.
const store = new Map();
const GIVEN_AWAY = ['AuthorizationCode', 'AccessToken', 'RefreshToken'];

class Store {
  constructor(kind) { this.kind = kind; }

  key(id) { return `${this.kind}:${id}`; }

  async upsert(id, payload, seconds) {
    store.set(this.key(id), { payload, until: seconds ? Date.now() + seconds * 1000 : Infinity });
    if (GIVEN_AWAY.includes(this.kind)) issued.add(id);
  }

  async find(id) {
    const found = store.get(this.key(id));
    return found && found.until > Date.now() ? structuredClone(found.payload) : undefined;
  }

  async findByUid(uid) {
    const found = [...store].find(([key, { payload }]) => key.startsWith(`${this.kind}:`) && payload.uid === uid);
    return found && structuredClone(found[1].payload);
  }

  async findByUserCode() { return undefined; }

  async destroy(id) { store.delete(this.key(id)); }

  async consume(id) {
    const found = store.get(this.key(id));
    if (found) found.payload.consumed = Math.floor(Date.now() / 1000);
  }

  async revokeByGrantId(grant) {
    for (const [key, { payload }] of store) if (payload.grantId === grant) store.delete(key);
  }
}

const client = (name, more = {}) => ({
  client_id: name, client_secret: `${name}-secret`, redirect_uris: ['http://127.0.0.1/callback'],
  grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], ...more,
});
const CLIENTS = [
  client('web'),
  client('other'),
  client('short'),
  client('brief'),
  client('post', { token_endpoint_auth_method: 'client_secret_post' }),
  client('public', { client_secret: undefined, token_endpoint_auth_method: 'none' }),
  client('es', { id_token_signed_response_alg: 'ES256' }),
  client('eddsa', { id_token_signed_response_alg: 'EdDSA' }),
  client('jwtinfo', { userinfo_signed_response_alg: 'RS256' }),
];

function makeProvider(issuer) {
  const provider = new Provider(issuer, {
    adapter: Store,
    clients: CLIENTS,
    jwks: { keys },
    cookies: { keys: ['nobody-needs-to-guess-this'] },
    enabledJWA: { idTokenSigningAlgValues: ALGORITHMS, userinfoSigningAlgValues: ALGORITHMS },
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username', 'picture', 'locale', 'updated_at'],
    },
    scopes: ['openid', 'email', 'profile', 'offline_access'],
    conformIdTokenClaims: process.env.CLAIMS_IN_ID_TOKEN !== '1',
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      userinfo: { enabled: true },
      jwtUserinfo: { enabled: true },
    },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    issueRefreshToken: async (ctx, asking, code) => code.scopes.has('offline_access'),
    ttl: {
      AccessToken: (ctx, token, asking) => {
        if (asking.clientId === 'brief') return 62;
        return asking.clientId === 'short' && token.gty === 'authorization_code' ? 1 : 300;
      },
      AuthorizationCode: 60, IdToken: 300, RefreshToken: 3600, Session: 3600, Grant: 3600, Interaction: 300,
    },
    interactions: { url: (ctx, { uid }) => `/interaction/${uid}` },
    findAccount: (ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...(people.get(id) ?? { preferred_username: id }) }),
    }),
  });
  provider.proxy = true; // behind tlsfront: X-Forwarded-Proto
  provider.Client.prototype.redirectUriAllowed = isOurs;
  for (const event of ['grant.success', 'grant.error', 'authorization.error', 'server_error']) {
    provider.on(event, (...given) => note(`${event} ${given.find((one) => one instanceof Error)?.message ?? ''}`.trim()));
  }
  return provider;
}

const QUESTION = `<!doctype html><meta charset="utf-8"><title>Demo provider</title>
<body style="font: 1.1rem system-ui; max-width: 24rem; margin: 15vh auto">
<h1>Demo provider</h1><p>Who are you? There is no password here: alice, bob, carol, or anybody.</p>
<form method="post" action=""><input name="account" value="alice" autofocus aria-label="Account">
<button name="go" value="in">Log in</button> <button name="go" value="no">Refuse</button></form>`;

/** Who comes: as the request hints, as the tests said, or as the person at the browser says. */
async function whoComes(request, response, hint) {
  if (hint || !process.env.ASK) return hint ?? next;
  if (request.method === 'POST') {
    const answer = new URLSearchParams(await bodyOf(request));
    return answer.get('go') === 'no' ? 'deny' : answer.get('account') || 'alice';
  }
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(QUESTION);
  return undefined;
}

async function interact(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  const finish = (result, merge) =>
    provider.interactionFinished(request, response, result, { mergeWithLastSubmission: merge });
  if (prompt.name === 'login') {
    const account = await whoComes(request, response, params.login_hint);
    if (account === undefined) return undefined;
    if (account === 'deny') return finish({ error: 'access_denied', error_description: '<script>alert(1)</script>' }, false);
    return finish({ login: { accountId: account, remember: false } }, false);
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  const { missingOIDCScope, missingOIDCClaims } = prompt.details;
  if (missingOIDCScope) grant.addOIDCScope(missingOIDCScope.join(' '));
  if (missingOIDCClaims) grant.addOIDCClaims(missingOIDCClaims);
  return finish({ consent: { grantId: await grant.save() } }, true);
}

const controls = {
  next: (query) => { next = query.get('account'); },
  user: async (query, request) => { people.set(query.get('account'), JSON.parse(await bodyOf(request))); },
  rotate: (query) => {
    const algorithms = query.get('alg') ? [query.get('alg')] : ALGORITHMS;
    const kept = query.get('keep') === '0' ? keys.filter(({ alg }) => !algorithms.includes(alg)) : keys;
    keys = [...algorithms.map(newKey), ...kept];
  },
  revoke: (query) => {
    for (const [key, { payload }] of store) if (payload.accountId === query.get('account')) store.delete(key);
  },
  slow: (query) => { slow = Number(query.get('ms')); },
  issued: () => [...issued],
  log: () => log,
};

serve((own) => {
  const issuer = process.env.ISSUER ?? own;
  let provider = makeProvider(issuer);
  const answer = async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    const control = /^\/__ctl\/(\w+)$/.exec(pathname)?.[1];
    if (control && control in controls) {
      const result = await controls[control](searchParams, request);
      // There is no way to change the keys of a running provider: another one continues on the same store.
      if (control === 'rotate') provider = makeProvider(issuer);
      return json(response, 200, result ?? {});
    }
    note(`${request.method} ${pathname}`);
    // Nobody stays logged in here: the next one at this browser may be somebody else.
    if (pathname === '/auth') delete request.headers.cookie;
    if (pathname.startsWith('/interaction/')) return interact(provider, request, response);
    if (pathname === '/token' && slow) await new Promise((wake) => { setTimeout(wake, slow); });
    return provider.callback()(request, response);
  };
  return (request, response) => answer(request, response).catch((error) => {
    note(`crash ${error}`);
    if (!response.headersSent) json(response, 500, { error: String(error) });
  });
});
