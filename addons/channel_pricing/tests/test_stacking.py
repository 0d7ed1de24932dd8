from decimal import Decimal

from hypothesis import given, settings, strategies as st

from odoo.tests import BaseCase, tagged

from ..tools.stacking import BASES, KINDS, MODES, Group, Line, Offer, Policy, stack

# Microsoft Learn, "Resolving concurrency within price component codes" (Dynamics 365 unified pricing management)
WITHIN_CODES = {
    "policy": Policy(groups=(Group("DIS01"), Group("DIS02"), Group("DIS03"))),
    "offers": (
        Offer("DIS01-01", "percent", 10, group="DIS01", mode="best"),
        Offer("DIS01-02", "percent", 5, group="DIS01", mode="always"),
        Offer("DIS02-01", "percent", 10, group="DIS02", mode="compound"),
        Offer("DIS02-02", "percent", 8, group="DIS02", mode="always"),
        Offer("DIS03-01", "amount", 20, group="DIS03", mode="threshold"),
        Offer("DIS03-02", "amount", 10, group="DIS03", mode="always"),
    ),
}


def one(policy, amount, *offers, **line):
    [result] = stack(policy, [Line(amount, offers, **line)])
    return result


def reasons(result):
    return {step.offer.key: step.reason for step in result.steps}


def percents(*values, **more):
    return [Offer(number, "percent", value, **more) for number, value in enumerate(values, 1)]


