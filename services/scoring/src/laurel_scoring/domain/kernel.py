"""The compiled pass: the eight steps of docs/scoring.md over runs of signals, all windows at once.

A run is what one entity did within one scope, oldest first. Boards and ledgers come out of the
same function. Functions that call each other stand in this one file, because the machine code
kept on disk is renewed by changes of its own file only.
"""

# Compiled code takes bare arrays by position. The pass is one loop on purpose: it reads like the
# eight steps, and a function of its own for a part would need nearly all of its state. A variable
# holds int64 whatever the literal that it starts with.
# mypy: allow-untyped-defs, allow-untyped-calls, disable-error-code=assignment
# ruff: noqa: PLR0912, PLR0915, PLR0917

import numpy as np

from laurel_scoring.domain.compiling import compiled
from laurel_scoring.domain.vocabulary import CATEGORY_OF, Category, Outcome, SignalType

# Plain integers: an enum member inside compiled code would be an object of its own type.
ONE = 10_000
CEILING = 10**18
U_ONE = np.uint64(ONE)
U_HALF = np.uint64(ONE // 2)
DAY_US = 86_400_000_000
NO_TIME = -(2**62)
LINES_LIMIT = 2**31 - 1
BLOCK = 512
TYPES = len(SignalType)
CATEGORIES = len(Category)
CATEGORY = np.array([CATEGORY_OF[kind] for kind in SignalType], dtype=np.int64)
COMMIT = int(SignalType.COMMIT)
PENALTIES = int(Category.PENALTIES)
EARNED = int(Outcome.EARNED)
NO_BASE_POINTS = int(Outcome.NO_BASE_POINTS)
DAILY_QUOTA = int(Outcome.DAILY_QUOTA)

# The columns of a ledger.
LEDGER_COLUMNS = 15
(
    OUTCOME,
    PENALTY,
    BASE,
    IN_DAY,
    IN_WEEK,
    DECAY,
    AFTER_DECAY,
    FIRST_FACTOR,
    AFTER_FIRST,
    MERGED_FACTOR,
    AFTER_MERGED,
    LINKED_FACTOR,
    AFTER_LINKED,
    WEIGHT,
    POINTS,
) = range(LEDGER_COLUMNS)


@compiled
def mul(a, b):
    """a x b / 10,000 to the nearest whole, halves away from zero; b is not negative.

    Split so that no intermediate product leaves 64 bits while the result fits them. Unsigned,
    because machines divide whole numbers that may be negative in several steps.
    """
    if b == ONE:
        return a  # what most factors are
    size = np.uint64(abs(a))
    factor = np.uint64(b)
    whole = size // U_ONE
    product = np.int64(whole * factor + ((size - whole * U_ONE) * factor + U_HALF) // U_ONE)
    return product if a >= 0 else -product


@compiled
def weigh(points, weight):
    """Step 8's product, the only one that can leave 64 bits: then CEILING, which no column holds.

    100 x 10,000 x 1,000 x 100^3 points in ten-thousandths are 10^19.
    """
    if weight > 0 and points > CEILING // 100:
        return CEILING
    return mul(points, weight)


@compiled
def week_at(day):
    """The ISO week of a day, both counted since 1970; its first day was a Thursday."""
    return (day + 3) // 7


@compiled
def multiplied(base, decay, first, merged, linked, weight):
    """The points after each of the steps 6 to 8."""
    after_decay = mul(base, decay)
    after_first = mul(after_decay, first)
    after_merged = mul(after_first, merged)
    after_linked = mul(after_merged, linked)
    return after_decay, after_first, after_merged, after_linked, weigh(after_linked, weight)


@compiled
def write_rows(run, row_of, shared, alone, fined, counted, changed, results):
    """Writes a run's sums to its rows, widening what was noted at the narrowest window."""
    breakdown, counts, lines = results
    for w in range(len(fined) - 1, -1, -1):
        if w < len(fined) - 1:
            fined[w] += fined[w + 1]
            for category in range(CATEGORIES):
                shared[w, category] = min(shared[w, category] + shared[w + 1, category], CEILING)
            for kind in range(TYPES):
                counted[w, kind] += counted[w + 1, kind]
            for side in range(2):
                changed[w, side] += changed[w + 1, side]
        row = row_of[run, w]
        if row >= 0:
            for category in range(CATEGORIES):
                breakdown[row, category] = shared[w, category] + alone[w, category]
            breakdown[row, PENALTIES] = fined[w]
            for kind in range(TYPES):
                counts[row, kind] = counted[w, kind]
            for side in range(2):
                lines[row, side] = min(changed[w, side], LINES_LIMIT)


@compiled
def evaluate(words, order, run_start, window_start, row_of, limited, rules, results, ledger):
    """Evaluates every run in every window; row_of[run, window] is where its result goes.

    limited: 1 with quota and diminishing returns (people), 0 without (repositories).
    A ledger of the length of `order` is filled for the one window; one of length 0 is not.

    Windows end together, so one that began before a signal's week counts that week, and each of
    its days, as every wider one does: but in the week of their own beginning, windows differ in
    nothing but which signal is the first of its type.
    """
    (
        penalty_of,
        base_points,
        quota,
        outcome_of,
        first_factor,
        merged_factor,
        linked_factor,
        review_weight,
        weekly,
    ) = rules
    threshold, decay_factor, floor_fraction = weekly[0], weekly[1], weekly[2]
    windows = len(window_start)
    explain = len(ledger) > 0
    first_week = np.empty(windows, dtype=np.int64)
    for w in range(windows):
        first_week[w] = week_at(window_start[w] // DAY_US)
    # How many windows, from the widest on, have seen a signal of the type reach step 7.
    seen_in = np.empty(TYPES, dtype=np.int64)
    week_of = np.empty(windows, dtype=np.int64)
    in_week = np.empty(windows, dtype=np.int64)
    day_of = np.empty((windows, TYPES), dtype=np.int64)
    in_day = np.empty((windows, TYPES), dtype=np.int64)
    # What a window and all wider ones have in common is noted at the narrowest of them;
    # write_rows sums it up over the wider ones.
    shared = np.empty((windows, CATEGORIES), dtype=np.int64)
    alone = np.empty((windows, CATEGORIES), dtype=np.int64)
    fined = np.empty(windows, dtype=np.int64)
    counted = np.empty((windows, TYPES), dtype=np.int64)
    changed = np.empty((windows, 2), dtype=np.int64)
    block = np.empty((BLOCK, 3), dtype=np.int64)

    for run in range(len(run_start) - 1):
        seen_in[:] = 0
        week_of[:] = NO_TIME
        day_of[:] = NO_TIME
        shared[:] = 0
        alone[:] = 0
        fined[:] = 0
        counted[:] = 0
        changed[:] = 0
        holding = 0
        agreeing = 0
        for j in range(run_start[run], run_start[run + 1]):
            # A run's signals lie far apart: fetched together, their cache misses overlap.
            b = (j - run_start[run]) % BLOCK
            if b == 0:
                for k in range(min(BLOCK, run_start[run + 1] - j)):
                    for part in range(3):
                        block[k, part] = words[order[j + k], part]
            at = block[b, 0]
            traits = block[b, 1]
            while holding < windows and at >= window_start[holding]:
                holding += 1
            if holding == 0:
                continue
            value = traits & 0xFFFFFFFF
            kind = traits >> 32 & 0xF
            state = traits >> 40 & 0x3
            case = kind << 6 | (traits >> 48 & 0x3F)
            narrowest = holding - 1

            counted[narrowest, kind] += 1
            if kind == COMMIT:
                changed[narrowest, 0] += block[b, 2] & 0xFFFFFFFF
                changed[narrowest, 1] += block[b, 2] >> 32
            # 2. Penalty. 3. Zero points. 4. Base.
            penalty = mul(penalty_of[kind], value)
            fined[narrowest] = max(fined[narrowest] + penalty, -CEILING)
            outcome = outcome_of[case]
            base = mul(base_points[kind], value) if outcome == EARNED else 0
            if outcome == EARNED and base == 0:
                outcome = NO_BASE_POINTS
            if explain:
                ledger[j, OUTCOME] = outcome
                ledger[j, PENALTY] = penalty
                ledger[j, BASE] = base
            if outcome != EARNED:
                continue

            day = at // DAY_US
            week = week_at(day)
            while agreeing < holding and (first_week[agreeing] < week or not limited):
                agreeing += 1
            merged = merged_factor[case]
            linked = linked_factor[case]
            weight = review_weight[kind << 2 | state]
            category = CATEGORY[kind]
            w = 0
            while w < holding:
                # Of the windows that agree, the widest one counts for all.
                end = max(agreeing, w + 1)
                # 5. Daily quota. 6. Diminishing returns.
                decay = np.int64(ONE)
                if limited:
                    in_day[w, kind] = in_day[w, kind] + 1 if day_of[w, kind] == day else 1
                    day_of[w, kind] = day
                    if explain:
                        ledger[j, IN_DAY] = in_day[w, kind]
                    if quota[kind] >= 0 and in_day[w, kind] > quota[kind]:
                        if explain:
                            ledger[j, OUTCOME] = DAILY_QUOTA
                        w = end
                        continue
                    in_week[w] = in_week[w] + 1 if week_of[w] == week else 1
                    week_of[w] = week
                    over = max(in_week[w] - threshold, 0)
                    decay = ONE if over == 0 else max(floor_fraction, ONE - decay_factor * over)
                # 7. Multipliers. 8. Review weight. Whatever a window has seen, wider ones have.
                known = min(max(seen_in[kind], w), end)
                seen_in[kind] = max(seen_in[kind], end)
                if known > w:
                    steps = multiplied(base, decay, ONE, merged, linked, weight)
                    if w == 0:
                        total = shared[known - 1, category] + steps[4]
                        shared[known - 1, category] = min(total, CEILING)
                    else:
                        alone[w, category] = min(alone[w, category] + steps[4], CEILING)
                    first = np.int64(ONE)
                if known < end:
                    first = first_factor[kind]
                    steps = multiplied(base, decay, first, merged, linked, weight)
                    for v in range(known, end):
                        alone[v, category] = min(alone[v, category] + steps[4], CEILING)
                if explain:
                    ledger[j, IN_WEEK] = in_week[w] if limited else 0
                    ledger[j, DECAY] = decay
                    ledger[j, AFTER_DECAY] = steps[0]
                    ledger[j, FIRST_FACTOR] = first
                    ledger[j, AFTER_FIRST] = steps[1]
                    ledger[j, MERGED_FACTOR] = merged
                    ledger[j, AFTER_MERGED] = steps[2]
                    ledger[j, LINKED_FACTOR] = linked
                    ledger[j, AFTER_LINKED] = steps[3]
                    ledger[j, WEIGHT] = weight
                    ledger[j, POINTS] = steps[4]
                w = end
        write_rows(run, row_of, shared, alone, fined, counted, changed, results)
