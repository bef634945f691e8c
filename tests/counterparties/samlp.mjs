// A SAML 2.0 identity provider (npm samlp, Auth0's) whose people log in by themselves; with $ASK it asks who it is. Its entity ID is
// urn:samlp:test, its metadata /metadata, its single sign-on /sso (Redirect and POST), its single logout /logout (the same).
//
// Who it is: `user` of the address, else whoever POST /__ctl/next named, else alice; `deny` is not let in. It answers to any callback on this
// machine.
//   GET  /sso?to=CALLBACK&audience=ENTITY   nobody asked: log-in that begins here
//   GET  /logout                            nobody asked: log-out that begins here, of everybody who came
//   POST /__ctl/next?account=bob            the next log-ins are bob's
//   POST /__ctl/user?account=bob {claims}   what is known about bob: email, name, groups, nameId, nameIdFormat, attributes
//   POST /__ctl/opts {options}              options of samlp for the next answers (signResponse, signAssertion, lifetimeInSeconds, …)
//   POST /__ctl/sp {logout, cert, encryptFor}   of the one who asks: where it is told of log-outs, what it signs by, what it decrypts
//   POST /__ctl/reset                       forgets all of that but the people
//   GET  /__ctl/log                         every request, `METHOD path`
import { execFileSync } from 'node:child_process';
import { createPublicKey, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installed, isOurs, json, serve } from './lib.mjs';

const { default: express } = await installed('express');
const { default: samlp } = await installed('samlp');
const ISSUER = 'urn:samlp:test';
const CLAIMS = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims';

