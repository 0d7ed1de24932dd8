from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import formatLang

PERIODS = [
    ("month", "Month"),
    ("quarter", "Quarter"),
    ("half", "Half Year"),
    ("year", "Year"),
    ("term", "Whole Term"),
]


class ChannelContractCommitment(models.Model):
    """What the member undertakes to buy in each period: an amount or a quantity, of some products, for some end
    customers. Volumes of a tender (volume-based procurement) are commitments with the hospital and the award named.
    """

    _name = "channel.contract.commitment"
    _description = "Commitment of a Contract Version"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _version_field = "version_id"
    _version_key_fields = ("name",)

    version_id = fields.Many2one("channel.contract.version", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    name = fields.Char(string="Subject", required=True)
    measure = fields.Selection([("amount", "Amount"), ("quantity", "Quantity")], required=True, default="amount")
    amount = fields.Monetary(help="Before tax, in each period, in the contract's currency.")
    quantity = fields.Float(help="In each period, in the products' own unit of measure.", aggregator=None)
    currency_id = fields.Many2one(related="version_id.currency_id")
    period = fields.Selection(PERIODS, required=True, default="year")
    anchor = fields.Selection(
        [("calendar", "Calendar"), ("contract", "First day of the contract")],
        string="Periods Begin with",
        required=True,
        default="calendar",
        help="Calendar: a quarter begins in January, April, July, October. A period that the version covers in part "
        "counts in part, by days.",
    )
    basis = fields.Selection(
        "_selection_basis", string="Counts", required=True, default="invoiced", help="What is held against it."
    )
    product_categ_id = fields.Many2one("product.category", string="Product Category", help="Empty: all products.")
    product_tmpl_ids = fields.Many2many(
        "product.template",
        "channel_contract_commitment_product_rel",
        "commitment_id",
        "product_tmpl_id",
        string="Products",
        help="Empty: every product of the category.",
    )
    region_id = fields.Many2one(
        "channel.region",
        index="btree_not_null",
        ondelete="restrict",
        help="Of the end customer, or of the member where an order names none. Empty: everywhere.",
    )
    customer_id = fields.Many2one(
        "res.partner",
        string="Hospital",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('channel_role', '=', 'hospital')]",
        help="Empty: for every end customer.",
    )
    tolerance = fields.Float(
        string="Tolerance (%)", aggregator=None, help="Missed below 100 % less this.", default=lambda self: 0.0
    )
    is_tender_volume = fields.Boolean(
        string="Tender Volume", help="A volume that was agreed in a volume-based procurement."
    )
    award_reference = fields.Char(string="Award", help="Number of the tender and of the award notice.")

    _tolerance_percent = models.Constraint(
        "CHECK (tolerance >= 0 AND tolerance < 100)", "A tolerance is between 0 and 100 %."
    )

    @api.model
    def _selection_basis(self):
        """What can be held against a commitment; an add-on that knows more adds a key here and a relation in
        ``channel.contract.performance._sources()``.
        """
        return [
            ("ordered", self.env._("Orders")),
            ("delivered", self.env._("Deliveries")),
            ("invoiced", self.env._("Invoices")),
        ]

    @api.constrains("measure", "amount", "quantity")
    def _check_amount(self):
        for commitment in self:
            value = commitment.amount if commitment.measure == "amount" else commitment.quantity
            if value <= 0:
                raise ValidationError(
                    self.env._(
                        "Commitment %(name)s: the %(measure)s must be above 0, it is %(value)s.",
                        name=commitment.name,
                        measure=commitment._label(commitment.measure),
                        value=value,
                    )
                )

    def _target_text(self):
        """:return: how much is committed, as a person reads it"""
        self.ensure_one()
        return self._value_text(self.amount if self.measure == "amount" else self.quantity)

    def _value_text(self, value):
        """:return: an amount with its currency, or a quantity with its unit, as a person reads it"""
        self.ensure_one()
        value = float(value)
        if self.measure == "amount":
            return formatLang(self.env, value, currency_obj=self.currency_id)
        quantity = formatLang(self.env, value, digits=0 if value == round(value) else 2)
        return " ".join(filter(None, [quantity, self._unit_text()]))

    def _unit_text(self):
        """:return: the unit of a quantity where the products named have one in common, else the word for any"""
        self.ensure_one()
        # sudo: the unit of what is agreed is printed, also for who does not see the products
        units = self.sudo().product_tmpl_ids.uom_id
        return units.name if len(units) == 1 else self.env._("units")

    def _scope_text(self):
        """:return: what is committed, of which products and for whom; empty for everything"""
        self.ensure_one()
        # sudo: names of what the agreement is about
        scope = self.sudo()
        return ", ".join(
            filter(
                None,
                [
                    scope.product_categ_id.complete_name,
                    ", ".join(scope.product_tmpl_ids.mapped("name")),
                    scope.region_id.complete_name,
                    scope.customer_id.name,
                    scope.award_reference,
                ],
            )
        )
