"""People: sign-in, passwords, tokens, the first run; accepting invitations; what operators do with people.

May import delivery, models and below, none of its neighbours.
"""
