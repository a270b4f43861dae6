"""Which language to speak to somebody whom only their browser describes."""

from mailer.i18n import LANGUAGES


def preferred(accept: str, otherwise: str) -> str:
    """Return the language of ours that `accept`, an Accept-Language value (RFC 9110 §12.5.4), ranks highest.

    Equal ranks go to the one named first. Whatever cannot be read counts as not said.
    """
    best, best_weight = otherwise, 0.0
    for wish in accept[:1000].split(","):
        tag, _, rest = wish.partition(";")
        language = tag.strip().lower().split("-")[0]
        weight = _weight(rest)
        if language in LANGUAGES and weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameter: str) -> float:
    name, _, number = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(number)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
