"""Webhooks: what a provider tells us of its own accord. One file per provider, found by its name.

A file has a frozen pydantic `Settings` (the keys of [providers.NAME] that prove a request) and a function
`open_hook(settings, fetch) -> Hook | None`: None when the keys are not set, and then there is no such address.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from mailer.errors import Mistake
from mailer.feedback.hooks.calls import Fetch, Hook
from mailer.validation import first_fault


def hook_names() -> tuple[str, ...]:
    """Return the providers that can tell us something: the files of this folder that can open a hook."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return tuple(name for name in names if hasattr(importlib.import_module(f"{__name__}.{name}"), "open_hook"))


def open_hook(name: str, table: Mapping[str, Any], fetch: Fetch) -> Hook | None:
    """Open the hook of provider `name` with the keys of [providers.NAME] that prove it; None when they are not set.

    raises  Mistake when they are of another form, or the provider has no hook
    """
    if name not in hook_names():
        if table:
            raise Mistake("[providers.{name}] {key}: there is no webhook of {name}.", name=name, key=min(table))
        return None
    module = importlib.import_module(f"{__name__}.{name}")
    try:
        settings = module.Settings.model_validate(table)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("[providers.{name}] {key}: {reason}.", name=name, key=fault.key, reason=fault.reason) from None
    hook: Hook | None = module.open_hook(settings, fetch)
    return hook
