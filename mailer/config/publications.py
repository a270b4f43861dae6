"""What one can subscribe to."""

from typing import Literal

from pydantic import Field

from mailer.config.slugs import KnownDistrict
from mailer.config.values import Language, Section


class DistrictLetterhead(Section):
    """What a district may set for its own: both fall back to the publication's."""

    from_name: str | None = None
    reply_to: str | None = None


class Publication(Section):
    name: dict[Language, str]
    from_name: str
    from_address: str
    reply_to: str
    list_id: str
    unsubscribe_address: str = ""
    stream: Literal["bulk", "statutory"] = "bulk"
    events_only: bool = False
    archive: Literal["none", "members", "public"] = "members"
    districts: dict[KnownDistrict, DistrictLetterhead] = Field({})