function newKey() {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-samlp-'));
  const at = (name) => join(folder, name);
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', at('key'), '-out', at('cert'),
      '-days', '2', '-subj', '/CN=samlp'], { stdio: 'ignore' });
    return { key: readFileSync(at('key')), cert: readFileSync(at('cert')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const people = new Map(Object.entries({
  alice: { email: 'alice@example.test', name: 'Alice Example', groups: ['staff', 'admins'] },
  bob: { email: 'bob@example.test', name: 'Bob Example', groups: ['staff'] },
  carol: { email: 'CAROL@Example.Test', name: 'Cårôl 😀 <b>x</b>', groups: [] },
}));
const identity = newKey();
const log = [];
const none = () => ({ next: 'alice', options: {}, sp: {} });
let now = none();
/** Who came, to be told of log-outs. */
let sessions = [];

/** The same as samlp asks for them. */
const participants = {
  find: (issuer, indexes, name) => sessions.find((session) => session.serviceProviderId === issuer && session.nameId === name
    && [indexes].flat().includes(session.sessionIndex)),
  get(issuer, indexes, name, done) { done(null, this.find(issuer, indexes, name)); },
  hasElements: () => sessions.length > 0,
  getFirst: (done) => done(null, sessions[0]),
  remove(issuer, index, name, done) {
    const gone = this.find(issuer, index, name);
    sessions = sessions.filter((session) => session !== gone);
    done(null, gone);
  },
};

class Mapper {
  constructor(person) { this.person = person; }

  getClaims() {
    const { email, name, groups, attributes } = this.person;
    return {
      [`${CLAIMS}/emailaddress`]: email, [`${CLAIMS}/name`]: name, 'http://schemas.xmlsoap.org/claims/Group': groups, ...attributes,
    };
  }

  getNameIdentifier() {
    const { email, nameId, nameIdFormat } = this.person;
    return {
      nameIdentifier: nameId ?? email,
      nameIdentifierFormat: nameIdFormat ?? 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    };
  }
}
Mapper.prototype.metadata = [];

/** What waits for an answer while somebody is logged out, by a name of its own. */
const waiting = new Map();
const store = {
  save(request, state, done) {
    const name = randomBytes(8).toString('hex');
    waiting.set(name, state);
    done(null, name);
  },
  load(request, name, options, done) {
    const found = waiting.get(name);
    if (options?.destroy) waiting.delete(name);
    (done ?? options)(null, found);
  },
  update(request, name, state, done) {
    waiting.set(name, state);
    done(null, name);
  },
};

const escape = (text) => text.replace(/[&<>"]/g, (letter) => `&#${letter.charCodeAt(0)};`);

/** The page that asks who it is; it comes back with everything that was there. */
function ask(request, response) {
  const given = { ...request.query, ...request.body };
  const kept = Object.entries(given).map(([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`);
  const buttons = [...people.keys(), 'deny'].map((name) => `<button name="user" value="${escape(name)}">${escape(name)}</button>`);
  response.send(`<!doctype html><title>Who are you?</title><form method="${request.method}">${kept.join('')}${buttons.join(' ')}</form>`);
}

function answer(request, response, next, { issuer, callback, id }) {
  if (!isOurs(callback)) return response.status(400).send('that is not on this machine');
  const name = request.query.user ?? request.body?.user;
  if (process.env.ASK && !name) return ask(request, response);
  const shared = {
    ...identity, issuer: ISSUER, destination: callback, inResponseTo: id, getPostURL: (...given) => given.at(-1)(null, callback),
  };
  if ((name ?? now.next) === 'deny') {
    return samlp.sendError({ ...shared, RelayState: { ...request.query, ...request.body }.RelayState })(request, response, next);
  }
  const person = people.get(name ?? now.next);
  if (!person) return response.status(400).send('nobody of that name');
  const { nameIdentifier, nameIdentifierFormat } = new Mapper(person).getNameIdentifier();
  const session = {
    serviceProviderId: issuer, sessionIndex: `_${randomBytes(8).toString('hex')}`, nameId: nameIdentifier, nameIdFormat: nameIdentifierFormat,
    serviceProviderLogoutURL: now.sp.logout, cert: now.sp.cert,
  };
  if (now.sp.logout) sessions.push(session);
  const encrypted = now.sp.encryptFor && {
    encryptionCert: now.sp.encryptFor,
    encryptionPublicKey: createPublicKey(now.sp.encryptFor).export({ type: 'spki', format: 'pem' }),
    encryptionAlgorithm: 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
  };
  return samlp.auth({
    ...shared, audience: issuer, recipient: callback, sessionIndex: session.sessionIndex, signingCert: now.sp.cert, lifetimeInSeconds: 300,
    profileMapper: (user) => new Mapper(user), getUserFromRequest: () => person, ...encrypted, ...now.options,
  })(request, response, next);
}

function signOn(request, response, next) {
  if (!request.query.SAMLRequest && !request.body?.SAMLRequest) {
    return answer(request, response, next, { issuer: request.query.audience, callback: request.query.to });
  }
  return samlp.parseRequest(request, {}, (error, asked) => {
    if (error || !asked) return next(error ?? new Error('that is no request'));
    return answer(request, response, next, { issuer: asked.issuer, callback: asked.assertionConsumerServiceURL, id: asked.id });
  });
}

function signOut(request, response, next) {
  samlp.logout({
    ...identity, issuer: ISSUER, store, sessionParticipants: participants, deflate: true, protocolBinding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
    signatureAlgorithm: 'rsa-sha256', digestAlgorithm: 'sha256',
    clearIdPSession(done) { sessions = []; done(); },
  })(request, response, next);
}

const control = {
  next(request) { now.next = request.query.account; },
  user(request) { people.set(request.query.account, { groups: [], ...people.get(request.query.account), ...request.body }); },
  opts(request) { now.options = request.body; },
  sp(request) { now.sp = request.body; },
  reset() { now = none(); sessions = []; },
};

serve(() => {
  const app = express();
  app.set('query parser', 'simple');
  app.use(express.urlencoded({ extended: false, limit: '1mb' }), express.json({ limit: '1mb' }));
  app.use((request, response, next) => {
    if (!request.path.startsWith('/__ctl')) log.push(`${request.method} ${request.path}`);
    log.splice(0, Math.max(0, log.length - 5000));
    next();
  });
  app.get('/metadata', samlp.metadata({
    ...identity, issuer: ISSUER, profileMapper: Mapper, redirectEndpointPath: '/sso', postEndpointPath: '/sso',
    logoutEndpointPaths: { redirect: '/logout', post: '/logout' },
  }));
  app.all('/sso', signOn);
  app.all('/logout', signOut);
  app.all('/__ctl/log', (request, response) => json(response, 200, log));
  app.post('/__ctl/:what', (request, response, next) => {
    const does = control[request.params.what];
    if (!does) return next();
    does(request);
    return json(response, 200, {});
  });
  // Its four parameters make it the one for errors.
  app.use((error, request, response, next) => response.status(400).send(escape(String(error.message ?? error))));
  return app;
});
