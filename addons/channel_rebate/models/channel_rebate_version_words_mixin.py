from odoo import api, fields, models

from .channel_rebate_version_tier_mixin import AMOUNTS

#: What bounds are compared with is per cent
PERCENT = ("growth_index", "growth_rate", "achievement", "market_share", "mix")


class ChannelRebateVersionWordsMixin(models.AbstractModel):
    """Terms, bounds, rates and measures in the reader's language, each in its own unit."""

    _name = "channel.rebate.version.words.mixin"
    _description = "Rebate Terms: Words"

    terms_text = fields.Text(string="Terms in Words", compute="_compute_terms_text")

    @api.depends(
        "kind", "window_type", "boundary", "tier_measure", "rate_type", "lot_size", "payout", "goods_product_id",
        "qualifying_measure", "qualifying_uom_id", "tier_ids.lower_bound", "tier_ids.rate", "currency_id",
    )
    @api.depends_context("lang")
    def _compute_terms_text(self):
        for version in self:
            version.terms_text = "\n".join(version._terms_words())

    def _terms_words(self):
        """-> list of sentences: what each tier pays"""
        self.ensure_one()
        tiers = self.tier_ids.sorted("lower_bound")
        words = []
        for tier, following in zip(tiers, [*tiers[1:], tiers.browse()], strict=True):
            values = {
                "lower": self._bound_words(tier.lower_bound),
                "upper": self._bound_words(following.lower_bound) if following else "",
                "rate": self._rate_words(tier.rate),
            }
            if following and self.kind == "marginal":
                words.append(self.env._("%(rate)s on the part from %(lower)s to %(upper)s", **values))
            elif self.kind == "marginal":
                words.append(self.env._("%(rate)s on the part above %(lower)s", **values))
            elif self.kind in AMOUNTS and following:
                words.append(self.env._("%(rate)s, when the total is from %(lower)s to %(upper)s", **values))
            elif self.kind in AMOUNTS:
                words.append(self.env._("%(rate)s, when the total is %(lower)s or more", **values))
            elif following:
                words.append(
                    self.env._("%(rate)s on everything, when the total is from %(lower)s to %(upper)s", **values)
                )
            else:
                words.append(self.env._("%(rate)s on everything, when the total is %(lower)s or more", **values))
        return words

    def _bound_words(self, value):
        """A bound of a tier, or a distance to one, in what bounds are compared with."""
        if self.tier_measure in PERCENT:
            return f"{_number(value)} %"
        return self._measure_words("qualifying", value)

    def _earned_words(self, value):
        """What is paid on, in its own unit."""
        return self._measure_words("qualifying" if self.earning_measure == "same" else "earning", value)

    def _measure_words(self, side, value):
        match self[f"{side}_measure"]:
            case "amount" | "formula":
                return self.currency_id.format(value) if self.currency_id else _number(value)
            case "points":
                return self.env._("%s points", _number(value))
            case _:
                unit = self[f"{side}_uom_id"].name
                return f"{_number(value)} {unit}" if unit else self.env._("%s units", _number(value))

    def _rate_words(self, rate):
        """What a tier pays: per cent, an amount (money or free goods), or that for each unit or lot."""
        if self.kind not in AMOUNTS and self.rate_type == "percent":
            return f"{_number(rate)} %"
        if self.payout == "goods":
            pays = f"{_number(rate)} × {self.goods_product_id.display_name or ''}"
        else:
            pays = self.currency_id.format(rate) if self.currency_id else _number(rate)
        if self.kind in AMOUNTS:
            return pays
        if self.rate_type == "unit":
            return self.env._("%s for each unit", pays)
        return self.env._("%(amount)s for each %(size)s units", amount=pays, size=_number(self.lot_size))


def _number(value):
    """Without the zeros at its end and without the noise of floats, of six digits as measures are."""
    return f"{float(value or 0):,.6f}".rstrip("0").rstrip(".")
