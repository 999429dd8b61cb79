# body.json holds the raw body, $SIGNATURE the value of X-Signature
expected=$(openssl dgst -sha256 -hmac "$WEBHOOK_SECRET" -r < body.json | cut -d' ' -f1)
if [ "$expected" = "$SIGNATURE" ]; then echo right; else echo wrong; fi
