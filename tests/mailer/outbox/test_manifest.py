import sqlalchemy as sa

from mailer.outbox import batches, manifest
from tests.databases import ONLY_SQLITE


@ONLY_SQLITE  # whose planner has no idea how many deliveries a mailing has
def test_a_batch_is_found_without_reading_the_rest_of_its_mailing(engine: sa.Engine):
    for question in (manifest._IN_HAND, batches._WAITING):
        asked = question.compile(engine)
        with engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}", (None,) * len(asked.positiontup or ()))

            assert [row.detail for row in plan] == ["SEARCH delivery USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)"]
