// A small service that finds out by itself who calls it: by a signed token that it checks with panva's jose, by the keys that $ISSUER
// publishes (RFC 9068 section 4); or by asking $ISSUER, as the application $APPLICATION (`id:key`), what a token is worth.
//
// GET /signed/…   200 with the claims of the token in `X-User-Jwt`, else in `Authorization: Bearer …`; else 401 with jose's word for why
// GET /own/who    200 with what RFC 7662 says of the caller's own token, else 401
// GET /own/menu   200 with what the caller may do with orders, as /api/acl/check has it
//
// $ISSUER is who may sign, $AUDIENCE the name the service goes by (https://orders.example).
import { installed, json, serve } from './lib.mjs';

const { createRemoteJWKSet, jwtVerify } = await installed('jose');
const issuer = process.env.ISSUER;
const audience = process.env.AUDIENCE ?? 'https://orders.example';

/** Where the keys are is asked once; which there are whenever a token names one that is not known. */
const told = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
if (told.issuer !== issuer) throw new Error(`it calls itself ${told.issuer}`);
const keys = createRemoteJWKSet(new URL(told.jwks_uri), { cooldownDuration: 0 });

async function signed(request, response) {
  const [, bearer = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  try {
    const rules = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'client_id', 'iat', 'jti'] };
    const { payload } = await jwtVerify(request.headers['x-user-jwt'] || bearer, keys, rules);
    json(response, 200, payload);
  } catch (error) {
    json(response, 401, { error: error.code ?? error.message });
  }
}

async function who(request, response) {
  const answer = await fetch(told.introspection_endpoint, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(process.env.APPLICATION).toString('base64')}` },
    body: new URLSearchParams({ token: request.headers.authorization ?? '-' }),
  });
  if (!answer.ok) return json(response, 502, await answer.json());
  const worth = await answer.json();
  json(response, worth.active ? 200 : 401, worth);
}

async function menu(request, response) {
  const questions = ['find', 'create'].map((property) => {
    return { model: 'Order', property, accessType: property === 'find' ? 'READ' : 'WRITE' };
  });
  const answer = await fetch(`${issuer}/api/acl/check`, {
    method: 'POST',
    headers: { authorization: request.headers.authorization ?? '', 'content-type': 'application/json' },
    body: JSON.stringify(questions),
  });
  json(response, answer.status, await answer.json());
}

serve(() => (request, response) => {
  if (request.url === '/own/who') return who(request, response);
  if (request.url === '/own/menu') return menu(request, response);
  return signed(request, response);
});
