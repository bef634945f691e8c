// An OpenID provider that misbehaves on demand, on npm oauth2-mock-server. Each fault has an issuer of its own:
// http://127.0.0.1:PORT/FAULT; the one of /plain behaves. Whoever asks is let in as the victim, with any client.
//
//   GET  /__ctl/faults                      their names, by where they strike
//   POST /__ctl/claims?tenant=plain {…}     who it is from now on, at that issuer
//   POST /__ctl/apple {jwk}                 the public key that client secrets at /apple must be signed with
//   GET  /__ctl/issued                      every code and token it ever gave away
//   GET  /__ctl/log                         every request, `METHOD path`
import { createPublicKey, createVerify } from 'node:crypto';
import { FAULTS, hang, payload, raw, redirect, response as responses, token, userinfo } from './faults.mjs';
import { bodyOf, installed, json, serve } from './lib.mjs';

const { OAuth2Issuer, OAuth2Service } = await installed('oauth2-mock-server');
const TENANT = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
const VICTIM = { sub: 'evil-1', email: 'victim@example.test', email_verified: true, name: 'The Victim' };
const log = [];
const issued = new Set();
const tenants = new Map();
let appleKey;

/** What the ready profiles must cope with, each at an issuer of its own. */
const DIALECTS = {
  // Entra's issuer is a template until a token names its tenant.
  microsoft: (claims, url) => Object.assign(claims, {
    iss: `${url}/${TENANT}/v2.0`, tid: TENANT, oid: '00000000-0000-0000-66f3-3332eca7ea81', preferred_username: claims.email,
    email_verified: undefined,
  }),
  'microsoft-foreign-tenant': (claims, url) => Object.assign(claims, {
    iss: `${url}/${TENANT}/v2.0`, tid: '9188040d-6c67-4c5b-b112-36a304b66dad', oid: '00000000-0000-0000-66f3-3332eca7ea81',
  }),
  // Booleans are strings.
  apple: (claims) => Object.assign(claims, { email_verified: 'true', is_private_email: 'true', name: undefined }),
};

const ownKey = new OAuth2Issuer().keys.generate('RS256');
const template = (name) => name.startsWith('microsoft');

function clientOf(request) {
  const basic = /^Basic (.+)$/i.exec(request.headers.authorization ?? '');
  if (basic) return decodeURIComponent(Buffer.from(basic[1], 'base64').toString().split(':')[0]);
  return request.body?.client_id ?? request.query?.client_id;
}

