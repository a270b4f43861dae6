"""The ordinary way, for comparison: aiosmtplib, and for each member objects, a template run, an EmailMessage, a commit.

python -m benchmarks.delivery.naive FOLDER DATABASE PORT CONNECTIONS MESSAGES
"""

import asyncio
import json
import sys
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

import aiosmtplib
import sqlalchemy as sa
from sqlmodel import Session, col

from benchmarks.delivery.processes import work_when_told
from benchmarks.delivery.stage import Installation
from mailer.app import App
from mailer.digest.contents import expand
from mailer.outbox.models import Delivery, DeliveryState, Mailing, Piece, Variant
from mailer.render.letterheads import letterhead_of
from mailer.render.letters import Letter
from mailer.render.recipients import Person, Recipient
from subscribers.models import Member

SENDER = "veckobrev@nyhet.example.org"


async def send_all(app: App, *, port: int, connections: int, messages: int) -> None:
    with Session(app.engine) as session:
        mailing = session.scalars(sa.select(Mailing)).one()
        pieces = {piece.ref: json.loads(piece.content) for piece in session.scalars(sa.select(Piece))}
        numbers = iter(session.scalars(sa.select(col(Delivery.id)).order_by(col(Delivery.id)).limit(messages)).all())
        content = json.loads(mailing.content)

        async def lane() -> None:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as smtp:
                for number in numbers:
                    delivery = session.get_one(Delivery, number)
                    member = session.get_one(Member, delivery.member_id)
                    variant = session.get_one(Variant, delivery.variant_id)
                    context = expand(content, pieces, json.loads(variant.content), variant.language)
                    await smtp.send_message(compose(app, member, delivery, context))
                    delivery.state, delivery.settled_at = DeliveryState.SENT, datetime.now(UTC)
                    session.commit()

        await asyncio.gather(*(lane() for _ in range(connections)))


def compose(app: App, member: Member, delivery: Delivery, context: dict[str, object]) -> EmailMessage:
    number, mailing = member.id or 0, delivery.mailing_id
    unsubscribe = app.links.unsubscribe(number, mailing)
    recipient = Recipient(
        address=member.address or "",
        persons=(Person(member.given_name or "", unsubscribe, app.links.preferences(number, mailing)),),
        message_id=f"{app.links.message_id(number, mailing)}@nyhet.example.org",
        date=datetime.now(UTC),
        one_click=unsubscribe,
    )
    letter = Letter("digest", "sv", letterhead_of(app.settings, "weekly", "sv", None), context)
    shown = app.letters.show(letter, recipient)
    message = EmailMessage()
    message["Subject"] = shown.subject
    message["From"], message["To"] = SENDER, recipient.address
    message["Date"], message["Message-ID"] = format_datetime(recipient.date), f"<{recipient.message_id}>"
    message["List-Unsubscribe"] = f"<{unsubscribe}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(shown.text, cte="quoted-printable")
    message.add_alternative(shown.html, subtype="html", cte="quoted-printable")
    return message


def main() -> None:
    folder, database, port, connections, messages = sys.argv[1:]
    app = Installation(Path(folder), database).app()
    sending = {"port": int(port), "connections": int(connections), "messages": int(messages)}
    app.engine.dispose()
    work_when_told(lambda: asyncio.run(send_all(app, **sending)))


if __name__ == "__main__":
    main()
