"""The built-in inbox: addresses that people point webhooks at, to see what arrives before a receiver of theirs exists.

    inboxes    make, list, set up, empty and delete them
    arrivals   a request is taken in; what came, for the pages
    checking   whether its signature is right
    answers    what an inbox sends back
    pruning    how much it keeps
    listening  not an inbox: the receiver behind `webapp listen`

May import `delivery` and `models`.
"""
