"""Who gets in where: the tables of all pages and calls, the people who try them, and the world they try them in."""
