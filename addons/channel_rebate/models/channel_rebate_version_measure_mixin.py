from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.channel_base.tools.domain import check_domain

from ..tools.formula import LINE_NAMES, compile_formula

MEASURES = [
    ("amount", "Amount"),
    ("quantity", "Quantity"),
    ("points", "Points of the products"),
    ("formula", "Formula over the line"),
]
PRICES = [
    ("net", "Net price, after the discount of the line"),
    ("gross", "Price before the discount of the line"),
    ("cash", "Net price, less the discount for early payment"),
    ("list", "Sales price of the product"),
    ("contract", "Price by the contract's price list"),
]
FORMULA_HELP = f"Names: {', '.join(LINE_NAMES)}."


class ChannelRebateVersionMeasureMixin(models.AbstractModel):
    """What counts: event, what is measured towards the tier, and, apart from it, what is paid on."""

    _name = "channel.rebate.version.measure.mixin"
    _description = "Rebate Terms: What Counts"

    basis = fields.Selection(
        selection="_selection_basis", required=True, default="invoiced", help="What counts, and on which day."
    )
    returns_policy = fields.Selection(
        [("return", "In the period of the return"), ("sale", "In the period of the sale")],
        string="Returns Count",
        required=True,
        default="return",
        help="A return counts under the version and in the window of its own day, or of the sale that it takes back.",
    )
    rate_date = fields.Selection(
        [
            ("event", "Day that puts the line into its period"),
            ("order", "Day of the order"),
            ("invoice", "Day of the invoice"),
            ("window", "Last day of the window"),
        ],
        string="Exchange Rate of",
        required=True,
        default="event",
        help="Whose exchange rate converts amounts that Odoo does not hold in the currency of the programme. On the "
        "last day of a window that has not ended, the latest rate stands in.",
    )

    # What decides the tier
    qualifying_measure = fields.Selection(MEASURES, required=True, default="amount", string="Target Measure")
    qualifying_price = fields.Selection(PRICES, required=True, default="net", string="Target Price")
    qualifying_tax = fields.Boolean(string="Target Includes Tax")
    qualifying_freight = fields.Boolean(string="Target Includes Freight", default=True)
    qualifying_uom_id = fields.Many2one(
        "uom.uom", string="Target Unit", ondelete="restrict", help="Empty: each product's own unit."
    )
    qualifying_formula = fields.Char(string="Target Formula", help=FORMULA_HELP)

    # What is paid on
    earning_measure = fields.Selection(
        [("same", "Same as the target"), *MEASURES], required=True, default="same"
    )
    earning_price = fields.Selection(PRICES, required=True, default="net")
    earning_tax = fields.Boolean(string="Earning Includes Tax")
    earning_freight = fields.Boolean(string="Earning Includes Freight", default=True)
    earning_uom_id = fields.Many2one(
        "uom.uom", string="Earning Unit", ondelete="restrict", help="Empty: each product's own unit."
    )
    earning_formula = fields.Char(help=FORMULA_HELP)

    # Scopes beside that of the scope mixin, which says what counts towards the tier
    earning_product_domain = fields.Char(
        string="Earning Products", help="Products that are paid on. Empty: those that count towards the tier."
    )
    earning_segment_ids = fields.Many2many(
        "channel.segment",
        "channel_rebate_version_earning_segment_rel",
        "version_id",
        "segment_id",
        string="Earning Segments",
        ondelete="restrict",
        help="Markets that are paid on. Empty: those that count towards the tier.",
    )
    excluded_product_domain = fields.Char(
        string="Excluded Products", help="Products that never count, although another list names them."
    )

    # An empty condition reads “all records” in a form, which is the opposite of what an empty exclusion means.
    has_excluded_products = fields.Boolean(
        string="Some Products Never Count", compute="_compute_has_products", inverse="_inverse_has_products"
    )
    has_earning_products = fields.Boolean(
        string="Paid on Other Products", compute="_compute_has_products", inverse="_inverse_has_products",
        help="Not on those that count towards the tier.",
    )

    @api.depends("excluded_product_domain", "earning_product_domain")
    def _compute_has_products(self):
        for version in self:
            version.has_excluded_products = bool(version.excluded_product_domain)
            version.has_earning_products = bool(version.earning_product_domain)

    def _inverse_has_products(self):
        for version in self:
            if not version.has_excluded_products:
                version.excluded_product_domain = False
            if not version.has_earning_products:
                version.earning_product_domain = False

    @api.model
    def _selection_basis(self):
        return self.env["channel.rebate.engine"]._selection_basis()

    @api.constrains("earning_product_domain", "excluded_product_domain")
    def _check_measure_domains(self):
        for name in ("earning_product_domain", "excluded_product_domain"):
            label = self._fields[name]._description_string(self.env)
            for text in set(self.mapped(name)):
                check_domain(self._scope_products(), text, label)

    @api.constrains("qualifying_measure", "qualifying_formula", "earning_measure", "earning_formula")
    def _check_measure_formulas(self):
        for version in self:
            for side in ("qualifying", "earning"):
                formula = f"{side}_formula"
                if version[f"{side}_measure"] != "formula":
                    continue
                try:
                    compile_formula(version[formula], LINE_NAMES)
                except ValueError as error:
                    label = self._fields[formula]._description_string(self.env)
                    raise ValidationError(
                        self.env._(
                            "%(field)s “%(formula)s” cannot be used: %(error)s. It may use: %(names)s.",
                            field=label,
                            formula=version[formula] or "",
                            error=error,
                            names=", ".join(LINE_NAMES),
                        )
                    ) from error

    def _measures_money(self):
        """:return: whether the tiers are bounds in money (else in units, points or per cent)"""
        self.ensure_one()
        return self.qualifying_measure in ("amount", "formula")
