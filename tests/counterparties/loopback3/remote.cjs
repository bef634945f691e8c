// A LoopBack 3 application that keeps no users of its own: its user model sits on the remote connector, as where one service asks another.
//
//   USERS_AT      where the model's REST API is (http://127.0.0.1:3000/api)
//   ID_TYPE       the type of its ids [number, as the connector has it unless the model says otherwise]
//   POST /__ctl/call {"method", "args", "on", "token"}: the model's method as the application's own code calls it, of the record with the
//                 id "on" if there is one, on behalf of whose token it is; {"value"}, or {"error": {statusCode, code, message}}
//   its own REST API at /api, which hands every call on
'use strict';
const { createRequire } = require('node:module');
const { createServer } = require('node:http');
const packages = createRequire(`${process.env.COUNTERPARTIES}/loopback3/`);
const loopback = packages('loopback');
const express = packages('express');

const app = loopback();
const users = app.dataSource('users', { connector: 'remote', url: process.env.USERS_AT });
const type = process.env.ID_TYPE;
const user = loopback.createModel('user', { colour: 'string', ...(type && { id: { type, id: true } }) }, { base: 'User', plural: 'users' });
app.model(user, { dataSource: users, public: true });
app.use('/api', loopback.rest());

app.use('/__ctl/call', express.json(), async (request, response) => {
  const { method, args, on, token } = request.body;
  // As the connector documents it; one call at a time, for it is said of all of them.
  users.connector.remotes.auth = token ? { accessToken: { id: token } } : undefined;
  const target = on === undefined ? user : new user({ id: on });
  try {
    response.json({ value: await target[method](...args) });
  } catch (error) {
    response.json({ error: { statusCode: error.statusCode, code: error.code, message: error.message } });
  }
});

if (process.env.UNTIL_EOF) process.stdin.resume().on('end', () => process.exit(0));
const server = createServer(app);
server.listen(Number(process.env.PORT || 0), '127.0.0.1', () => console.log(`READY http://127.0.0.1:${server.address().port}`));
