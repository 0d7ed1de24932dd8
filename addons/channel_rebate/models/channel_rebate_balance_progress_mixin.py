from odoo import models

#: How much of the measure a bound stands for, by what bounds are compared with; others are not told in advance.
_NEEDED = {
    "total": lambda bound, reference: bound,
    "growth_index": lambda bound, reference: reference * bound / 100,
    "growth_rate": lambda bound, reference: reference * (1 + bound / 100),
    "growth_amount": lambda bound, reference: reference + bound,
    "achievement": lambda bound, reference: reference * bound / 100,
    "market_share": lambda bound, reference: reference * bound / 100,
}


class ChannelRebateBalanceProgressMixin(models.AbstractModel):
    """How far a window is on its way to the next tier, and what it comes to if sales go on.

    Inherited by ``channel.rebate.balance``.

    As of the last run: the entitlement and the measure are what the engine found; what is ahead is worked out from the
    tiers, for methods whose tiers pay at once what is reached (retroactive, marginal, fixed amounts).
    """

    _name = "channel.rebate.balance.progress.mixin"
    _description = "Progress towards the Next Tier"

    def _progress(self, date, more=0.0):
        """:param date: the day that is looked at
        :param more: what an order in view adds to the measure and to what is paid on
        :return: list of dicts as `channel.rebate.program.progress`
        """
        return [balance._progress_of(date, more) for balance in self]

    def _progress_of(self, date, more):
        self.ensure_one()
        version = self.version_id
        measure, base = self.qualifying_amount + more, self.base_amount + more
        tiers = [
            (needed, tier.rate)
            for tier in version.tier_ids.sorted("lower_bound")
            if (needed := self._progress_needed(version, tier.lower_bound)) is not None
        ]
        reached = [entry for entry in tiers if self._progress_reaches(version, measure, entry[0])]
        ahead = [entry for entry in tiers if entry not in reached]
        passed = (min(date, self.window_end) - self.window_start).days + 1
        ratio = ((self.window_end - self.window_start).days + 1) / passed if passed > 0 else 0.0
        projected = measure * ratio
        at_the_end = [entry for entry in tiers if self._progress_reaches(version, projected, entry[0])]
        is_money = version._measures_money() and version.earning_measure == "same"
        result = {
            "program_id": self.program_id.id,
            "program": self.program_id.code,
            "name": self.program_id.name,
            "balance_id": self.id,
            "window": self._window_name(),
            "window_end": self.window_end.isoformat(),
            "currency": self.currency_id.name,
            "in_money": version._measures_money(),
            "measure": measure,
            "entitlement": self.entitlement,
            "rate": reached[-1][1] if reached else 0.0,
            "next_from": None, "next_rate": None, "to_go": None, "brings": None,
            "projected_measure": projected,
            "projected_rate": at_the_end[-1][1] if at_the_end else 0.0,
            "projected_entitlement": None,
        }
        if is_money:
            result["projected_entitlement"] = self._progress_pays(version, base * ratio, at_the_end, tiers)
        if ahead:
            needed, rate = ahead[0]
            # Of six digits, as the measure: without the noise of floats
            to_go = round(max(needed - measure, 0.0), 6)
            result |= {"next_from": needed, "next_rate": rate, "to_go": to_go}
            if is_money:
                then = self._progress_pays(version, base + to_go, [*reached, ahead[0]], tiers)
                result["brings"] = then and self.currency_id.round(then - self.entitlement)
        return result

    def _progress_needed(self, version, bound):
        """The measure at which a bound is reached; None where nobody can say in advance."""
        needed = _NEEDED.get(version.tier_measure)
        if needed is None or (version.tier_measure != "total" and not self.reference_amount):
            return None
        return needed(bound, self.reference_amount)

    def _progress_reaches(self, version, measure, needed):
        if version.boundary == "lower":
            return measure >= needed
        return measure > needed or (version.boundary == "upper" and not needed and not measure)

    def _progress_pays(self, version, base, reached, tiers):
        """What a base earns with the tiers that are reached; None for methods that are not told in advance."""
        if version.rate_type != "percent" and version.kind != "fixed" or version.tier_measure != "total":
            return None
        amount = None
        if not reached:
            amount = 0.0
        elif version.kind == "retroactive":
            amount = base * reached[-1][1] / 100
        elif version.kind == "fixed" and version.fixed_mode == "replace":
            amount = reached[-1][1]
        elif version.kind == "marginal":
            uppers = [needed for needed, _rate in tiers[1:]] + [float("inf")]
            amount = sum(
                max(min(base, upper) - lower, 0.0) * rate / 100
                for (lower, rate), upper in zip(tiers, uppers, strict=True)
            )
        if amount is not None and version.payout_cap:
            amount = min(amount, version.payout_cap)
        return amount and self.currency_id.round(amount)

    def _progress_words(self, progress):
        """One sentence for the salesperson and the payee."""
        def number(value):
            return self.currency_id.format(value) if progress["in_money"] else f"{value:,.2f}".rstrip("0").rstrip(".")

        words = {
            "program": progress["name"], "window": progress["window"], "measure": number(progress["measure"]),
            "rate": f"{progress['rate']:g}",
        }
        if progress["to_go"] is None:
            return self.env._(
                "%(program)s %(window)s: %(measure)s counted, highest tier (%(rate)s) reached", **words
            )
        words |= {"to_go": number(progress["to_go"]), "next": f"{progress['next_rate']:g}"}
        if progress["brings"]:
            return self.env._(
                "%(program)s %(window)s: %(measure)s counted, %(to_go)s to go to the next tier (%(next)s), which "
                "brings %(brings)s more",
                brings=self.currency_id.format(progress["brings"]), **words,
            )
        return self.env._(
            "%(program)s %(window)s: %(measure)s counted, %(to_go)s to go to the next tier (%(next)s)", **words
        )

    def _progress_share(self, progress):
        """How much of the way to the next tier is done, in %."""
        if not progress["next_from"]:
            return 100
        return max(0, min(100, round(100 * progress["measure"] / progress["next_from"])))

    def _current(self, member, date):
        """The balances of a member whose windows hold a day, as far as the user may read them."""
        return self.search([
            ("member_id", "=", member.commercial_partner_id.id),
            ("window_start", "<=", date),
            ("window_end", ">=", date),
        ], order="window_end, id")
