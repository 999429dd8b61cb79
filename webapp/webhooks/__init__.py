"""What people do with webhooks, and the questions that pages and REST calls ask about them.

In reading order: `access` (whose webhooks, which projects), `rules` and `targets` (what a value may be), `editing`,
`activation`, `secrets`, `pings`, `redelivery`, `cancellation`, `releases`, `replays`, and then the questions: `log`,
`statistics`, `words`. May import `delivery` and below.
"""
