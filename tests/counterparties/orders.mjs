// A service that asks nobody about its callers: it checks their signed access tokens by itself, with panva's jose, by the keys that
// $ISSUER publishes (RFC 9068 section 4).
//
// GET /orders           200 with the claims of the token in `Authorization: Bearer …`, else 401 with jose's word for what is wrong
//
// $ISSUER is who may sign, $AUDIENCE the name it goes by (https://orders.example).
import { installed, json, serve } from './lib.mjs';

const { createRemoteJWKSet, jwtVerify } = await installed('jose');
const issuer = process.env.ISSUER;
const audience = process.env.AUDIENCE ?? 'https://orders.example';

/** Where the keys are is asked once; which there are whenever a token names one that is not known. */
const told = await (await fetch(`${issuer}/.well-known/oauth-authorization-server`)).json();
if (told.issuer !== issuer) throw new Error(`it calls itself ${told.issuer}`);
const keys = createRemoteJWKSet(new URL(told.jwks_uri), { cooldownDuration: 0 });

serve(() => async (request, response) => {
  const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  try {
    const rules = { issuer, audience, typ: 'at+jwt', algorithms: ['ES256'], requiredClaims: ['sub', 'client_id', 'iat', 'jti'] };
    const { payload } = await jwtVerify(token, keys, rules);
    json(response, 200, payload);
  } catch (error) {
    json(response, 401, { error: error.code ?? error.message });
  }
});
