// Everything that evil-oidc does wrong, one thing each, by where it strikes.
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { json } from './lib.mjs';

const rogue = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rogueJwk = { ...rogue.publicKey.export({ format: 'jwk' }), kid: 'rogue', alg: 'RS256', use: 'sig' };
const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
const now = () => Math.floor(Date.now() / 1000);

function signedByRogue(header, claims) {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createSign('RSA-SHA256').update(input).sign(rogue.privateKey, 'base64url')}`;
}

function signedBySecret(header, claims, secret) {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

const publicPem = ({ n, e }) => createPublicKey({ key: { kty: 'RSA', n, e }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });

/** In the ID token's claims, which are then signed by the right key. */
export const payload = {
  'wrong-aud': (claims) => { claims.aud = 'another-client'; },
  'aud-list-no-azp': (claims) => { claims.aud = [claims.aud, 'another-client']; },
  'azp-other': (claims) => { claims.aud = [claims.aud, 'another-client']; claims.azp = 'another-client'; },
  'no-aud': (claims) => { claims.aud = undefined; },
  'wrong-iss': (claims) => { claims.iss = 'https://evil.example'; },
  'slash-iss': (claims) => { claims.iss += '/'; },
  'no-iss': (claims) => { claims.iss = undefined; },
  expired: (claims) => { claims.exp = now() - 7200; claims.iat = now() - 10800; },
  'no-exp': (claims) => { claims.exp = undefined; },
  'exp-string': (claims) => { claims.exp = String(claims.exp); },
  'nbf-future': (claims) => { claims.nbf = now() + 7200; },
  'iat-future': (claims) => { claims.iat = now() + 7200; claims.exp = now() + 14400; },
  'iat-ancient': (claims) => { claims.iat = now() - 86400 * 30; },
  'nonce-wrong': (claims) => { claims.nonce = 'not-the-nonce'; },
  'nonce-missing': (claims) => { claims.nonce = undefined; },
  'no-sub': (claims) => { claims.sub = undefined; },
  'sub-empty': (claims) => { claims.sub = ''; },
  'sub-number': (claims) => { claims.sub = 12345; },
  'sub-long': (claims) => { claims.sub = 'x'.repeat(5000); },
  'at-hash-wrong': (claims) => { claims.at_hash = 'AAAAAAAAAAAAAAAAAAAAAA'; },
  'email-unverified': (claims) => { claims.email_verified = false; },
  'email-verified-string': (claims) => { claims.email_verified = 'false'; },
  'email-verified-maybe': (claims) => { claims.email_verified = 'maybe'; },
  'email-missing': (claims) => { claims.email = undefined; claims.email_verified = undefined; },
  'email-array': (claims) => { claims.email = ['a@example.test', 'victim@example.test']; },
};

const parts = (whole) => { const [header, claims, signature] = whole.split('.'); return [decode(header), decode(claims), signature]; };
const forged = (make) => (whole, by) => make(...parts(whole), by);

/** In place of the signed ID token. */
export const token = {
  'alg-none': forged((header, claims) => `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`),
  'alg-none-capital': forged((header, claims) => `${encode({ alg: 'None', typ: 'JWT' })}.${encode(claims)}.`),
  'alg-hs256-pubkey': forged((header, claims, old, { key }) => signedBySecret({ alg: 'HS256', kid: header.kid }, claims, publicPem(key))),
  'alg-hs256-secret': forged((header, claims) => signedBySecret({ alg: 'HS256' }, claims, 'evil-secret')),
  'alg-hs256-empty': forged((header, claims) => signedBySecret({ alg: 'HS256' }, claims, Buffer.alloc(0))),
  'bad-sig': forged((header, claims) => signedByRogue(header, claims)),
  'sig-stripped': forged((header, claims) => `${encode(header)}.${encode(claims)}.`),
  'unknown-kid': forged((header, claims) => signedByRogue({ ...header, kid: 'nobody-knows' }, claims)),
  'jwk-header': forged((header, claims) => signedByRogue({ ...header, kid: 'rogue', jwk: rogueJwk }, claims)),
  'jku-header': forged((header, claims, old, { url }) => signedByRogue({ ...header, kid: 'rogue', jku: `${url}/rogue` }, claims)),
  'crit-header': forged((header, claims, old) => `${encode({ ...header, crit: ['exp'] })}.${encode(claims)}.${old}`),
  'payload-swapped': forged((header, claims, old) => `${encode(header)}.${encode({ ...claims, sub: 'admin' })}.${old}`),
  'not-a-jwt': () => 'garbage',
  'id-token-absent': () => undefined,
};

/** In the token endpoint's answer; what begins with `refresh-` is wrong about refreshing alone. */
export const response = {
  'token-500': (answer) => Object.assign(answer, { statusCode: 500, body: { error: 'server_error' } }),
  'token-error-200': (answer) => { answer.body = { error: 'bad_verification_code', error_description: 'The code is incorrect.' }; },
  'token-type-mac': (answer) => { answer.body.token_type = 'mac'; },
  'token-type-absent': (answer) => { answer.body.token_type = undefined; },
  'no-access-token': (answer) => { answer.body.access_token = undefined; },
  'expires-string': (answer) => { answer.body.expires_in = '3600'; },
  'refresh-omits': (answer, grant) => {
    answer.body.expires_in = 1;
    if (grant === 'refresh_token') answer.body.refresh_token = undefined;
  },
  'refresh-narrows': (answer, grant) => Object.assign(answer.body, grant === 'refresh_token'
    ? { scope: 'openid' } : { scope: 'openid email profile', expires_in: 1 }),
  'refresh-revoked': (answer, grant) => {
    if (grant === 'refresh_token') Object.assign(answer, { statusCode: 400, body: { error: 'invalid_grant' } });
    else answer.body.expires_in = 1;
  },
  'refresh-500': (answer, grant) => {
    if (grant === 'refresh_token') Object.assign(answer, { statusCode: 500, body: {} });
    else answer.body.expires_in = 1;
  },
};

/** In the parameters of the callback. */
export const redirect = {
  'state-missing': (params) => params.delete('state'),
  'state-wrong': (params) => params.set('state', 'forged'),
  'state-twice': (params) => params.append('state', 'second'),
  'code-missing': (params) => params.delete('code'),
  'code-twice': (params) => params.append('code', 'second'),
  'iss-wrong': (params) => params.set('iss', 'https://evil.example'),
  'iss-empty': (params) => params.set('iss', ''),
  'iss-missing': () => {},
  'iss-twice': (params, url) => { params.append('iss', url); params.append('iss', url); },
  'access-denied': (params) => {
    params.delete('code');
    params.set('error', 'access_denied');
    params.set('error_description', '<script>alert(1)</script>');
  },
  'other-error': (params) => { params.delete('code'); params.set('error', 'temporarily_unavailable'); },
  'error-and-code': (params) => params.set('error', 'server_error'),
};

/** In the userinfo endpoint's answer. */
export const userinfo = {
  'userinfo-sub-mismatch': (answer) => { answer.body = { ...answer.body, sub: 'someone-else', email: 'admin@example.test' }; },
  'userinfo-401': (answer) => Object.assign(answer, { statusCode: 401, body: {} }),
  'userinfo-no-sub': (answer) => { answer.body.sub = undefined; },
};

/** Longer than any client may wait. */
export const hang = (answer) => setTimeout(() => answer.destroy(), 60_000);
const html = (answer) => answer.writeHead(200, { 'content-type': 'text/html' }).end('<html>maintenance</html>');

function huge(answer) {
  answer.writeHead(200, { 'content-type': 'application/json' });
  let sent = 0;
  const more = () => {
    while (sent++ < 2048) if (!answer.write(' '.repeat(65_536))) return answer.once('drain', more); // 128 MiB in all
    return answer.end('{}');
  };
  answer.on('close', () => { sent = Infinity; });
  more();
}

const DISCOVERY = '/.well-known/openid-configuration';

/** In place of a whole answer. */
export const raw = {
  'token-slow': { '/token': hang },
  'token-huge': { '/token': huge },
  'token-html': { '/token': html },
  'token-redirect': { '/token': (answer) => answer.writeHead(302, { location: 'http://127.0.0.1:1/' }).end() },
  'jwks-500': { '/jwks': (answer) => json(answer, 500, {}) },
  'jwks-slow': { '/jwks': hang },
  'jwks-huge': { '/jwks': huge },
  'jwks-rotated': { '/jwks': (answer) => json(answer, 200, { keys: [{ ...rogueJwk, kid: 'other' }] }) },
  'discovery-500': { [DISCOVERY]: (answer) => json(answer, 500, {}) },
  'discovery-html': { [DISCOVERY]: html },
  'discovery-slow': { [DISCOVERY]: hang },
  'discovery-foreign': { [DISCOVERY]: (answer, { discovery }) => json(answer, 200, { ...discovery, issuer: 'https://evil.example' }) },
  'discovery-redirect': { [DISCOVERY]: (answer) => answer.writeHead(302, { location: 'http://127.0.0.1:1/' }).end() },
  'userinfo-slow': { '/userinfo': hang },
  'userinfo-html': { '/userinfo': html },
  'jku-header': { '/rogue': (answer) => json(answer, 200, { keys: [rogueJwk] }) },
};

const names = (faults) => Object.keys(faults);
export const FAULTS = {
  payload: names(payload), token: names(token), response: names(response), redirect: names(redirect),
  userinfo: names(userinfo), raw: names(raw).filter((name) => !(name in token)),
};
