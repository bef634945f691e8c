// A crowd, as LoopBack 3 keeps it: for N users 1.5 N live tokens, N accounts at a provider and their tokens, 20 roles, N / 10 mappings.
// Hashes repeat: making a hundred thousand would take hours, and nobody compares them here.
//
//   node crowd.cjs memory N >loopback.json     the memory connector's own file
//   node crowd.cjs postgres N | psql DATABASE  rows for the tables that server.cjs makes there
'use strict';
const { createHash } = require('node:crypto');

const [kind, amount] = process.argv.slice(2);
const users = Number(amount || 100000);
// bcrypt of "a gate of oak and iron", cost 10.
const password = '$2a$10$RrJ9uKcdizS3/K17DM7RQuG0BfPYLzujzJKSLJdsj1KAZj8T3STxu';
const created = '2026-01-02T03:04:05.000Z';
const token = (number) => createHash('sha256').update(`token ${number}`).digest('hex');
const range = function* (count, make) {
  for (let number = 1; number <= count; number += 1) yield make(number);
};
const account = (id) => ({
  id, provider: 'facebook', authScheme: 'oAuth 2.0', externalId: String(1000000 + id), userId: id, created, modified: created,
  profile: { provider: 'facebook', id: String(1000000 + id), displayName: `Person ${id}` },
  credentials: { accessToken: `access-${id}`, refreshToken: `refresh-${id}` },
});
const rows = {
  user: () => range(users, (id) => ({ id, username: `person${id}`, email: `person${id}@example.com`, password, emailVerified: true, colour: 'red' })),
  accessToken: () => range(Math.floor(users * 1.5), (number) => ({
    id: token(number), ttl: 315360000, created, userId: ((number - 1) % users) + 1,
  })),
  userIdentity: () => range(users, account),
  userCredential: () => range(users, account),
  Role: () => range(20, (id) => ({ id, name: `role${id}`, created, modified: created })),
  RoleMapping: () => range(Math.floor(users / 10), (id) => ({ id, principalType: 'USER', principalId: String(id), roleId: (id % 20) + 1 })),
};

const lines = {
  *memory() {
    yield `{"ids":${JSON.stringify(Object.fromEntries(Object.keys(rows).map((model) => [model, users * 2])))},"models":{`;
    let comma = '';
    for (const [model, records] of Object.entries(rows)) {
      yield `${comma}${JSON.stringify(model)}:{`;
      comma = ',';
      let between = '';
      for (const record of records()) {
        yield `${between}${JSON.stringify(String(record.id))}:${JSON.stringify(JSON.stringify(record))}`;
        between = ',';
      }
      yield '}';
    }
    yield '}}\n';
  },
  *postgres() {
    const text = (value) => (typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll('\\', '\\\\');
    for (const [model, records] of Object.entries(rows)) {
      let begun = false;
      for (const record of records()) {
        if (!begun) yield `COPY "${model.toLowerCase()}" (${Object.keys(record).map((name) => name.toLowerCase()).join(', ')}) FROM stdin;\n`;
        begun = true;
        yield `${Object.values(record).map(text).join('\t')}\n`;
      }
      yield '\\.\n';
    }
  },
};

if (!lines[kind]) {
  console.error('usage: node crowd.cjs memory|postgres N');
  process.exit(64);
}
let block = [];
const flush = () => { require('node:fs').writeSync(1, block.join('')); block = []; };
for (const line of lines[kind]()) {
  block.push(line);
  if (block.length >= 2000) flush();
}
flush();
