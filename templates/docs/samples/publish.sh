curl {{ api }}/events \
  -H 'Authorization: Bearer TOKEN' \
  -H 'Content-Type: application/json' \
  -H 'Idempotency-Key: order-4711' \
  -d '{"event":"TODO_CREATED","projectId":"PROJECT","currentValue":{"title":"Order 4711"}}'
