# body.json holds the raw body, $ID $TIMESTAMP $SIGNATURE the values of webhook-id, webhook-timestamp, webhook-signature
key=$(printf %s "${WEBHOOK_SECRET#whsec_}" | openssl base64 -d -A | od -An -v -tx1 | tr -d ' \n')
expected=v1,$({ printf %s. "$ID" "$TIMESTAMP"; cat body.json; } |
  openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | openssl base64 -A)
case " $SIGNATURE " in *" $expected "*) echo right ;; *) echo wrong ;; esac
