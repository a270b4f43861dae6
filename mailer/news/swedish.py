"""As much of the Swedish language as tagging needs: sentences, and the forms of a noun."""

import re

READ = 8_000  # characters; what an article is about stands in its first pages

# A full stop ends a sentence when a capital follows, even where the source forgot the space.
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"”’»)]*\s+(?=[\"”’»(–•-]*\s?[A-ZÅÄÖÉ0-9])|(?<=[a-zåäö][.!?])(?=[A-ZÅÄÖ])|\n+")
_ABBREVIATION = re.compile(
    r"\b(?:bl\.? ?a|t\.? ?ex|d\.? ?v\.? ?s|m\.? ?fl|ca|kl|nr|ev|resp|s\.? ?k|f\.? ?d)\.$", re.IGNORECASE
)


def sentences(text: str) -> list[str]:
    """Cut the beginning of a text (READ characters) into its sentences; a line break ends one too."""
    found: list[str] = []
    for piece in _SENTENCE_END.split(text[:READ]):
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] += " " + piece
        elif piece.strip():
            found.append(piece)
    return found


def is_shouted(text: str) -> bool:
    """Tell whether a title is set in capitals, so that a capital says nothing of a name."""
    letters = [character for character in text if character.isalpha()]
    return len(letters) > 3 and all(character.isupper() for character in letters)  # noqa: PLR2004  # S and EU are no shouting


def forms(noun: str) -> str:
    """Return a regular expression for the singular, plural, definite and genitive forms of a noun.

    It allows more than the dictionary does (a noun's declension is not known), never a different word:
    budget, budgetens, budgetar; skola, skolornas; lärare, lärarnas; utbildningarna.
    """
    if noun.endswith("a"):
        return rf"{re.escape(noun[:-1])}(?:a|an|or|orna|e|ans?|s)s?"
    if noun.endswith("e"):
        return rf"{re.escape(noun[:-1])}(?:e|en|et|ar|arna|n|na)s?"
    if noun.endswith("um"):
        return rf"{re.escape(noun[:-2])}(?:um|et|er|erna)s?"
    return rf"{re.escape(noun)}(?:en|et|n|t|ar|arna|er|erna|or|orna|na|a|ena)?s?"
