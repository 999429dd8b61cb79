"""What happens by itself after a change, in reading order.

    event_types   what can happen: Blue's 37 types, one catalogue
    outbox        publish: an event is written in the transaction of its change
    matching      does this webhook want this event, and if not, why (pure)
    filters       do its values pass the webhook's rules, and if not, which one refuses (pure)
    filtering     those rules at fan-out: values are parsed only when somebody asks
    fan_out       one delivery for each webhook that wants it, exactly once
    payloads      the bytes of a body, composed of the event's and the webhook's (pure)
    signing       the headers that prove where a body comes from (pure)
    addresses     which URLs may be contacted (pure)
    resolving     names to addresses, within the deadline
    transport     the one place that opens outgoing connections
    sending       one request, one outcome; expected failures are values
    retries       when to try again (pure)
    claiming      what is due, fairly, leased, fenced
    dispatching   the loop of a worker process: fan out, claim, send
    recording     outcomes back into the rows, in batches
    pruning       what has had its days goes, in small batches

May import `models` and what lies below it; `accounts`, `workspace` and `webhooks` may call it, it calls none of them.
"""
