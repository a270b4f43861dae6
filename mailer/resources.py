"""Where the files beside the packages are: in a checkout at its top level, in an installed wheel in a folder."""

from pathlib import Path

_CHECKOUT = Path(__file__).parent.parent
_WHEEL = _CHECKOUT / "utskick_resources"


def resource(name: str) -> Path:
    """Return the path of `templates`, `examples` or `config.toml`."""
    beside = _CHECKOUT / name
    return beside if beside.exists() else _WHEEL / name
