from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools.formula import WINDOW_NAMES, compile_formula

#: Tier methods that pay an amount, not a rate.
AMOUNTS = ("interpolated", "fixed", "lump_sum")


class ChannelRebateVersionTierMixin(models.AbstractModel):
    """How a measure becomes money."""

    _name = "channel.rebate.version.tier.mixin"
    _description = "Rebate Terms: Tiers"

    currency_id = fields.Many2one("res.currency")  # the programme's: see the version
    kind = fields.Selection(selection="_selection_kind", string="Method", required=True, default="retroactive")
    tier_measure = fields.Selection(
        [
            ("total", "The total of the window"),
            ("growth_index", "Total as % of the baseline (110 = a tenth more)"),
            ("growth_rate", "Growth over the baseline in % (10 = a tenth more)"),
            ("growth_amount", "Growth over the baseline"),
            ("achievement", "Total as % of the target"),
            ("market_share", "Total as % of all purchases of the category"),
            ("mix", "The component that is least fulfilled, in % of its minimum"),
        ],
        string="Bounds Are Compared with",
        required=True,
        default="total",
    )
    rate_type = fields.Selection(
        [
            ("percent", "Per cent of what is paid on"),
            ("unit", "Amount for each unit"),
            ("lot", "Amount for each N units"),
        ],
        string="Rates Are",
        required=True,
        default="percent",
    )
    lot_size = fields.Float(string="N", digits=(16, 6), min_display_digits=0, default=1)
    lot_rounding = fields.Selection(
        [("floor", "Full lots only"), ("prorata", "Parts of a lot in proportion")], required=True, default="floor"
    )
    earning_base = fields.Selection(
        [
            ("all", "On everything"),
            ("growth", "On the growth over the baseline"),
            ("sets", "On the number of complete sets"),
        ],
        string="Paid",
        required=True,
        default="all",
    )
    fixed_mode = fields.Selection(
        [("replace", "Replaces those of lower tiers"), ("add", "Adds to those of lower tiers")],
        string="Amount of a Tier",
        required=True,
        default="replace",
    )
    straight_line = fields.Boolean(
        string="Earned Day by Day", help="A lump sum is earned in proportion to the days of the window that are over."
    )
    boundary = fields.Selection(
        [
            ("lower", "The higher tier: a tier begins at its bound"),
            ("upper", "The lower tier: a tier includes its upper bound"),
            ("strict", "The lower tier: each bound must be exceeded, the first one too"),
        ],
        string="Exactly on a Bound",
        required=True,
        default="lower",
        help="Which tier an amount belongs to that is exactly a bound.",
    )
    scale_end = fields.Float(
        string="Nothing Above",
        digits=(16, 6),
        min_display_digits=2,
        help="End of the highest tier, for scales that say “up to”. 0: the highest tier is open.",
    )
    negative_policy = fields.Selection(
        [
            ("charge", "Charge back at the first tier"),
            ("zero", "Pay and charge nothing"),
        ],
        string="Returns Exceed Sales",
        required=True,
        default="charge",
        help="When a window's total is negative: the rate of the tier that begins at zero is charged on it "
        "(nothing if no tier begins at zero), or nothing.",
    )
    formula = fields.Char(help=f"What a window earns. Names: {', '.join(WINDOW_NAMES)}.")
    tier_ids = fields.One2many("channel.rebate.tier", "version_id", string="Tiers", copy=True)
    payout = fields.Selection(
        [("money", "Money"), ("goods", "Free goods")],
        required=True,
        default="money",
        help="Free goods: rates say units of the product; each is accrued at its value.",
    )
    goods_product_id = fields.Many2one(
        "product.product", string="Free Product", ondelete="restrict", check_company=True
    )
    goods_value = fields.Monetary(string="Value of a Unit", help="At which a free unit is accrued.")
    rounding_point = fields.Selection(
        [("line", "Each line"), ("tier", "Each tier"), ("settlement", "Once for the window")],
        string="Rounded",
        required=True,
        default="settlement",
        help="Where amounts are rounded to the currency of the programme.",
    )

    @api.model
    def _selection_kind(self):
        return self.env["channel.rebate.engine"]._selection_kind()

    @api.constrains("kind", "formula")
    def _check_formula(self):
        for version in self.filtered(lambda v: v.kind == "formula"):
            try:
                compile_formula(version.formula, WINDOW_NAMES)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "Formula “%(formula)s” of %(version)s cannot be used: %(error)s. It may use: %(names)s.",
                        formula=version.formula or "",
                        version=version.display_name,
                        error=error,
                        names=", ".join(WINDOW_NAMES),
                    )
                ) from error

    @api.constrains("rate_type", "lot_size")
    def _check_lot_size(self):
        for version in self:
            if version.rate_type == "lot" and version.lot_size <= 0:
                raise ValidationError(
                    self.env._(
                        "%(version)s: N is %(size)s, an amount for each N units needs one above 0.",
                        version=version.display_name,
                        size=f"{version.lot_size:g}",
                    )
                )

    def _tier_problems(self):
        """Yield a sentence for each reason for which these terms cannot be calculated."""
        self.ensure_one()
        if self.kind != "formula" and not self.tier_ids:
            yield self.env._("there is no tier: add at least one.")
        bounds = self.tier_ids.mapped("lower_bound")
        if len(set(bounds)) < len(bounds):
            yield self.env._("two tiers begin at the same amount: remove one or move it.")
        if any(tier.lower_bound < 0 or tier.rate < 0 for tier in self.tier_ids):
            yield self.env._("a bound or a rate lies below 0.")
        if self.kind not in AMOUNTS and self.rate_type == "percent" and any(t.rate > 100 for t in self.tier_ids):
            yield self.env._("a rate lies above 100 %.")
        if self.scale_end and self.tier_ids and self.scale_end <= max(self.tier_ids.mapped("lower_bound")):
            yield self.env._("“Nothing Above” (%s) lies below the bound of a tier.", f"{self.scale_end:g}")
        if self.payout == "goods" and not self.goods_product_id:
            yield self.env._("free goods need a “Free Product”.")
