// A receiver of Muster's webhooks, with the official library: `npm ci`.

import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";

const webhook = new Webhook(process.env.WEBHOOK_SECRET);

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  let event;
  try {
    event = webhook.verify(body, request.headers);
  } catch {
    response.writeHead(401).end();
    return;
  }
  // The answer first; the work itself comes afterwards.
  response.writeHead(204).end();
  // `sequence` is text of twenty digits, so that it sorts.
  console.log("verified", event.type, Number(event.sequence));
}).listen(Number(process.env.PORT), "127.0.0.1");
