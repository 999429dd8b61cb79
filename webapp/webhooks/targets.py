"""May this URL be saved? Its text is judged as at every attempt, and its name is looked up once. Sends nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import current_app

from webapp import config
from webapp.delivery import addresses
from webapp.delivery.addresses import AddressRefused, Policy, Target
from webapp.delivery.resolving import Resolution, ResolveError, Resolver
from webapp.models import ErrorWord, Invalid
from webapp.webhooks.rules import Advice

LOOK_UP_LIMIT_S = 3.0
NOT_FOUND = "We cannot find %(host)s at the moment. You can save; every attempt checks again."
ENTER_ONE = "Enter the address that the requests go to."


@dataclass(frozen=True)
class _Judge:
    policy: Policy
    resolver: Resolver


def checked_url(url: str, warnings: list[Advice]) -> str:
    """The one spelling of a URL that may be used; raises Invalid with the same words for every closed address.

    A name that cannot be resolved is worth a warning only: every attempt resolves and vets it anew. Looks names up for
    at most three seconds, so never inside a transaction.
    """
    if not url.strip():
        raise Invalid("url", ENTER_ONE)
    judge = _judge()
    try:
        target = addresses.parse(url, judge.policy)
        _vet(target, judge, warnings)
    except AddressRefused as refused:
        raise Invalid("url", refused.reason.sentence) from None
    return target.url


def policy() -> Policy:
    """What the operator of this installation opened beyond the rules."""
    return _judge().policy


def _vet(target: Target, judge: _Judge, warnings: list[Advice]) -> None:
    resolution = _resolution(target, judge, warnings)
    if resolution is None:
        return
    for name in resolution.canonical_names:
        addresses.vet_name(name, target, judge.policy)
    for address in resolution.addresses:
        addresses.vet(address, target, judge.policy)


def _resolution(target: Target, judge: _Judge, warnings: list[Advice]) -> Resolution | None:
    if target.address is not None:
        return None  # the rules have judged it with the text
    try:
        return judge.resolver.resolve(target.host, time.monotonic() + LOOK_UP_LIMIT_S)
    except ResolveError as error:
        if error.word is ErrorWord.ADDRESS_REFUSED:
            raise Invalid("url", error.sentence) from None
        warnings.append(Advice("url", NOT_FOUND, {"host": target.host_shown}))
        return None


def _judge() -> _Judge:
    judge: _Judge | None = current_app.extensions.get("webhook_targets")
    if judge is None:
        settings = config.current()
        judge = _Judge(
            Policy.from_values(
                settings.allow_http, settings.allow_targets, settings.allow_cidrs, settings.base_url or None
            ),
            Resolver(settings.dns_servers or None),
        )
        current_app.extensions["webhook_targets"] = judge
    return judge
