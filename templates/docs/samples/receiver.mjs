import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";

const secret = process.env.WEBHOOK_SECRET;

function isRight(rawBody, signature = "") {
  const expected = Buffer.from(createHmac("sha256", secret).update(rawBody).digest("hex"));
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const rawBody = Buffer.concat(chunks); // these bytes are signed, not the parsed JSON

  if (!isRight(rawBody, request.headers["x-signature"])) return response.writeHead(401).end();

  response.writeHead(204).end(); // answer first, work afterwards
  const { event } = JSON.parse(rawBody);
  console.log(event, request.headers["webhook-id"]);
}).listen(process.env.PORT ?? 9000);
