curl {{ inbox_address(inbox) }} \
  -H 'Content-Type: application/json' \
  -d '{"event":"TODO_CREATED","currentValue":{"title":"Hello, inbox"}}'
