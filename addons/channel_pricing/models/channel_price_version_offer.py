from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..tools import in_own_unit, stacking
from .channel_stacking_policy import BASES, MODES

#: A price in floats is that of so many digits: what is below them is noise of the float
PRICE_DIGITS = 8


class ChannelPriceVersionOffer(models.Model):
    """A table of offers that counts on top of a version of a price table.

    Which of its rules makes the offer is asked as of any price table: product, parties, quantity, period, its own
    versions. What the rule offers on the price:

    * a fixed price, a price based on cost or on another table, a formula with rounding, margins or two parts: that
      price, if it is lower
    * a discount or a formula on the sales price that is a percentage and nothing else: so many per cent off
    * a formula on the sales price that is an extra fee and nothing else: a negative fee takes so much off

    How the offers of one version combine says its stacking policy. Offers on a table of offers do not count.
    """

    _name = "channel.price.version.offer"
    _description = "Offers on a Price Table"
    _inherit = ["channel.version.line.mixin"]
    _order = "version_id, sequence, id"
    _rec_name = "offer_pricelist_id"
    _version_field = "version_id"
    _version_key_fields = ("offer_pricelist_id",)
    _check_company_auto = True

    version_id = fields.Many2one("channel.price.version", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="version_id.company_id", store=True, index="btree_not_null")
    pricelist_id = fields.Many2one(related="version_id.pricelist_id")
    currency_id = fields.Many2one(related="version_id.currency_id")
    sequence = fields.Integer(default=10)
    offer_pricelist_id = fields.Many2one(
        "product.pricelist", string="Table of Offers", required=True, index=True, ondelete="restrict",
        check_company=True, domain="[('id', '!=', pricelist_id)]",
        help="Its rule for the product makes the offer. Dealers read its name beside what it takes off.",
    )
    group_id = fields.Many2one(
        "channel.stacking.group", index="btree_not_null", ondelete="restrict",
        help="The group of the policy to which the offers belong. Empty: they come after all groups.",
    )
    mode = fields.Selection(MODES, string="Offers Combine", help="Empty: as the policy says.")
    basis = fields.Selection(BASES, string="Percentages Are", help="Empty: as the policy says.")
    minimum = fields.Monetary(
        string="From Amount",
        help="The offers count only if price times quantity of the line reaches this, for a threshold what is left of "
        "it; 0: always.",
    )
    cap = fields.Monetary(string="At Most", help="An offer takes no more, per unit priced; 0: no such limit.")
    reduces = fields.Boolean(
        string="Reduces Others", default=True,
        help="Later offers are of what this one left. Else they are reckoned as if it were not there.",
    )
    on_special = fields.Boolean(
        string="On Special Prices", help="Special prices are agreed as they are: by default no offers count on them."
    )

    _table_once = models.Constraint(
        "UNIQUE (version_id, offer_pricelist_id)", "A table of offers is named once on a version of a price table."
    )
    _positive = models.Constraint("CHECK (minimum >= 0 AND cap >= 0)", "From Amount and At Most are 0 or more.")

    # === CONSTRAINT METHODS ===#

    @api.constrains("offer_pricelist_id", "version_id")
    def _check_offer_pricelist_id(self):
        for offer in self:
            table = offer.version_id.pricelist_id
            if table in offer.offer_pricelist_id._channel_underlying_tables():
                raise ValidationError(self.env._(
                    "%(offers)s cannot make offers on %(table)s: its own prices rest on that table.",
                    offers=offer.offer_pricelist_id.display_name, table=table.display_name,
                ))

    # === VERSIONS ===#

    def _check_version_open(self):
        result = super()._check_version_open()
        # sudo: notes that a draft was edited, by somebody who may edit it
        self.env["product.pricelist.item"]._channel_rules_edited(self.sudo().version_id)
        return result

    # === BUSINESS METHODS ===#

    def _rules_of(self, rule, product, quantity, uom, book):
        """The rule that makes the offer of each of `self` that counts on a price made by `rule`.

        :param RuleBook book: of the product and the parties
        :return: ``{offer: rule}``; offers that have none for the product are missing
        """
        found = {}
        # sudo: whether a price is a special one decides what counts on it, whoever may read requests
        special = bool(rule.sudo().channel_request_line_id)
        for offer in self:
            if special and not offer.on_special:
                continue
            table = offer.offer_pricelist_id
            own = book.counted(table, product, in_own_unit(product, quantity, uom))
            if won := book.winner(table, product, own):
                found[offer] = won
        return found

    def _combine_on(self, price, rules, product, quantity, uom, currency, moment, **keywords):
        """What offers leave of a price.

        :param float price: of one `uom`, in `currency`
        :param dict rules: as `_rules_of` returns them, of offers of one version
        :param float quantity: in `uom`
        :param keywords: of pricing (``member``, ``customer``, ``rule_book``)
        :return: `tools.stacking.Result`, whose offers have the offers' ids as keys; None when there are none
        """
        if not rules:
            return None
        # sudo: the policy decides the price, also for those who may not read it
        policy = self.version_id.sudo().stacking_policy_id
        line = stacking.Line(
            round(price, PRICE_DIGITS),
            tuple(
                offer._offer(rule, product, quantity, uom, currency, moment, keywords)
                for offer, rule in rules.items()
            ),
        )
        [result] = policy._stack([line], currency)
        return result

    def _offer(self, rule, product, quantity, uom, currency, moment, keywords):
        """:return: `tools.stacking.Offer`: what a rule of the table offers, per unit"""
        self.ensure_one()
        source = rule.currency_id or currency

        def money(amount, own=False):
            """In the currency and, of what is said of the product's own unit, in the unit that is priced."""
            amount = product.uom_id._compute_price(amount, uom) if own and product.uom_id != uom else amount
            return round(self._converted(amount, currency, moment), PRICE_DIGITS)

        minimum = Decimal(repr(money(self.minimum))) / Decimal(repr(abs(quantity) or 1.0)) if self.minimum else None
        terms = {
            "key": self.id,
            "sequence": self.sequence,
            "group": self.group_id.code or None,
            "mode": self.mode or None,
            "basis": self.basis or None,
            "minimum": minimum,
            "cap": money(self.cap, own=True) if self.cap else None,
            "reduces": self.reduces,
        }
        kind, value = rule._channel_as_offer()
        if kind == stacking.PERCENT:
            return stacking.Offer(kind=kind, value=value, **terms)
        if kind == stacking.AMOUNT:
            value = product.uom_id._compute_price(value, uom) if product.uom_id != uom else value
        else:
            value = rule._compute_price(
                product, quantity, uom, moment, currency=source, **{**keywords, "offers_on": False}
            )
        if source != currency:
            value = source._convert(value, currency, self.env.company, moment, round=False)
        return stacking.Offer(kind=kind, value=round(value, PRICE_DIGITS), **terms)

    def _converted(self, amount, currency, moment):
        if self.currency_id == currency:
            return amount
        return self.currency_id._convert(amount, currency, self.env.company, moment, round=False)
