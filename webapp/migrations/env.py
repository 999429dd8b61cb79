"""Alembic's entry: migrations run on the application's own engine."""

from alembic import context
from flask import current_app

from webapp.migrations.running import run

run(context, current_app.extensions["migrate"])
