"""The extensions that only requests need, made here and bound in serving.init_app(). A worker has none of them."""

from __future__ import annotations

from flask_htmx import HTMX
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager

from webapp.csrf import MaskedCsrf

csrf = MaskedCsrf()  # type: ignore[no-untyped-call]
login = LoginManager()
htmx = HTMX()
limiter = Limiter(get_remote_address)
