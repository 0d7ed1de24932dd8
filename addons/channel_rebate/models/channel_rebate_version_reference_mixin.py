from odoo import api, fields, models

from odoo.addons.channel_base.tools.domain import check_domain


class ChannelRebateVersionReferenceMixin(models.AbstractModel):
    """What a total is compared with: last year's, a target, the purchases of a whole category, minimums of a mix.

    Numbers agreed or reported for one payee are figures of the programme (`channel.rebate.figure`).
    """

    _name = "channel.rebate.version.reference.mixin"
    _description = "Rebate Terms: Baselines, Targets and Mixes"

    baseline_source = fields.Selection(
        [
            ("year", "Same window of the year before"),
            ("previous", "Window before"),
            ("figure", "Agreed figure of each payee"),
        ],
        string="Baseline",
        required=True,
        default="year",
        help="An agreed figure takes the place of what lines say; an adjustment is added to it.",
    )
    baseline_missing = fields.Selection(
        [
            ("nothing", "Earns nothing"),
            ("new_partner", "Earns the rate for new partners on everything"),
            ("target", "The target is the baseline"),
        ],
        string="Without Baseline",
        required=True,
        default="nothing",
        help="When the baseline is zero, negative or unknown.",
    )
    new_partner_rate = fields.Float(string="Rate for New Partners (%)", digits=(16, 6), min_display_digits=2)
    target = fields.Float(
        string="Target of a Window",
        digits=(16, 6),
        min_display_digits=2,
        help="In the target measure. Figures of the programme set it for single payees.",
    )
    gate_percent = fields.Float(
        string="Pays from % of Target",
        digits=(16, 6),
        min_display_digits=0,
        help="A window whose total stays below so many per cent of the target earns nothing. 0: no such gate.",
    )
    market_product_domain = fields.Char(
        string="Category Products",
        help="Market share: the purchases of these products make 100 %. Empty: reported figures of the programme.",
    )
    mix_mode = fields.Selection(
        [
            ("none", "No mix"),
            ("all", "Earns only if each component reaches its minimum"),
        ],
        string="Mix",
        required=True,
        default="none",
    )
    component_ids = fields.One2many("channel.rebate.component", "version_id", string="Components", copy=True)

    @api.constrains("market_product_domain")
    def _check_market_domain(self):
        label = self._fields["market_product_domain"]._description_string(self.env)
        for text in set(self.mapped("market_product_domain")):
            check_domain(self._scope_products(), text, label)

    def _reference_problems(self):
        """Yield a sentence for each reason for which these terms have nothing to compare with."""
        self.ensure_one()
        if self._needs_components() and not self.component_ids:
            yield self.env._("a mix needs “Components”.")

    def _needs_components(self):
        self.ensure_one()
        return self.mix_mode != "none" or self.tier_measure == "mix" or self.earning_base == "sets"
