"""`python -m webapp` is the console command `webapp`."""

from webapp.cli import main

main()
