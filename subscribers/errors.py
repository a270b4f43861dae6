"""What the people side refuses, as sentences for a person; the edge translates and prints them."""


class SubscribersError(Exception):
    """A sentence with its values kept apart."""

    def __init__(self, sentence: str, /, **values: object) -> None:
        super().__init__(sentence.format(**values))
        self.sentence = sentence
        self.values = values


class Locked(SubscribersError):
    """No keys were given, or the wrong ones: sealed columns stay shut."""


class Refused(SubscribersError):
    """The person asked for something that may not be; the sentence says what to do instead."""
