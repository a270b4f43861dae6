"""What the people in charge were already told."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Notice(SQLModel, table=True):
    """One cause for a notice. `told_at` is when somebody last set out to tell; `told` that it went out."""

    cause: str = Field(primary_key=True, max_length=200)
    told_at: datetime
    told: bool = False
