"""What is remembered of the nights in which old data was deleted."""

from datetime import date, datetime

from sqlmodel import Field, SQLModel


class RetentionRun(SQLModel, table=True):
    """One night's deletions. `day` is unique: of two clocks one deletes. `counts` is JSON, how many by rule."""

    __tablename__ = "retention_run"

    day: date = Field(primary_key=True)
    at: datetime
    done_at: datetime | None = None
    counts: str = "{}"
