// What the servers on Node share.
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Imports a package of package.json from where tests/setup put it: nothing is installed into the checkout. */
export async function installed(name) {
  const root = join(process.env.COUNTERPARTIES ?? '', 'node_modules', name);
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const entry = manifest.exports?.['.']?.default ?? manifest.main ?? 'index.js';
  return import(pathToFileURL(join(root, entry)).href);
}

export async function bodyOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(value));
}

/** Whoever runs on this machine may be sent back to, on whatever port. */
export const isOurs = (address) => /^http:\/\/(127\.0\.0\.1|localhost):\d+\/[\w/.-]*callback$/.test(address);

/**
 * Serves on $PORT, or a free one, until the process is told to end; `make` gets our own address and gives the handler.
 * Says `READY address` on standard output. With $UNTIL_EOF it ends with its standard input, so that no test leaves it behind.
 */
export function serve(make, tls) {
  let handler = (request, response) => json(response, 503, { error: 'starting' });
  const onRequest = (request, response) => handler(request, response);
  const server = tls ? https.createServer(tls, onRequest) : http.createServer(onRequest);
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', async () => {
    const own = `http${tls ? 's' : ''}://${process.env.HOST ?? '127.0.0.1'}:${server.address().port}`;
    handler = await make(own);
    console.log(`READY ${own}`);
  });
  server.on('error', (error) => {
    console.error(error.message);
    process.exit(1);
  });
  if (process.env.UNTIL_EOF) process.stdin.on('end', () => process.exit(0)).resume();
}
