"""A Reminder: a letter about an event, due at a moment of its ladder, or because of what changed."""

from datetime import datetime

from sqlmodel import Field, SQLModel


class Reminder(SQLModel, table=True):
    """Which event and step a mailing is of; its Mailing carries the key "event:12:reminder-3d-before" and the state.

    step      mailer.ladder.Step.name; of what changed "changed-4", with the revision's number
    left_out  JSON: why -> how many members of the audience did not get it
    """

    mailing_id: int = Field(foreign_key="mailing.id", primary_key=True)
    event_id: int = Field(foreign_key="event.id", index=True)
    step: str = Field(max_length=40)
    due_at: datetime
    left_out: str = "{}"
