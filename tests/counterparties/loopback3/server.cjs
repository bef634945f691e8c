// A LoopBack 3 application as teams have it: models of its own names, roles, rules, applications, Passport's component.
//
//   LOOPBACK_DB   memory:FILE (the memory connector's own file), postgres://… or mongodb://… [memory: without a file]
//   POST /__ctl/passport  {"logins": [{provider, scheme, profile, credentials}]}: what a log-in by Passport writes, by its own models
//   POST /__ctl/link      {"links": [{userId, provider, scheme, profile, credentials}]}: what linking an account writes
//   POST /__ctl/application {"appId", provider, authScheme, credentials}: what ApplicationCredential.link writes
//   POST /__ctl/stored    {"model", "data": [{…}]}: rows as they came to be over the years, past the rules of today
'use strict';
const { createRequire } = require('node:module');
const { createServer } = require('node:http');
const packages = createRequire(`${process.env.COUNTERPARTIES}/loopback3/`);
const loopback = packages('loopback');
const express = packages('express');
// What the component's configurator needs of it: its models.
const passport = packages('loopback-component-passport');

const place = process.env.LOOPBACK_DB || 'memory:';
const store = /^postgres/.test(place) ? { connector: 'postgresql', url: place }
  : /^mongodb/.test(place) ? { connector: 'mongodb', url: place }
    : { connector: 'memory', file: place.slice('memory:'.length) || undefined };

const app = loopback();
const db = app.dataSource('db', store);

const belongsTo = (model, foreignKey) => ({ type: 'belongsTo', model, foreignKey });
const hasMany = (model) => ({ type: 'hasMany', model, foreignKey: 'userId' });
const derive = (name, base, properties, settings, isPublic) => {
  const model = loopback.createModel(name, properties, { base, ...settings });
  app.model(model, { dataSource: 'db', public: isPublic });
  return model;
};
const ofUser = { relations: { user: belongsTo('user', 'userId') } };
const identity = derive('userIdentity', passport.UserIdentity || 'UserIdentity', {}, ofUser, false);
const credential = derive('userCredential', passport.UserCredential || 'UserCredential', {}, ofUser, false);
const applicationCredential = loopback.getModel('ApplicationCredential');
app.model(applicationCredential, { dataSource: 'db', public: false });
const token = derive('accessToken', 'AccessToken', {}, ofUser, false);
const user = derive('user', 'User', { phone: 'string', colour: 'string', address: 'object' }, {
  plural: 'users',
  relations: { accessTokens: hasMany('accessToken'), identities: hasMany('userIdentity'), credentials: hasMany('userCredential') },
}, true);
for (const name of ['Role', 'RoleMapping', 'ACL', 'Application']) app.model(loopback[name], { dataSource: 'db', public: true });
app.enableAuth({ dataSource: 'db' });
app.use(loopback.token({ model: token, currentUserLiteral: 'me' }));
app.use('/api', loopback.rest());

const control = (path, act) => app.use(`/__ctl/${path}`, express.json(), (request, response, next) => {
  Promise.resolve(act(request.body)).then((done) => response.json(done), next);
});
control('passport', async ({ logins }) => {
  const made = [];
  for (const { provider, scheme, profile, credentials } of logins) {
    made.push(await new Promise((resolve, reject) => {
      identity.login(provider, scheme, profile, credentials, { autoLogin: true }, (error, who, _, made) => (
        error ? reject(error) : resolve({ userId: who.id, token: made.id })));
    }));
  }
  return made;
});
control('link', async ({ links }) => {
  const made = [];
  for (const { userId, provider, scheme, profile, credentials } of links) {
    made.push(await new Promise((resolve, reject) => {
      credential.link(userId, provider, scheme, profile, credentials, (error, row) => (error ? reject(error) : resolve(row)));
    }));
  }
  return made;
});
control('application', async ({ appId, provider, authScheme, credentials }) => new Promise((resolve, reject) => {
  applicationCredential.link(appId, provider, authScheme, credentials, (error, row) => (error ? reject(error) : resolve(row)));
}));
control('stored', async ({ model, data }) => {
  const made = [];
  for (const row of data) made.push(await app.models[model].create(row, { validate: false }));
  return made;
});

if (process.env.UNTIL_EOF) process.stdin.resume().on('end', () => process.exit(0));
const listen = () => {
  const server = createServer(app);
  server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => console.log(`READY http://127.0.0.1:${server.address().port}`));
};
const ready = () => (db.connector.autoupdate || db.connector.automigrate && store.connector !== 'memory'
  ? db.autoupdate((error) => { if (error) throw error; listen(); })
  : listen());
if (db.connected || store.connector === 'memory') ready(); else db.once('connected', ready);
