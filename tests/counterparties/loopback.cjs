// Preloaded by `node --require`: whatever a server asks for, it listens on the loopback address alone.
'use strict';
const net = require('node:net');
const listen = net.Server.prototype.listen;

net.Server.prototype.listen = function listenOnLoopback(...given) {
  const done = typeof given.at(-1) === 'function' ? given.pop() : undefined;
  const [first] = given;
  const isPipe = typeof first === 'string' && !/^\d+$/.test(first);
  const isHandle = first !== null && typeof first === 'object' && ('fd' in first || '_handle' in first || first.path);
  const where = isPipe || isHandle
    ? given
    : [{ ...(typeof first === 'object' ? first : { port: Number(first ?? 0) }), host: '127.0.0.1' }];
  return listen.call(this, ...where, ...(done ? [done] : []));
};
