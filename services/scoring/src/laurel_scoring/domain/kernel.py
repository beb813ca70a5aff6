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
NO_TIME = -(2**62)
# A tally holds a day or week above so many bits, and below how many were counted in it.
TALLY_BITS = 34
# The price list holds weeks that are less far over the threshold; others are calculated.
MOST_OVER = 64
LINES_LIMIT = 2**31 - 1
BLOCK = 512
TYPES = len(SignalType)
# See item_of.
ITEMS = 256
CATEGORIES = len(Category)
CATEGORY = np.array([CATEGORY_OF[kind] for kind in SignalType], dtype=np.int64)
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
def steps_of(base, over, is_first, case, rules):
    """The steps 6 to 8: each factor and the points after it, as a ledger has them from DECAY on.

    over: how far the week is over its threshold. case: type, flags and review state.
    """
    _, _, _, _, first_factor, merged_factor, linked_factor, review_weight, weekly = rules
    kind, flagged = case >> 8, case >> 2
    decay = np.int64(ONE)
    if over > 0:
        decay = max(weekly[2], ONE - weekly[1] * over)
    first = first_factor[kind] if is_first else np.int64(ONE)
    merged, linked = merged_factor[flagged], linked_factor[flagged]
    weight = review_weight[kind << 2 | case & 0x3]
    after_decay = mul(base, decay)
    after_first = mul(after_decay, first)
    after_merged = mul(after_first, merged)
    after_linked = mul(after_merged, linked)
    points = weigh(after_linked, weight)
    return (
        decay,
        after_decay,
        first,
        after_first,
        merged,
        after_merged,
        linked,
        after_linked,
        weight,
        points,
    )


@compiled
def item_of(case):
    """A case's place in the price list: its type, the two flags that multiply, its review state."""
    return case >> 4 & 0xF0 | case >> 3 & 0xC | case & 0x3


