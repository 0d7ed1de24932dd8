from decimal import ROUND_HALF_UP, Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

CENT = Decimal("0.01")
FULL = Decimal(100)


def exact(value):
    """A float of the database as the decimal number that a person reads."""
    return Decimal(str(value))


class ChannelTierCriterion(models.Model):
    """One thing that members are scored by: a measure, what its values are worth, and how much it weighs."""

    _name = "channel.tier.criterion"
    _description = "Criterion of a Tier Policy"
    _inherit = ["channel.version.line.mixin"]
    _order = "sequence, id"
    _rec_name = "measure"
    _version_field = "rule_id"

    rule_id = fields.Many2one("channel.tier.rule", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    measure = fields.Selection(selection=lambda self: self.env["channel.tier.measure"]._selection(), required=True)
    weight = fields.Float(
        default=1.0, required=True, digits=(8, 2), help="In proportion to the weights of the other criteria."
    )
    scale = fields.Selection(
        [("linear", "Linear"), ("bands", "Bands")],
        default="linear",
        required=True,
        help="Linear: points grow evenly between two values. Bands: points by steps.",
    )
    value_zero = fields.Float(string="Value for 0 Points", digits=(16, 2))
    value_full = fields.Float(
        string="Value for 100 Points", digits=(16, 2), help="Smaller than the other one where less is better."
    )
    band_ids = fields.One2many("channel.tier.band", "criterion_id", string="Bands", copy=True)
    points_below = fields.Float(
        string="Points below the First Band", digits=(5, 2), help="For values smaller than every band."
    )
    missing = fields.Selection(
        [
            ("points", "Fixed points"),
            ("skip", "Leave the criterion out"),
        ],
        string="Without History",
        default="points",
        required=True,
        help="For a member of which nothing is known in the period. Left out: the other criteria weigh more instead.",
    )
    missing_points = fields.Float(string="Points without History", digits=(5, 2))

    _weight_positive = models.Constraint("CHECK(weight > 0)", "A weight is greater than 0.")
    _points_range = models.Constraint(
        "CHECK(points_below BETWEEN 0 AND 100 AND missing_points BETWEEN 0 AND 100)", "Points lie between 0 and 100."
    )
    _measure_uniq = models.Constraint("unique(rule_id, measure)", "A measure counts once in a policy.")

    # === CONSTRAINT METHODS === #

    @api.constrains("scale", "value_zero", "value_full")
    def _check_linear(self):
        for criterion in self:
            if criterion.scale == "linear" and criterion.value_zero == criterion.value_full:
                raise ValidationError(self.env._(
                    "%s: the values for 0 and for 100 points are the same. Enter two values.",
                    criterion._measure_label(),
                ))

    def _check_complete(self):
        """Refuse a policy whose scales are not finished; asked at its approval."""
        for criterion in self:
            if criterion.scale == "bands" and not criterion.band_ids:
                raise UserError(self.env._("%s: add bands, or choose the linear scale.", criterion._measure_label()))

    # === BUSINESS METHODS === #

    def _measure_label(self):
        self.ensure_one()
        return self.env["channel.tier.measure"]._measures()[self.measure][0]

    def _points(self, value):
        """Return the points of a value, unrounded.

        :param Decimal value: of the measure; None without history
        :return: Decimal from 0 to 100, or None when the criterion is to be left out
        """
        self.ensure_one()
        if value is None:
            return None if self.missing == "skip" else exact(self.missing_points)
        if self.scale == "linear":
            zero, full = exact(self.value_zero), exact(self.value_full)
            return min(max((value - zero) / (full - zero) * FULL, Decimal(0)), FULL)
        reached = [band for band in self.band_ids if value >= exact(band.value)]
        return exact(max(reached, key=lambda band: band.value).points if reached else self.points_below)

    def _score(self, values):
        """Return what the criteria of one policy make of one member.

        :param dict values: ``{measure: Decimal}``, measures without history left out
        :return: ``(points, detail)``: points rounded to two decimals (half up) or None when every criterion is left
            out; detail is ``[{measure, value, points, weight}]``, plain JSON, ``value`` and ``points`` may be None
        """
        total = weights = Decimal(0)
        detail = []
        for criterion in self:
            value = values.get(criterion.measure)
            points = criterion._points(value)
            weight = exact(criterion.weight)
            if points is not None:
                total += points * weight
                weights += weight
            detail.append({
                "measure": criterion.measure,
                "value": None if value is None else float(value),
                "points": None if points is None else float(points.quantize(CENT, ROUND_HALF_UP)),
                "weight": float(weight),
            })
        return ((total / weights).quantize(CENT, ROUND_HALF_UP) if weights else None), detail

    def _summary_values(self):
        """What the journal keeps of a criterion."""
        self.ensure_one()
        return {
            "measure": self.measure,
            "weight": self.weight,
            "scale": self.scale,
            "values": [self.value_zero, self.value_full] if self.scale == "linear" else [
                [band.value, band.points] for band in self.band_ids
            ],
            "missing": self.missing_points if self.missing == "points" else None,
        }

    @api.model
    def _explain(self, detail, currency):
        """Return the lines of a score in words.

        :param list detail: of :meth:`_score`
        :param currency: of the amounts
        """
        measures = self.env["channel.tier.measure"]._measures()
        lines = []
        for item in detail or ():
            label, unit = measures.get(item["measure"], (item["measure"], "count"))
            value = item["value"]
            if value is None:
                text = self.env._("nothing known in the period")
            elif unit == "money":
                text = formatLang(self.env, value, currency_obj=currency)
            elif unit == "percent":
                text = f"{formatLang(self.env, value, digits=2)} %"
            elif unit == "days":
                text = self.env._("%s days", formatLang(self.env, value, digits=1))
            else:
                text = formatLang(self.env, value, digits=0 if unit == "count" else 1)
            if item["points"] is None:
                lines.append(self.env._("%(measure)s: %(value)s, left out", measure=label, value=text))
            else:
                lines.append(self.env._(
                    "%(measure)s: %(value)s, %(points)s of 100 points, weight %(weight)s",
                    measure=label,
                    value=text,
                    points=formatLang(self.env, item["points"], digits=2),
                    weight=f"{item['weight']:g}",
                ))
        return lines
