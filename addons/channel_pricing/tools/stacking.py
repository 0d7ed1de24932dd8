"""How several offers on one amount combine. Arithmetic only: no model, no database, no currency but its rounding.

Price lists use it, and promotions and rebates may: an offer is a percentage, an amount or a new price, whoever
makes it. Amounts and offers are in one unit (a unit price, or the amount of a line), chosen by the caller.

The order in which offers count is fixed, so that the same offers always give the same amount:

1. Group by group, in the order of the groups. Within a group

   * an ``exclusive`` offer stands alone; of several the greatest;
   * otherwise ``additive`` and ``compound`` offers are taken together, in their order, and compete as one with each
     ``best`` offer: what gives most is given.

   A group whose ``across`` is ``best`` competes with the other groups of that kind; after a group that is ``final``
   and gives something no later group is tried.
2. ``threshold`` offers, on what is left, if the measure reaches their minimum; those of a group that was not tried,
   or in which an exclusive offer stands alone, do not count.
3. ``always`` offers, on what is then left.

What each offer takes is rounded half-up before the next is reckoned, except that a new price is met exactly.
A percentage is of what is left (``remainder``) or of the amount as it was (``original``); an ``additive``
offer's is of what its group began with, as are those of ``best`` and ``exclusive`` ones. Caps cut what an offer
would take beyond them, the last ones first; nothing takes the amount below its floor. A negative
percentage or amount is a surcharge: it counts where offers are added or compounded, not where they compete.
A negative amount (a return) is reckoned as its mirror image.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from decimal import ROUND_HALF_UP, Decimal

EXCLUSIVE, BEST, ADDITIVE, COMPOUND, THRESHOLD, ALWAYS = MODES = (
    "exclusive", "best", "additive", "compound", "threshold", "always",
)
PERCENT, AMOUNT, PRICE = KINDS = ("percent", "amount", "price")
REMAINDER, ORIGINAL = BASES = ("remainder", "original")
TOGETHER, FINAL = "together", "final"
ACROSS = (TOGETHER, BEST, FINAL)

ZERO = Decimal(0)


def decimal(value):
    """`value` as a Decimal with the digits that it shows: 0.1 is a tenth."""
    return value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)


def _make_decimal(record, *names):
    for name in names:
        if (value := getattr(record, name)) is not None:
            object.__setattr__(record, name, decimal(value))


@dataclass(frozen=True, slots=True)
class Offer:
    """
    :param key: by what the caller knows it
    :param kind: ``percent``, ``amount`` (both are taken off) or ``price`` (what the amount becomes)
    :param sequence: its place within the group; offers of the same place count in the order given
    :param group: key of a `Group`; offers of none, or of an unknown one, form a last group
    :param mode: one of `MODES`; of its group, or of the policy, when empty
    :param basis: one of `BASES`; of its group, or of the policy, when empty
    :param minimum: it counts only if the line's measure reaches this
    :param cap: the most that it takes
    :param reduces: False: later offers are reckoned as if it were not there
    """

    key: Hashable
    kind: str
    value: Decimal
    sequence: int = 10
    group: Hashable = None
    mode: str | None = None
    basis: str | None = None
    minimum: Decimal | None = None
    cap: Decimal | None = None
    reduces: bool = True

    def __post_init__(self):
        for name, known in (("kind", KINDS), ("mode", (None, *MODES)), ("basis", (None, *BASES))):
            if getattr(self, name) not in known:
                words = ", ".join(filter(None, known))
                raise ValueError(f"Offer {self.key!r}: unknown {name} {getattr(self, name)!r}, known are {words}")
        _make_decimal(self, "value", "minimum", "cap")


@dataclass(frozen=True, slots=True)
class Group:
    """Offers of one kind, such as a season's promotions.

    :param mode: how its offers combine unless they say otherwise
    :param across: ``together`` (on top of earlier groups), ``best`` (only the best of such groups) or ``final`` (when
        it gives something, later groups are not tried)
    :param cap_percent: the most that it takes, in percent of the original amount
    :param cap: the most that it takes
    """

    key: Hashable
    mode: str | None = None
    basis: str | None = None
    across: str = TOGETHER
    cap_percent: Decimal | None = None
    cap: Decimal | None = None

    def __post_init__(self):
        _make_decimal(self, "cap_percent", "cap")


@dataclass(frozen=True, slots=True)
class Policy:
    """
    :param groups: in the order in which they are tried
    :param rounding: what an offer takes is a multiple of this; 0 leaves it as it is
    """

    mode: str = BEST
    basis: str = REMAINDER
    groups: tuple[Group, ...] = ()
    cap_percent: Decimal | None = None
    cap: Decimal | None = None
    rounding: Decimal = Decimal("0.01")

    def __post_init__(self):
        _make_decimal(self, "cap_percent", "cap", "rounding")


@dataclass(frozen=True, slots=True)
class Line:
    """
    :param measure: what minimums are compared with, the total of the order for instance. Without it: what
        is left when thresholds are reckoned, and the original amount for offers of other modes
    :param floor: the least that may be left
    """

    amount: Decimal
    offers: tuple[Offer, ...] = ()
    measure: Decimal | None = None
    floor: Decimal = ZERO

    def __post_init__(self):
        _make_decimal(self, "amount", "measure", "floor")


@dataclass(frozen=True, slots=True)
class Step:
    """What became of one offer.

    :param reason: empty when it counts. Else ``minimum``, ``no_gain`` (it would take nothing), ``exclusive`` (another
        stands alone), ``best`` (something else gives more), ``group`` (another group gives more), ``final`` (an earlier
        group ended the search) or ``limit`` (what may be taken was taken already)
    :param beaten_by: keys of the offers that count instead
    :param base: what a percentage was of
    :param taken: what it takes off, negative for a surcharge
    :param left: what is left of the amount after it
    :param limited_by: ``offer``, ``group``, ``policy`` or ``floor`` when it would have taken more
    """

    offer: Offer
    reason: str | None = None
    beaten_by: tuple[Hashable, ...] = ()
    base: Decimal = ZERO
    taken: Decimal = ZERO
    left: Decimal = ZERO
    limited_by: str | None = None


@dataclass(slots=True)
class Result:
    """
    :param amount: what is left
    :param taken: what the offers take together
    :param steps: offers that count, in the order in which they do, among those that do not
    """

    amount: Decimal
    taken: Decimal = ZERO
    steps: list[Step] = field(default_factory=list)

    @property
    def applied(self):
        return [step for step in self.steps if not step.reason]


def stack(policy, lines):
    """
    :param Policy policy:
    :param lines: iterable of `Line`
    :returns: list of `Result`, one for each line
    """
    groups = {group.key: (place, group) for place, group in enumerate(policy.groups)}
    return [_Stack(policy, groups, line).run() for line in lines]


class _State:
    """How far the offers of one line have brought its amount. Mutable: a copy is made to try something."""

    __slots__ = ("base", "taken", "taken_by_group", "steps")

    def __init__(self, base, taken=ZERO, taken_by_group=None, steps=()):
        #: What percentages of the remainder are of: less than what is left where an offer does not reduce it
        self.base = base
        self.taken = taken
        self.taken_by_group = dict(taken_by_group or {})
        self.steps = list(steps)

    def fork(self):
        return _State(self.base, self.taken, self.taken_by_group, self.steps)

    def become(self, other):
        self.base, self.taken, self.taken_by_group = other.base, other.taken, other.taken_by_group
        self.steps = other.steps


class _Stack:
    """One line under a policy."""

    def __init__(self, policy, groups, line):
        self.policy = policy
        self.sign = -1 if line.amount < 0 else 1
        self.original = abs(line.amount)
        self.measure = None if line.measure is None else abs(line.measure)
        self.floor = min(abs(line.floor), self.original)
        last = (len(groups), Group(key=None))
        by_group = {}
        for offer in line.offers:
            place, group = groups.get(offer.group, last)
            by_group.setdefault(place, (group, []))[1].append(offer)
        #: ``[(group, its offers)]``, both in order
        self.groups = [
            (group, sorted(offers, key=lambda offer: offer.sequence))
            for _place, (group, offers) in sorted(by_group.items(), key=lambda entry: entry[0])
        ]
        #: Groups whose thresholds do not count: ``{key: (reason, keys of what counts instead)}``
        self.closed = {}

    def run(self):
        state = _State(self.original)
        self._try_groups(state)
        self._try_late(state, THRESHOLD, self.original - state.taken)
        self._try_late(state, ALWAYS, self.original)
        return Result(
            amount=self.sign * (self.original - state.taken),
            taken=self.sign * state.taken,
            steps=state.steps if self.sign > 0 else [self._mirror(step) for step in state.steps],
        )

    # === GROUPS ===#

    def _try_groups(self, state):
        competing = [entry for entry in self.groups if entry[0].across == BEST]
        ended_by = ()
        for group, offers in self.groups:
            if ended_by:
                if group.across != BEST or competing:
                    self._refuse(state, group, offers, FINAL, ended_by)
            elif group.across == BEST:
                if competing:  # all of them, where the first one stands
                    self._try_competing(state, competing)
                    competing = []
            else:
                known = len(state.steps)
                self._try_group(state, group, offers)
                if group.across == FINAL:
                    ended_by = _given(state.steps[known:])

    def _try_competing(self, state, competing):
        attempts = []
        for group, offers in competing:
            attempt = state.fork()
            self._try_group(attempt, group, offers)
            attempts.append(attempt)
        best = max(attempts, key=lambda attempt: attempt.taken)
        winners = _given(best.steps[len(state.steps):])
        state.become(best)
        for (group, offers), attempt in zip(competing, attempts, strict=True):
            if attempt is not best:
                self._refuse(state, group, offers, "group", winners)

    def _try_group(self, state, group, offers):
        """The offers of one group, on what earlier groups left."""
        known = len(state.steps)
        offers = [offer for offer in self._early(group, offers) if self._reaches(state, offer, self.original)]
        of_mode = {mode: [offer for offer in offers if self._mode(offer, group) == mode] for mode in MODES}
        chosen = self._greatest([self._attempt(state, group, [offer]) for offer in of_mode[EXCLUSIVE]], state)
        reason = EXCLUSIVE
        if chosen is None:
            together = [offer for offer in offers if offer in of_mode[ADDITIVE] or offer in of_mode[COMPOUND]]
            attempts = [self._attempt(state, group, [offer]) for offer in of_mode[BEST]]
            chosen, reason = self._greatest(attempts, state), BEST
            if together:
                combined = self._attempt(state, group, together)
                if chosen is None or combined.taken >= chosen.taken:
                    chosen = combined
        if chosen is not None:
            state.become(chosen)
        decided = {id(step.offer) for step in state.steps[known:]}
        winners = _given(state.steps[known:])
        if winners and reason == EXCLUSIVE:
            self.closed[group.key] = (EXCLUSIVE, winners)
        for offer in offers:
            if id(offer) not in decided:
                gains = winners and self._wanted(offer, self.original) > 0
                state.steps.append(Step(offer, reason, winners) if gains else Step(offer, "no_gain"))

    def _attempt(self, state, group, offers):
        """What is left if these of the group count."""
        attempt, start = state.fork(), state.base
        for offer in offers:
            self._apply(attempt, group, offer, attempt.base if self._mode(offer, group) == COMPOUND else start)
        return attempt

    @staticmethod
    def _greatest(attempts, state):
        """The one that takes most, of those that take anything."""
        return max((a for a in attempts if a.taken > state.taken), key=lambda attempt: attempt.taken, default=None)

    def _refuse(self, state, group, offers, reason, winners):
        self.closed[group.key] = (reason, winners)
        state.steps += [Step(offer, reason, winners) for offer in self._early(group, offers)]

    def _early(self, group, offers):
        return [offer for offer in offers if self._mode(offer, group) not in (THRESHOLD, ALWAYS)]

    def _try_late(self, state, mode, measure):
        for group, offers in self.groups:
            for offer in offers:
                if self._mode(offer, group) != mode:
                    continue
                if mode == THRESHOLD and group.key in self.closed:
                    state.steps.append(Step(offer, *self.closed[group.key]))
                elif self._reaches(state, offer, measure):
                    self._apply(state, group, offer, state.base)

    # === ONE OFFER ===#

    def _mode(self, offer, group):
        return offer.mode or group.mode or self.policy.mode

    def _reaches(self, state, offer, measure):
        if offer.minimum is None or offer.minimum <= (measure if self.measure is None else self.measure):
            return True
        state.steps.append(Step(offer, "minimum"))
        return False

    def _apply(self, state, group, offer, start):
        """:param start: what a percentage is of, unless it is of the original amount"""
        base = self.original if self._basis(offer, group) == ORIGINAL else start
        wanted = self._wanted(offer, base)
        taken, limited_by = self._limit(state, group, offer, wanted)
        if not taken:
            state.steps.append(Step(offer, "limit" if wanted else "no_gain", base=base, limited_by=limited_by))
            return
        state.taken += taken
        state.taken_by_group[group.key] = state.taken_by_group.get(group.key, ZERO) + taken
        if offer.reduces:
            state.base -= taken
        state.steps.append(
            Step(offer, base=base, taken=taken, left=self.original - state.taken, limited_by=limited_by)
        )

    def _basis(self, offer, group):
        return offer.basis or group.basis or self.policy.basis

    def _wanted(self, offer, base):
        match offer.kind:
            case "percent":
                return self._round(base * offer.value / 100)
            case "amount":
                return self._round(offer.value) if base else ZERO
            case _:
                return max(base - offer.value, ZERO)

    def _limit(self, state, group, offer, wanted):
        """:returns: ``(how much of it may be taken, by what it was limited)``"""
        limits = (
            ("offer", offer.cap, ZERO),
            ("group", self._cap(group), state.taken_by_group.get(group.key, ZERO)),
            ("policy", self._cap(self.policy), state.taken),
            ("floor", self.original - self.floor, state.taken),
        )
        taken, limited_by = wanted, None
        for name, limit, used in limits:
            if limit is not None and taken > 0 and taken > limit - used:
                taken, limited_by = max(limit - used, ZERO), name
        return taken, limited_by

    def _cap(self, owner):
        caps = [cap for cap in (owner.cap,) if cap is not None]
        if owner.cap_percent is not None:
            caps.append(self._round(self.original * owner.cap_percent / 100))
        return min(caps, default=None)

    def _round(self, value):
        rounding = self.policy.rounding
        return (value / rounding).quantize(Decimal(1), ROUND_HALF_UP) * rounding if rounding else value

    @staticmethod
    def _mirror(step):
        return replace(step, base=-step.base, taken=-step.taken, left=-step.left)


def _given(steps):
    """Keys of the offers that count."""
    return tuple(step.offer.key for step in steps if not step.reason)
