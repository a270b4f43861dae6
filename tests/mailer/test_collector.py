import gc

from mailer.collector import uncollected


def test_the_collector_is_off_for_a_while_and_then_as_it_was():
    assert gc.isenabled()

    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()

    assert gc.isenabled()
