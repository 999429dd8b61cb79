// A receiver in Node.js that shares no code with the product. Reads one request a line as JSON from standard input:
// {"secret", "body" (base64), "signature", "id", "timestamp", "standard"}; writes one verdict a line.
import { createHmac } from "node:crypto";
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const body = Buffer.from(request.body, "base64");
  const plain = createHmac("sha256", request.secret).update(body).digest("hex");
  const key = request.secret.startsWith("whsec_")
    ? Buffer.from(request.secret.slice("whsec_".length), "base64")
    : Buffer.from(request.secret, "utf8");
  const content = Buffer.concat([Buffer.from(`${request.id}.${request.timestamp}.`), body]);
  const standard = "v1," + createHmac("sha256", key).update(content).digest("base64");
  const written = Buffer.from(JSON.stringify(JSON.parse(body.toString("utf8"))), "utf8");
  console.log(
    JSON.stringify({
      plain: plain === request.signature,
      standard: standard === request.standard,
      sameWhenWrittenAgain: written.equals(body),
    }),
  );
}