@tagged("post_install", "-at_install")
class TestStacking(BaseCase):
    # === PUBLISHED EXAMPLES ===#

    def test_dynamics_within_price_component_codes(self):
        """Best and compounded ones by group, then the threshold, then those that always apply, by group again."""
        result = one(WITHIN_CODES["policy"], 1565, *WITHIN_CODES["offers"])
        self.assertEqual(
            [(step.offer.key, step.taken, step.left) for step in result.steps],
            [
                ("DIS01-01", Decimal("156.50"), Decimal("1408.50")),
                ("DIS02-01", Decimal("140.85"), Decimal("1267.65")),
                ("DIS03-01", Decimal("20.00"), Decimal("1247.65")),
                ("DIS01-02", Decimal("62.38"), Decimal("1185.27")),
                ("DIS02-02", Decimal("94.82"), Decimal("1090.45")),
                ("DIS03-02", Decimal("10.00"), Decimal("1080.45")),
            ],
        )
        self.assertEqual(result.amount, Decimal("1080.45"))

    def test_dynamics_commerce_compound_behavior(self):
        """Microsoft Learn, "Pricing settings": 10 % and 20 % off 100."""
        self.assertEqual(one(Policy("compound"), 100, *percents(10, 20)).amount, 72)
        self.assertEqual(one(Policy("compound", "original"), 100, *percents(10, 20)).amount, 70)

    def test_dynamics_best_price_across_price_component_codes(self):
        """Microsoft Learn, "Resolving concurrency across price component codes": 10 and 20 compete, 30 is added."""
        policy = Policy("compound", groups=(Group(1, across="best"), Group(2, across="best"), Group(3)))
        offers = [Offer(key, "amount", value, group=key) for key, value in ((1, 10), (2, 20), (3, 30))]
        result = one(policy, 1000, *offers)
        self.assertEqual(result.taken, 50)
        self.assertEqual(reasons(result), {2: None, 1: "group", 3: None})

    def test_dynamics_margin_components(self):
        """Same page: surcharges of the base price and of the running price."""
        policy = Policy("compound")
        offers = [
            Offer("Ullage", "percent", -5, basis="original"),
            Offer("Freight", "percent", 2),
            Offer("Group margin", "amount", -10, basis="original"),
            Offer("Contract margin", "percent", -5),
            Offer("Pickup fee", "amount", -2),
            Offer("Other cost to sell", "percent", -5),
        ]
        result = one(policy, 1000, *offers)
        self.assertEqual(
            [step.left for step in result.steps],
            [Decimal(left) for left in ("1050", "1029", "1039", "1090.95", "1092.95", "1147.60")],
        )

    def test_dynamics_rebate_reduction_principles(self):
        """Microsoft Learn, rebate management: the order of the same four deals decides.

        Deal 1 does not apply the principle and deal 2 applies it to another kind of amount only: both are reckoned of
        the original. Deal 2 is excluded from reducing the others.
        """
        deals = {
            1: Offer(1, "percent", 10, basis="original"),
            2: Offer(2, "percent", 15, basis="original", reduces=False),
            3: Offer(3, "percent", 20),
            4: Offer(4, "percent", 25),
        }
        for order, expected in (
            ((1, 2, 3, 4), [100, 150, 180, 180]),
            ((4, 3, 2, 1), [250, 150, 150, 100]),
            ((3, 2, 1, 4), [200, 150, 100, 175]),
            ((2, 4, 1, 3), [150, 250, 100, 130]),
        ):
            with self.subTest(order=order):
                result = one(Policy("compound"), 1000, *(deals[number] for number in order))
                self.assertEqual([step.taken for step in result.steps], expected)
                self.assertEqual(result.taken, {1: 610, 4: 650, 3: 625, 2: 630}[order[0]])

    # === MODES ===#

    def test_modes_of_the_same_three_offers(self):
        for mode, left, expected in (
            ("best", 70, {1: "best", 2: "best", 3: None}),
            ("exclusive", 70, {1: "exclusive", 2: "exclusive", 3: None}),
            ("additive", 40, {1: None, 2: None, 3: None}),
            ("compound", Decimal("50.40"), {1: None, 2: None, 3: None}),
            ("threshold", Decimal("50.40"), {1: None, 2: None, 3: None}),
            ("always", Decimal("50.40"), {1: None, 2: None, 3: None}),
        ):
            with self.subTest(mode=mode):
                result = one(Policy(mode), 100, *percents(10, 20, 30))
                self.assertEqual(result.amount, left)
                self.assertEqual(reasons(result), expected)

    def test_additive_is_of_what_the_group_began_with(self):
        policy = Policy("compound", groups=(Group("a"), Group("b", mode="additive")))
        offers = [Offer(1, "percent", 50, group="a"), *(Offer(n, "percent", 10, group="b") for n in (2, 3))]
        self.assertEqual([step.taken for step in one(policy, 100, *offers).steps], [50, 5, 5])

    def test_exclusive_stands_alone_in_its_group_but_for_what_always_applies(self):
        offers = [
            Offer("x", "percent", 10, mode="exclusive"),
            Offer("b", "percent", 60, mode="best"),
            Offer("t", "percent", 50, mode="threshold"),
            Offer("a", "percent", 1, mode="always"),
        ]
        result = one(Policy(), 100, *offers)
        self.assertEqual(result.amount, Decimal("89.10"))
        self.assertEqual(reasons(result), {"x": None, "b": "exclusive", "t": "exclusive", "a": None})
        self.assertEqual([step.beaten_by for step in result.steps if step.offer.key == "b"], [("x",)])

    def test_exclusive_that_gives_nothing_shuts_nobody_out(self):
        offers = [Offer("x", "price", 120, mode="exclusive"), Offer("b", "percent", 10)]
        result = one(Policy(), 100, *offers)
        self.assertEqual((result.amount, reasons(result)), (90, {"b": None, "x": "no_gain"}))

    def test_combined_offers_compete_with_a_best_one_as_one(self):
        together = [Offer(1, "percent", 10, mode="compound"), Offer(2, "percent", 10, mode="compound")]
        for alone, left, expected in (
            (18, 81, {1: None, 2: None, "b": "best"}),
            (20, 80, {"b": None, 1: "best", 2: "best"}),
            # A tie is the combination's
            (19, 81, {1: None, 2: None, "b": "best"}),
        ):
            with self.subTest(alone=alone):
                result = one(Policy(), 100, Offer("b", "percent", alone), *together)
                self.assertEqual((result.amount, reasons(result)), (left, expected))

    def test_final_group_ends_the_search_only_if_it_gives_something(self):
        policy = Policy(groups=(Group("first", across="final"), Group("second")))
        second = [
            Offer(2, "percent", 50, group="second"),
            Offer("t", "percent", 50, group="second", mode="threshold"),
            Offer("a", "amount", 1, group="second", mode="always"),
        ]
        result = one(policy, 100, Offer(1, "percent", 10, group="first"), *second)
        self.assertEqual((result.amount, reasons(result)), (89, {1: None, 2: "final", "t": "final", "a": None}))
        result = one(policy, 100, Offer(1, "percent", 10, group="first", minimum=101), *second)
        self.assertEqual((result.amount, reasons(result)), (24, {1: "minimum", 2: None, "t": None, "a": None}))

    def test_offers_of_no_group_come_last(self):
        policy = Policy("compound", groups=(Group("g"),))
        offers = [Offer(1, "percent", 10), Offer(2, "amount", 50, group="g"), Offer(3, "amount", 1, group="unknown")]
        self.assertEqual([step.offer.key for step in one(policy, 100, *offers).steps], [2, 1, 3])

    def test_sequence_decides_within_a_group_and_then_the_order_given(self):
        offers = [Offer(1, "percent", 1, 20), Offer(2, "percent", 1, 10), Offer(3, "percent", 1, 20)]
        self.assertEqual([step.offer.key for step in one(Policy("compound"), 100, *offers).steps], [2, 1, 3])

    # === EDGES ===#

    def test_minimum_is_reached_by_its_exact_amount(self):
        offer = Offer("t", "amount", 5, mode="threshold", minimum=90)
        # What is left when its turn comes, unless the caller names the measure
        for before, measure, expected in ((10, None, None), (11, None, "minimum"), (11, 90, None), (0, 89, "minimum")):
            with self.subTest(before=before, measure=measure):
                result = one(Policy("compound"), 100, offer, Offer(1, "percent", before), measure=measure)
                self.assertEqual(reasons(result)["t"], expected)

    def test_minimum_of_other_modes_is_of_the_original_amount(self):
        offers = [Offer(1, "percent", 50), Offer(2, "percent", 10, mode="always", minimum=100)]
        self.assertEqual(one(Policy(), 100, *offers).amount, 45)

    def test_new_price_is_met_exactly_and_never_raises(self):
        result = one(Policy("compound"), Decimal("33.3333"), Offer(1, "price", Decimal("30.125")))
        self.assertEqual(result.amount, Decimal("30.125"))
        result = one(Policy("compound"), 20, Offer(1, "price", 30))
        self.assertEqual((result.amount, reasons(result)), (20, {1: "no_gain"}))

    def test_half_is_rounded_up_at_each_step_to_the_given_multiple(self):
        for rounding, taken in (("0.01", "0.13"), ("0.1", "0.1"), ("0.05", "0.15"), ("0", "0.125"), ("1", "0")):
            with self.subTest(rounding=rounding):
                result = one(Policy(rounding=rounding), 1, Offer(1, "percent", 12.5))
                self.assertEqual(result.taken, Decimal(taken))

    def test_caps_cut_the_last_ones(self):
        offers = percents(10, 10, 10)
        for policy, expected in (
            (Policy("additive", cap=15), [(10, None), (5, "policy"), (0, "policy")]),
            (Policy("additive", cap_percent=25), [(10, None), (10, None), (5, "policy")]),
            (Policy("additive", cap_percent=25, cap=20), [(10, None), (10, None), (0, "policy")]),
            (Policy("additive", cap=0), [(0, "policy")] * 3),
            (Policy("additive", cap=30), [(10, None)] * 3),
        ):
            with self.subTest(policy=policy):
                result = one(policy, 100, *offers)
                self.assertEqual([(step.taken, step.limited_by) for step in result.steps], expected)

    def test_caps_of_a_group_and_of_an_offer(self):
        policy = Policy("additive", groups=(Group("g", cap_percent=12),))
        offers = [
            Offer(1, "percent", 10, group="g", cap=4),
            Offer(2, "percent", 10, group="g"),
            Offer(3, "amount", 7, group="g", mode="always"),
            Offer(4, "percent", 10),
        ]
        result = one(policy, 100, *offers)
        self.assertEqual(
            {step.offer.key: (step.taken, step.limited_by) for step in result.steps},
            {1: (4, "offer"), 2: (8, "group"), 3: (0, "group"), 4: (Decimal("8.8"), None)},
        )

    def test_who_wins_is_decided_by_what_would_really_be_given(self):
        offers = [Offer(1, "percent", 50, cap=5), Offer(2, "percent", 10)]
        self.assertEqual(reasons(one(Policy(), 100, *offers)), {2: None, 1: "best"})

    def test_nothing_goes_below_the_floor(self):
        result = one(Policy("compound"), 100, Offer(1, "amount", 30), Offer(2, "amount", 30), floor=60)
        self.assertEqual([(step.taken, step.limited_by) for step in result.steps], [(30, None), (10, "floor")])
        # An amount that is below already stays
        self.assertEqual(one(Policy(), 50, Offer(1, "amount", 30), floor=60).amount, 50)

    def test_return_is_the_mirror_image(self):
        sold = one(WITHIN_CODES["policy"], 1565, *WITHIN_CODES["offers"])
        returned = one(WITHIN_CODES["policy"], -1565, *WITHIN_CODES["offers"])
        self.assertEqual(returned.amount, -sold.amount)
        self.assertEqual([step.left for step in returned.steps], [-step.left for step in sold.steps])

    def test_nothing_on_nothing(self):
        self.assertEqual(one(Policy(), 100).amount, 100)
        for mode in MODES:
            result = one(Policy(mode), 0, *percents(10), Offer("a", "amount", 5), Offer("p", "price", 0))
            self.assertEqual((result.amount, result.applied), (0, []))

    def test_float_is_what_it_shows(self):
        self.assertEqual(one(Policy("additive"), 0.1 + 0.2, Offer(1, "amount", 0.1)).taken, Decimal("0.1"))

    def test_unknown_words_are_refused(self):
        for arguments in (("share", 1), ("percent", 1, 10, None, "sometimes"), ("percent", 1, 10, None, None, "list")):
            with self.subTest(arguments=arguments), self.assertRaisesRegex(ValueError, "unknown"):
                Offer("o", *arguments)

    # === LAWS ===#

    amounts = st.decimals(0, 10_000, places=2)
    offer_values = {
        "kind": st.sampled_from(KINDS),
        "value": st.decimals(0, 150, places=1),
        "sequence": st.integers(1, 3),
        "minimum": st.none() | st.integers(0, 5000),
        "cap": st.none() | st.integers(0, 500),
    }
    any_offer = st.builds(
        Offer,
        key=st.integers(),
        group=st.sampled_from((None, "a", "b", "c")),
        mode=st.none() | st.sampled_from(MODES),
        basis=st.none() | st.sampled_from(BASES),
        reduces=st.booleans(),
        **offer_values,
    )
    simple_offers = st.lists(
        st.builds(Offer, key=st.integers(), kind=st.sampled_from(("percent", "amount")), value=offer_values["value"]),
        max_size=5,
    )
    caps = {"cap_percent": st.none() | st.integers(0, 100), "cap": st.none() | st.integers(0, 3000)}
    any_policy = st.builds(
        Policy,
        mode=st.sampled_from(MODES),
        basis=st.sampled_from(BASES),
        groups=st.permutations(("a", "b", "c")).flatmap(
            lambda keys: st.tuples(
                *(
                    st.builds(
                        Group,
                        key=st.just(key),
                        mode=st.none() | st.sampled_from(MODES),
                        across=st.sampled_from(("together", "best", "final")),
                        cap_percent=st.none() | st.integers(0, 100),
                        cap=st.none() | st.integers(0, 3000),
                    )
                    for key in keys
                )
            )
        ),
        rounding=st.sampled_from(("0.01", "0.05", "1", "0")),
        **caps,
    )

    @settings(max_examples=300, deadline=None)
    @given(policy=any_policy, amount=amounts, offers=st.lists(any_offer, max_size=6), floor=st.integers(0, 2000))
    def test_amounts_add_up_within_their_limits(self, policy, amount, offers, floor):
        result = one(policy, amount, *offers, floor=floor)
        self.assertGreaterEqual(result.amount, min(amount, floor))
        self.assertLessEqual(result.amount, amount)
        self.assertEqual(result.taken, sum(step.taken for step in result.steps))
        self.assertEqual(result.amount, amount - result.taken)
        # Each offer is accounted for once, and what counts takes something
        self.assertCountEqual([id(step.offer) for step in result.steps], [id(offer) for offer in offers])
        for step in result.steps:
            self.assertEqual(step.taken > 0, not step.reason)
            if step.offer.cap is not None:
                self.assertLessEqual(step.taken, step.offer.cap)
        if policy.cap is not None:
            self.assertLessEqual(result.taken, policy.cap)
        for group in policy.groups:
            if group.cap is not None:
                taken = sum(step.taken for step in result.steps if step.offer.group == group.key)
                self.assertLessEqual(taken, group.cap)
        if policy.rounding and policy.cap is None and not floor:
            for step in result.applied:
                if step.offer.kind == "percent" and not step.limited_by:
                    self.assertEqual(step.taken % policy.rounding, 0)

    @settings(max_examples=200, deadline=None)
    @given(policy=any_policy, lines=st.lists(st.tuples(amounts, st.lists(any_offer, max_size=3)), max_size=4))
    def test_lines_do_not_know_of_each_other(self, policy, lines):
        lines = [Line(*line) for line in lines]
        self.assertEqual(stack(policy, lines), [stack(policy, [line])[0] for line in lines])

    @settings(max_examples=200, deadline=None)
    @given(amount=amounts, offers=simple_offers, data=st.data())
    def test_best_takes_what_the_greatest_takes_in_any_order(self, amount, offers, data):
        for mode in ("best", "exclusive"):
            taken = one(Policy(mode), amount, *offers).taken
            self.assertEqual(taken, max((one(Policy(mode), amount, offer).taken for offer in offers), default=0))
            shuffled = data.draw(st.permutations(offers))
            self.assertEqual(one(Policy(mode), amount, *shuffled).taken, taken)

    @settings(max_examples=200, deadline=None)
    @given(amount=amounts, offers=simple_offers, data=st.data(), cap=caps["cap"])
    def test_order_is_nothing_to_what_is_reckoned_of_the_same_amount(self, amount, offers, data, cap):
        shuffled = data.draw(st.permutations(offers))
        for policy in (Policy("additive", cap=cap), Policy("compound", "original", cap=cap)):
            self.assertEqual(one(policy, amount, *offers).taken, one(policy, amount, *shuffled).taken)

    @settings(max_examples=200, deadline=None)
    @given(amount=amounts, offers=simple_offers)
    def test_additive_takes_no_less_than_compound_and_compound_no_less_than_best(self, amount, offers):
        additive, compound, best = (
            one(Policy(mode, rounding=0), amount, *offers).taken for mode in ("additive", "compound", "best")
        )
        self.assertGreaterEqual(additive, compound)
        self.assertGreaterEqual(compound, best)
