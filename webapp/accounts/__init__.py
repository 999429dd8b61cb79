"""People: sign-in, passwords, tokens, the first run. May import delivery, models and below, none of its neighbours."""
