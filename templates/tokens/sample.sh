curl {{ address }}/events \
  -H 'Authorization: Bearer TOKEN' \
  -H 'Idempotency-Key: order-4711' \
  --json '{"event": "TODO_CREATED", "projectId": "{{ project_id }}", "currentValue": {"title": "Order 4711"}}'

curl {{ address }}/webhooks -H 'Authorization: Bearer TOKEN'
