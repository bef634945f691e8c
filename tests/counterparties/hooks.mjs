// A service that hears webhooks, and believes those that the Standard Webhooks project's own library believes.
//
// POST /hooks                  204, or what __ctl/says told it
// GET  __ctl/heard             all it heard, in order: {id, timestamp, at (ms), believed, body}
// POST __ctl/says {status, headers?, times?}   what it answers, for so many requests; status 0 hangs: no answer at all
//
// $SECRET is what it knows the sender by.
import { bodyOf, installed, json, serve } from './lib.mjs';

const { Webhook } = await installed('standardwebhooks');
const webhook = new Webhook(process.env.SECRET);
const heard = [];
let says = { status: 204, times: 0 };

function believed(body, headers) {
  try {
    webhook.verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

serve(() => async (request, response) => {
  const body = await bodyOf(request);
  if (request.url === '/__ctl/heard') return json(response, 200, heard);
  if (request.url === '/__ctl/says') {
    says = { times: Infinity, ...JSON.parse(body) };
    return json(response, 200, {});
  }
  const { 'webhook-id': id, 'webhook-timestamp': timestamp } = request.headers;
  heard.push({ id, timestamp, at: Date.now(), believed: believed(body, request.headers), body: JSON.parse(body) });
  const { status, headers } = says.times-- > 0 ? says : { status: 204 };
  if (status === 0) return;
  response.writeHead(status, headers);
  response.end();
});
