import { createHmac, timingSafeEqual } from "node:crypto";

const TOLERANCE_S = 300;

export function isRight(rawBody, headers, secret) {
  const id = headers["webhook-id"];
  const timestamp = headers["webhook-timestamp"];
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - timestamp) > TOLERANCE_S) return false;

  const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : secret;
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(rawBody);
  const expected = Buffer.from("v1," + mac.digest("base64"));

  // one signature for each secret that is valid, so that a rotation goes unnoticed
  return (headers["webhook-signature"] ?? "").split(" ").some((text) => {
    const given = Buffer.from(text);
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}
