"""Alembic's migrations: how the tables of an installation change while it works.

During an upgrade the processes of the release before go on, beside new ones, on the new tables. So a change of the
tables takes two releases, and `tests/models/test_migration_rules.py` keeps it so:

1. **Expand.** A migration only adds: tables, columns that may be empty or have a `server_default`, indexes that are not
   unique. What the program needs no more it stops to write and read, and leaves where it is.
2. **Contract.** A migration of a *later* release drops, renames or tightens what no program uses since the release
   before. It says `oldest = "0007"`: programs whose newest migration is older than that refuse to start from then on.

Each migration is a file of its own, never a change of one that was released, and names its `release`. It runs in a
transaction of its own, one process at a time, and waits for a table's lock only for moments, so that those who work
do not queue up behind it. An index of a table that may be large is built by `indexing.build_index`, which keeps nobody
waiting on PostgreSQL. Rows are filled in by the program, in batches, never by a migration.

`flask --app webapp db revision --autogenerate -m "words"` writes a draft.
"""
