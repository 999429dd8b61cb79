import base64
import hashlib
import hmac
import time

TOLERANCE_S = 300


def is_right(raw_body: bytes, headers: dict[str, str], secret: str) -> bool:
    webhook_id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp)) > TOLERANCE_S:
        return False

    has_prefix = secret.startswith("whsec_")
    key = base64.b64decode(secret.removeprefix("whsec_")) if has_prefix else secret.encode()
    mac = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + raw_body, hashlib.sha256)
    expected = "v1," + base64.b64encode(mac.digest()).decode()

    # one signature for each secret that is valid, so that a rotation goes unnoticed
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), text.encode()) for text in given)
