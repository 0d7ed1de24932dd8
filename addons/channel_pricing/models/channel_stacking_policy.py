from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import formatLang

from ..tools import stacking

MODES = [
    (stacking.BEST, "Best: the greatest one only"),
    (stacking.ADDITIVE, "Additive: each of the same amount, added up"),
    (stacking.COMPOUND, "Compound: each on what the one before left"),
    (stacking.EXCLUSIVE, "Exclusive: the greatest one alone, no other beside it"),
    (stacking.THRESHOLD, "Threshold: after the others, if enough is left"),
    (stacking.ALWAYS, "Always: last, whatever else counts"),
]
BASES = [
    (stacking.REMAINDER, "Of what is left"),
    (stacking.ORIGINAL, "Of the original amount"),
]
# Keys of an offer as callers of the API write it
_OFFER_KEYS = {"key", "kind", "value", "sequence", "group", "mode", "basis", "minimum", "cap", "reduces"}
_LINE_KEYS = {"amount", "offers", "measure", "floor"}


class ChannelStackingPolicy(models.Model):
    """How several offers on one amount combine.

    The arithmetic is `tools.stacking`, whose documentation says in which order offers count. The policy knows
    nothing of who makes the offers: price lists hand it promotions, other documents may hand it theirs.
    Once approved it is fixed, so that what was combined can be combined again.
    """

    _name = "channel.stacking.policy"
    _description = "Stacking Policy"
    _inherit = ["channel.approval.mixin"]
    _order = "company_id, name, id"
    _check_company_auto = True
    #: The children that are as fixed as the policy, see ``channel.version.line.mixin``
    _version_line_fields = ("line_ids",)

    name = fields.Char(required=True, tracking=True)
    company_id = fields.Many2one(
        "res.company", index="btree_not_null", default=lambda self: self.env.company, help="Empty: for all companies."
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    mode = fields.Selection(MODES, string="Offers Combine", default=stacking.BEST, required=True, tracking=True)
    basis = fields.Selection(
        BASES, string="Percentages Are", default=stacking.REMAINDER, required=True, tracking=True,
        help="Off 100, 10 % and 20 % compounded leave 72 of what is left, and 70 of the original amount.",
    )
    line_ids = fields.One2many(
        "channel.stacking.policy.line", "policy_id", string="Groups", copy=True,
        help="Tried in this order. Offers of other groups, or of none, come after them.",
    )
    cap_percent = fields.Float(
        string="At Most %", digits=(5, 2), tracking=True,
        help="All offers together take no more of the original amount; 0: no such limit.",
    )
    cap = fields.Monetary(
        string="At Most", tracking=True, help="All offers together take no more, per unit priced; 0: no such limit."
    )
    rounding = fields.Float(
        digits=(12, 6), tracking=True,
        help="What each offer takes is rounded half up to a multiple of this; 0: as the currency.",
    )
    note = fields.Text()
    state = fields.Selection(selection_add=[("cancelled", "Withdrawn")])

    _cap_range = models.Constraint(
        "CHECK(cap >= 0 AND cap_percent >= 0 AND cap_percent <= 100)", "A cap lies between 0 and 100 %."
    )
    _rounding_positive = models.Constraint("CHECK(rounding >= 0)", "The rounding is 0 or a positive multiple.")

    # === COMPUTE METHODS ===#

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for policy in self:
            policy.currency_id = (policy.company_id or self.env.company).currency_id

    # === APPROVAL ===#

    def _approval_terms(self):
        return ["company_id", "mode", "basis", "line_ids", "cap_percent", "cap", "rounding"]

    def _approval_audit_values(self):
        names = ["mode", "basis", "cap_percent", "cap", "rounding"]
        line_names = ["mode", "basis", "across", "cap_percent", "cap"]
        return {
            policy.id: {
                **{name: policy[name] for name in names},
                "groups": [
                    {"group": line.group_id.code, **{name: line[name] for name in line_names}}
                    for line in policy.line_ids
                ],
            }
            for policy in self
        }

    # === ACTIONS ===#

    def action_withdraw(self):
        """Take policies out of use. Refused while something rests on them."""
        self.check_access("write")
        for policy in self:
            if users := policy._used_by():
                raise UserError(self.env._(
                    "%(policy)s is used by %(users)s: choose another policy there first.",
                    policy=policy.name, users=", ".join(users),
                ))
        self.write({"state": "cancelled"})
        self.env["channel.audit.entry"]._record("stacking_policy.withdrawn", self)
        return True

    def action_try(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Try %s", self.name),
            "res_model": "channel.stacking.trial",
            "view_mode": "form",
            "target": "new",
            "context": {"default_policy_id": self.id},
        }

    # === PUBLIC METHODS ===#

    @api.readonly
    def combine(self, lines, currency=None):
        """How offers combine under this policy: what is left of each amount, and what became of each offer.

        :param list lines: ``[{'amount': float, 'offers': [offer, ...], 'measure': float, 'floor': float}]``;
            ``measure`` (what minimums are compared with) and ``floor`` (the least that may be left) may be missing.
            An offer is ``{'key': str | int, 'kind': 'percent' | 'amount' | 'price', 'value': float}`` and, if wanted,
            ``'sequence'``, ``'group'`` (the code of a group), ``'mode'``, ``'basis'``, ``'minimum'``, ``'cap'``,
            ``'reduces'``
        :param str currency: by whose rounding amounts are rounded, where the policy does not say; the company's when
            missing
        :returns: one dict for each line, in the same order::

                {'amount': float, 'taken': float,
                 'steps': [{'code': 'offer' | 'offer_lost', 'key': ..., 'reason': str | False, 'base': float,
                            'taken': float, 'amount': float,  # what is left after it
                            'limited_by': 'offer' | 'group' | 'policy' | 'floor' | False, 'message': str}]}

            Reasons are ``minimum``, ``no_gain``, ``exclusive``, ``best``, ``group``, ``final``, ``limit``.
        :rtype: list[dict]
        :raises ValidationError: when an argument is missing, of the wrong type or unknown
        """
        self.ensure_one()
        self.check_access("read")
        money = self._currency_named(currency)
        asked = self._check_lines(lines)
        return [
            {
                "amount": float(result.amount),
                "taken": float(result.taken),
                "steps": [self._step_words(step, money) for step in result.steps],
            }
            for result in self._stack(asked, money)
        ]

    # === BUSINESS METHODS ===#

    def _used_by(self):
        """:returns: names of what rests on the policy; others extend it"""
        self.ensure_one()
        # sudo: names of what forbids it, also what the user may not read
        versions = self.env["channel.price.version"].sudo().search([
            ("stacking_policy_id", "=", self.id), ("offer_ids", "!=", False), ("state", "in", ("draft", "approved")),
        ])
        versions = versions.filtered(
            lambda version: not version.valid_to or version.valid_to >= version._company()._channel_today()
        )
        companies = self.env["res.company"].sudo().search([("channel_stacking_policy_id", "=", self.id)])
        return [*versions.mapped("display_name"), *companies.mapped("name")]

    def _stacking(self, currency):
        """:returns: `tools.stacking.Policy`"""
        self.ensure_one()
        return stacking.Policy(
            mode=self.mode,
            basis=self.basis,
            groups=tuple(line._stacking_group() for line in self.line_ids),
            cap_percent=self.cap_percent or None,
            cap=self.cap or None,
            rounding=self.rounding or currency.rounding,
        )

    def _stack(self, lines, currency):
        """
        :param lines: list of `tools.stacking.Line`
        :returns: list of `tools.stacking.Result`
        """
        return stacking.stack(self._stacking(currency), lines)

    def _step_words(self, step, currency, names=None):
        """One step in words.

        :param names: ``{key: name}`` of the offers; the keys themselves when missing
        """
        names = names or {}

        def name(key):
            return str(names.get(key, key))

        def amount(value):
            return formatLang(self.env, float(value), currency_obj=currency)

        result = {
            "code": "offer_lost" if step.reason else "offer",
            "key": step.offer.key,
            "reason": step.reason or False,
            "base": float(step.base),
            "taken": float(step.taken),
            "amount": float(step.left),
            "limited_by": step.limited_by or False,
        }
        if step.reason:
            why = self._reason_words(step, [name(key) for key in step.beaten_by], amount)
            message = self.env._("Not counted: %(offer)s (%(why)s)", offer=name(step.offer.key), why=why)
        else:
            words = {
                "offer": name(step.offer.key),
                "what": self._offer_words(step, amount),
                "left": amount(step.left),
            }
            message = self.env._("%(offer)s: %(what)s → %(left)s", **words)
            if limit := self._limit_words(step.limited_by):
                message = self.env._("%(offer)s: %(what)s, %(limit)s → %(left)s", limit=limit, **words)
        return {**result, "message": message}

    def _offer_words(self, step, amount):
        offer = step.offer
        if offer.kind == stacking.PRICE:
            return self.env._("new price %s", amount(offer.value))
        if offer.kind == stacking.AMOUNT:
            return (
                self.env._("%s off", amount(offer.value))
                if offer.value >= 0
                else self.env._("%s extra", amount(-offer.value))
            )
        words = {"percent": f"{abs(offer.value):f}".rstrip("0").rstrip(".") or "0", "base": amount(step.base)}
        return (
            self.env._("%(percent)s %% of %(base)s off", **words)
            if offer.value >= 0
            else self.env._("%(percent)s %% of %(base)s extra", **words)
        )

    def _limit_words(self, limited_by):
        return {
            "offer": self.env._("as much as this offer may give"),
            "group": self.env._("as much as its group may give"),
            "policy": self.env._("as much as all offers may give"),
            "floor": self.env._("down to the lowest price"),
        }.get(limited_by)

    def _reason_words(self, step, winners, amount):
        winners = ", ".join(winners)
        return {
            "minimum": lambda: self.env._("from %s", amount(step.offer.minimum)),
            "no_gain": lambda: self.env._("it would take nothing off"),
            "exclusive": lambda: self.env._("%s stands alone", winners),
            "best": lambda: self.env._("%s gives more", winners),
            "group": lambda: self.env._("%s gives more", winners),
            "final": lambda: self.env._("%s ends the search", winners),
            "limit": lambda: self.env._("as much as may be given was given already"),
        }[step.reason]()

    # === ARGUMENTS ===#

    def _currency_named(self, name):
        if not name:
            return self.currency_id
        currency = self.env["res.currency"].search([("name", "=", name)], limit=1)
        if not currency:
            raise ValidationError(self.env._("currency: there is no active currency %r.", name))
        return currency

    def _check_lines(self, lines):
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise ValidationError(self.env._("lines: expected a list of {'amount': …, 'offers': […]}."))
        return [self._check_line(number, line) for number, line in enumerate(lines, 1)]

    def _check_line(self, number, line):
        self._check_keys(number, line, _LINE_KEYS)
        offers = line.get("offers", [])
        if not isinstance(offers, list) or not all(isinstance(offer, dict) for offer in offers):
            raise ValidationError(self.env._("Line %s: offers must be a list of objects.", number))
        for offer in offers:
            self._check_keys(number, offer, _OFFER_KEYS)
            if isinstance(offer.get("key"), bool) or not isinstance(offer.get("key"), (int, str)):
                raise ValidationError(self.env._("Line %s: each offer needs a key, a text or a number.", number))
            for key in ("value", "minimum", "cap"):
                self._check_number(number, key, offer.get(key), required=key == "value")
            if isinstance(offer.get("sequence", 0), bool) or not isinstance(offer.get("sequence", 0), int):
                raise ValidationError(self.env._("Line %s: sequence must be a whole number.", number))
        for key in ("amount", "measure", "floor"):
            self._check_number(number, key, line.get(key), required=key == "amount")
        try:
            return stacking.Line(**{**line, "offers": tuple(stacking.Offer(**offer) for offer in offers)})
        except (TypeError, ValueError) as error:
            raise ValidationError(self.env._("Line %(number)s: %(error)s", number=number, error=error)) from None

    def _check_keys(self, number, values, known):
        if unknown := values.keys() - known:
            raise ValidationError(self.env._(
                "Line %(number)s: unknown key %(key)s; known are %(known)s.",
                number=number, key=", ".join(sorted(map(str, unknown))), known=", ".join(sorted(known)),
            ))

    def _check_number(self, number, key, value, required):
        if value is None and not required:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < float("inf"):
            raise ValidationError(self.env._(
                "Line %(number)s: %(key)s must be a number, got %(value)r.", number=number, key=key, value=value,
            ))
