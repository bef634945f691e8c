// TLS in front of another server: $TARGET is its port, $CERT a certificate of ca.sh in the folder $CA.
import http from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serve } from './lib.mjs';

const file = join(process.env.CA ?? '.', process.env.CERT ?? 'localhost');
const tls = { key: readFileSync(`${file}.key`), cert: readFileSync(`${file}.pem`), minVersion: 'TLSv1.2' };

serve(() => (request, response) => {
  const headers = { ...request.headers, 'x-forwarded-proto': 'https', 'x-forwarded-host': request.headers.host };
  const { method, url: path } = request;
  const inner = http.request({ host: '127.0.0.1', port: Number(process.env.TARGET), method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  inner.on('error', () => response.writeHead(502).end());
  request.pipe(inner);
}, tls);