@compiled
def price_list(rules):
    """What signals of value 1 earn that reach step 6: by how far their week is over the threshold,
    up to where more makes no difference or to MOST_OVER; by whether they are the first of their
    type; by item.
    """
    base_points = rules[1]
    one = np.int64(ONE)
    rows = 1
    while rows <= MOST_OVER:
        if steps_of(one, rows - 1, False, 0, rules)[0] == steps_of(one, rows, False, 0, rules)[0]:
            break
        rows += 1
    prices = np.zeros((rows, 2, ITEMS), dtype=np.int64)
    for item in range(TYPES << 4):
        case = (item & 0xF0) << 4 | (item & 0xC) << 3 | item & 0x3
        for over in range(rows):
            for is_first in range(2):
                steps = steps_of(base_points[case >> 8], over, is_first == 1, case, rules)
                prices[over, is_first, item] = steps[-1]
    return prices


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
def evaluate(words, order, run_start, windows, row_of, limited, rules, prices, results, ledger):
    """Evaluates every run in every window; row_of[run, window] is where its result goes.

    words: see Timeline. windows: the position of each one's first signal, and of the first one
    that lies behind the week of its beginning (where nothing is limited, its first signal).
    limited: 1 with quota and diminishing returns (people), 0 without (repositories).
    prices: the price list of `rules`.
    A ledger of the length of `order` is filled for the one window; one of length 0 is not.

    Windows end together, so one that began before a signal's week counts that week, and each of
    its days, as every wider one does: but in the week of their own beginning, windows differ in
    nothing but which signal is the first of its type.
    """
    penalty_of, base_points, quota, outcome_of, _, _, _, _, weekly = rules
    holding_from, agreeing_from = windows
    threshold = weekly[0]
    count = len(holding_from)
    explain = len(ledger) > 0
    # How many windows, from the widest on, have seen a signal of the type reach step 7.
    seen_in = np.empty(TYPES, dtype=np.int64)
    in_week = np.empty(count, dtype=np.int64)
    in_day = np.empty((count, TYPES), dtype=np.int64)
    # What a window and all wider ones have in common is noted at the narrowest of them;
    # write_rows sums it up over the wider ones.
    shared = np.empty((count, CATEGORIES), dtype=np.int64)
    alone = np.empty((count, CATEGORIES), dtype=np.int64)
    fined = np.empty(count, dtype=np.int64)
    counted = np.empty((count, TYPES), dtype=np.int64)
    changed = np.empty((count, 2), dtype=np.int64)
    block = np.empty((BLOCK, 2), dtype=np.int64)

    for run in range(len(run_start) - 1):
        seen_in[:] = 0
        in_week[:] = NO_TIME
        in_day[:] = NO_TIME
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
                    for part in range(2):
                        block[k, part] = words[order[j + k], part]
            while holding < count and order[j] >= holding_from[holding]:
                holding += 1
            while agreeing < count and order[j] >= agreeing_from[agreeing]:
                agreeing += 1
            if holding == 0:
                continue
            traits = block[b, 0]
            case = traits & 0xFFF
            kind = case >> 8
            value = traits >> 12 & 0xFFFFFF
            narrowest = holding - 1

            counted[narrowest, kind] += 1
            changed[narrowest, 0] += block[b, 1] & 0xFFFFFFFF
            changed[narrowest, 1] += block[b, 1] >> 32
            # 2. Penalty. 3. Zero points. 4. Base.
            penalty = np.int64(0)
            if penalty_of[kind] != 0:
                penalty = mul(penalty_of[kind], value)
                fined[narrowest] = max(fined[narrowest] + penalty, -CEILING)
            outcome = outcome_of[case >> 2]
            base = mul(base_points[kind], value) if outcome == EARNED else 0
            if outcome == EARNED and base == 0:
                outcome = NO_BASE_POINTS
            if explain:
                ledger[j, OUTCOME] = outcome
                ledger[j, PENALTY] = penalty
                ledger[j, BASE] = base
            if outcome != EARNED:
                continue

            day = traits >> 36 << TALLY_BITS
            week = week_at(traits >> 36) << TALLY_BITS
            category = CATEGORY[kind]
            w = 0
            while w < holding:
                # Of the windows that agree, the widest one counts for all.
                end = max(agreeing, w + 1)
                over = np.int64(0)
                if limited:
                    # 5. Daily quota. 6. Diminishing returns: what came before, and this one.
                    in_day[w, kind] = max(in_day[w, kind], day) + 1
                    if explain:
                        ledger[j, IN_DAY] = in_day[w, kind] - day
                    if in_day[w, kind] - day > quota[kind]:
                        if explain:
                            ledger[j, OUTCOME] = DAILY_QUOTA
                        w = end
                        continue
                    in_week[w] = max(in_week[w], week) + 1
                    if explain:
                        ledger[j, IN_WEEK] = in_week[w] - week
                    over = max(in_week[w] - week - threshold, np.int64(0))
                # 7. Multipliers. 8. Review weight.
                row = min(over, np.int64(len(prices) - 1))
                if value == ONE and row < MOST_OVER:
                    points, if_first = prices[row, 0, item_of(case)], prices[row, 1, item_of(case)]
                else:
                    points = steps_of(base, over, False, case, rules)[-1]
                    if_first = steps_of(base, over, True, case, rules)[-1]
                # Whatever a window has seen, wider ones have.
                known = max(min(seen_in[kind], end), w)
                if explain:
                    steps = steps_of(base, over, known < end, case, rules)
                    for step in range(len(steps)):
                        ledger[j, DECAY + step] = steps[step]
                if known == end and w == 0:
                    shared[end - 1, category] = min(shared[end - 1, category] + points, CEILING)
                else:
                    for v in range(w, known):
                        alone[v, category] = min(alone[v, category] + points, CEILING)
                    for v in range(known, end):
                        alone[v, category] = min(alone[v, category] + if_first, CEILING)
                    seen_in[kind] = max(seen_in[kind], end)
                w = end
        write_rows(run, row_of, shared, alone, fined, counted, changed, results)
