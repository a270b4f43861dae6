"""Swaps of shifts, and the letters about them: a wish is told to those who can fulfil it, a yes to who wished."""

from dataclasses import replace
from datetime import datetime

from sqlmodel import Session

from mailer.config import Settings
from mailer.events import swaps
from mailer.events.models import Event
from mailer.events.swaps import Wish
from mailer.members.places import AT_ONCE, about_shift, tell


def propose(session: Session, settings: Settings, event: Event, wish: Wish, *, now: datetime) -> None:
    """Write a wish down, and tell those who can fulfil it, AT_ONCE at most. raises Mistake, and nothing is changed"""
    asked = swaps.propose(session, event, wish, now=now)
    soonest = min(asked.gives.starts_at, asked.gets.starts_at)
    news = replace(about_shift("swap", event, asked.gets, asked.gives), until=soonest)
    for member in asked.members[:AT_ONCE]:
        tell(session, settings, event, member, news, now=now)


def agree(session: Session, settings: Settings, event: Event, swap: Wish, *, now: datetime) -> None:
    """Exchange two shifts, and tell whoever proposed it. raises Mistake, and nothing is changed"""
    done = swaps.agree(session, event, swap, now=now)
    tell(session, settings, event, done.member, about_shift("swapped", event, done.gave, done.got), now=now)