/** Apple's client secret: a token the client signs with its own key (ES256). */
function appleRefuses(request) {
  const [header, claims, signature] = (request.body?.client_secret ?? '').split('.');
  if (!appleKey || !signature) return true;
  const key = createPublicKey({ key: appleKey, format: 'jwk' });
  const signed = createVerify('sha256').update(`${header}.${claims}`)
    .verify({ key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  const { sub, aud, exp, iss } = JSON.parse(Buffer.from(claims, 'base64url'));
  return !signed || sub !== request.body.client_id || !aud || !iss || exp < Date.now() / 1000;
}

/** Apple posts the answer from its own page, and names the person the first time only. */
function formPost(request, name) {
  request.res.redirect = (href) => {
    const { searchParams, origin, pathname } = new URL(href);
    if (!tenants.get(name).named) searchParams.set('user', '{"name":{"firstName":"Appleseed","lastName":"Johnny"}}');
    tenants.get(name).named = true;
    const escaped = (text) => text.replace(/[&<>"]/g, (one) => `&#${one.charCodeAt(0)};`);
    const fields = [...searchParams].map(([key, value]) => `<input type="hidden" name="${key}" value="${escaped(value)}">`);
    request.res.type('html').send(`<body onload="document.forms[0].submit()"><form method="post" action="${origin}${pathname}">${fields.join('')}</form>`);
  };
}

async function makeTenant(name, base) {
  const url = `${base}/${name}`;
  const issuer = new OAuth2Issuer();
  issuer.url = url;
  // One key for all: another one would take its time, and nothing here depends on it.
  const key = { ...await ownKey, kid: `key-of-${name}` };
  await issuer.keys.add(key);
  const service = new OAuth2Service(issuer);
  const tenant = { service, url, claims: { ...VICTIM }, key };
  service.on('beforeTokenSigning', (unsigned, request) => {
    const isIdToken = unsigned.payload.aud !== undefined && unsigned.payload.scope === undefined;
    Object.assign(unsigned.payload, isIdToken ? tenant.claims : { sub: tenant.claims.sub });
    if (!isIdToken) return;
    DIALECTS[name]?.(unsigned.payload, url);
    payload[name]?.(unsigned.payload);
  });
  service.on('beforeResponse', (answer, request) => {
    delete answer.body.scope;
    if (name === 'apple' && appleRefuses(request)) Object.assign(answer, { statusCode: 400, body: { error: 'invalid_client' } });
    if (answer.body.id_token && token[name]) answer.body.id_token = token[name](answer.body.id_token, { key, client: clientOf(request), url });
    responses[name]?.(answer, request.body?.grant_type);
    for (const kind of ['access_token', 'refresh_token', 'id_token']) if (answer.body[kind]) issued.add(answer.body[kind]);
  });
  service.on('beforeAuthorizeRedirect', (answer, request) => {
    redirect[name]?.(answer.url.searchParams, url);
    if (answer.url.searchParams.get('code')) issued.add(answer.url.searchParams.get('code'));
    if (request.query.response_mode === 'form_post') formPost(request, name);
  });
  service.on('beforeUserinfo', (answer) => {
    answer.body = { ...tenant.claims };
    if (name.startsWith('email-') || name === 'sub-long') payload[name](answer.body);
    userinfo[name]?.(answer);
  });
  return tenant;
}

function discovery({ url }, name) {
  const at = (path) => url + path;
  return {
    issuer: template(name) ? `${url}/{tenantid}/v2.0` : url,
    authorization_endpoint: at('/authorize'), token_endpoint: at('/token'), jwks_uri: at('/jwks'),
    ...(name === 'apple' || template(name) ? {} : { userinfo_endpoint: at('/userinfo') }),
    response_types_supported: ['code'], subject_types_supported: ['public'], id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: name === 'apple' ? ['client_secret_post'] : ['client_secret_basic', 'client_secret_post'],
    code_challenge_methods_supported: ['S256'],
    ...(name.startsWith('iss-') ? { authorization_response_iss_parameter_supported: true } : {}),
  };
}

const controls = {
  faults: () => FAULTS,
  claims: async (query, request, base) => { (await tenantOf(query.get('tenant'), base)).claims = JSON.parse(await bodyOf(request)); },
  apple: async (query, request) => { appleKey = JSON.parse(await bodyOf(request)); },
  issued: () => [...issued],
  log: () => log,
};

async function tenantOf(name, base) {
  if (!tenants.has(name)) tenants.set(name, makeTenant(name, base));
  const tenant = await tenants.get(name);
  tenants.set(name, tenant);
  return tenant;
}

serve((own) => async (request, response) => {
  const [, name, path] = /^\/([\w-]+)(\/.*)?$/.exec(request.url) ?? [];
  if (!name) return json(response, 404, {});
  const { pathname, searchParams } = new URL(request.url, own);
  if (name === '__ctl') return json(response, 200, (await controls[pathname.slice(7)]?.(searchParams, request, own)) ?? {});
  log.push(`${request.method} ${pathname}`);
  const tenant = await tenantOf(name, own);
  request.url = path ?? '/';
  // Entra's discovery stands below the name of a tenant, or of none in particular.
  const place = new URL(request.url, own).pathname.replace(/^\/common\/v2\.0(?=\/)/, '');
  const struck = raw[name]?.[place];
  if (struck) return struck(response, { ...tenant, hang, discovery: discovery(tenant, name) });
  if (place === '/.well-known/openid-configuration') return json(response, 200, discovery(tenant, name));
  return tenant.service.requestHandler(request, response);
});
