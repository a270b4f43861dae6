"""Reads config.toml, with UTSKICK_... from the environment laid over it. Read once, in app."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mailer.config.consistency import RULES
from mailer.config.settings import Settings
from mailer.errors import Mistake
from mailer.validation import first_fault


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read `path` and lay the environment over it: UTSKICK_WEB__PORT=81 sets web.port, UTSKICK_DATABASE database.

    raises  Mistake, which names the key and what is wrong with it
    """
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Mistake(
            "There is no config file {path}: run `utskick init` or name one with --config.", path=path
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Mistake("{path} is not valid TOML: {reason}.", path=path, reason=error) from None
    except OSError as error:
        raise Mistake("{file} cannot be read: {reason}.", file=path, reason=error.strerror) from None
    _overlay(tree, environ)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        fault = first_fault(error)
        raise Mistake("{path}: {key}: {reason}.", path=path, key=fault.key, reason=fault.reason) from None
    for rule in RULES:
        rule(settings, path)
    return settings


def _overlay(tree: dict[str, Any], environ: Mapping[str, str]) -> None:
    if environ.get("UTSKICK_DATABASE"):  # the one key without a section, as it may hold a password
        tree["database"] = environ["UTSKICK_DATABASE"]
    for name, value in environ.items():
        if not name.startswith("UTSKICK_") or "__" not in name:
            continue
        *parents, key = name.removeprefix("UTSKICK_").lower().split("__")
        table = tree
        for parent in parents:
            table = table.setdefault(parent, {})
            if not isinstance(table, dict):
                raise Mistake(
                    "The environment's {name} does not fit: {key} has no keys below it.", name=name, key=parent
                )
        table[key] = value
