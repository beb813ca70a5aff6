"""When a program that died is started again."""

from laurel_cli.supervision.backoff import HEALTHY_AFTER, LONGEST_DELAY, Backoff


def test_the_delay_doubles_with_each_death_in_a_row_up_to_a_limit() -> None:
    backoff = Backoff()
    delays = [backoff.died(started_at=0, now=float(number)) for number in range(9)]
    assert delays == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, LONGEST_DELAY, LONGEST_DELAY, LONGEST_DELAY]


def test_a_program_that_was_well_for_a_while_starts_over_with_the_first_delay() -> None:
    backoff = Backoff()
    backoff.died(started_at=0, now=1)
    backoff.died(started_at=1, now=2)
    assert backoff.died(started_at=3, now=3 + HEALTHY_AFTER) == 0.2


def test_five_deaths_within_a_minute_are_a_loop() -> None:
    backoff = Backoff()
    for number in range(4):
        backoff.died(started_at=0, now=10.0 * number)
        assert not backoff.looping
    backoff.died(started_at=0, now=40.0)
    assert backoff.looping


def test_deaths_that_are_minutes_apart_are_no_loop() -> None:
    backoff = Backoff()
    for number in range(8):
        backoff.died(started_at=0, now=90.0 * number)
    assert not backoff.looping
