"""What happens by itself after a change, in reading order. (P) = pure: values in, values out.

An event is made and finds its webhooks:
    event_types   what can happen: Blue's 37 types, one catalogue
    json_schemas  what the bodies of each type look like, for receivers (P)
    outbox        publish: an event is written in the transaction of its change
    matching      does this webhook want this event, and if not, why (P)
    filters       what a webhook's own rules say about a record (P)
    judging       the events of one fan-out judged, each kind once
    fan_out       one delivery for each webhook that wants it, exactly once
    compacting    the body in the short format, written once per event
    snapshots     the bytes of a webhook as payloads show it

A worker sends it:
    due           what waits, read by the index alone
    choosing      what may be claimed now, fairly
    claiming      the chosen become this worker's, leased and fenced by a token
    paces         how fast receivers have answered lately (P)
    claims        what a sender thread gets
    recipients    what it must know of a webhook, its secrets opened
    leases        claims that end without an outcome
    orphans       claims of killed workers, which are nobody's requests
    composing     the body of a delivery, the same bytes on every attempt
    payloads      entities and bodies as bytes (P)
    signing       the headers that prove where a body comes from (P)
    addresses     which URLs may be contacted (P)
    resolving     names to addresses, within the deadline
    transport     the one place that opens outgoing connections
    sending       one request, one outcome; expected failures are values
    attempting    an attempt: composed, signed, sent

Its outcome is recorded:
    outcomes      what goes into an attempt and comes out of it
    retries       when to try again (P)
    settling      what an outcome means for its delivery (P)
    recording     outcomes into rows, in batches, each write fenced
    health        what the outcomes say about an endpoint (P)
    tallying      outcomes counted for or against a webhook
    latencies     classes of response times, and percentiles from them (P)
    counting      attempts counted hour by hour, for the figures
    disabling     warned, disabled, and a success that undoes it
    holding       what waits for a webhook that is off
    redeliveries  what somebody wants sent again, and how that ends
    cancelling    what will not be sent any more

The processes:
    dispatching   the loop of a worker: fan out, claim, have it sent, record
    intake        what other threads tell the loop
    hand          what it has claimed and neither recorded nor given back
    lanes         at most so many of a webhook on their way at once
    senders       the threads that send, as many as receivers keep waiting
    recorder      outcomes on their way into the rows
    recorder_thread  the same in a thread of its own, for PostgreSQL
    replaying     many deliveries again, paced below new events
    heartbeats    workers say that they live
    readiness     what /readyz looks at
    surveying     the state of the whole installation
    condition     what that state means, and what is to be done (P)
    totalling     sums of all hours, which outlive them
    pruning       what is old enough goes

May import `models` and what lies below it; `accounts`, `workspace` and `webhooks` may call it, it calls none of them.
"""
