from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.channel_base.models.channel_approval_mixin import _APPROVER
from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap


class ChannelPriceVersion(models.Model):
    """The rules of a price table over a period. Approved ones are in force by their dates, and never edited.

    A table has versions or not. The first one made for a table that has rules takes these over, as they are, into
    version 1 (:meth:`product.pricelist._channel_adopt_rules`), so that no price changes and the past keeps its answers.
    """

    _name = "channel.price.version"
    _description = "Price Table Version"
    _inherit = [
        "channel.version.mixin",
        "channel.price.version.change.mixin",
        "channel.price.version.effect.mixin",
        "channel.price.rules.mixin",
    ]
    _check_company_auto = True
    _version_identity = "pricelist_id"
    _version_line_fields = ("item_ids", "offer_ids")
    # First in the header: on a phone only the first button shows without a tap
    _tier_validation_buttons_xpath = "/form/header/*[1]"

    pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Price Table",
        required=True,
        index=True,
        ondelete="cascade",
        check_company=True,
    )
    company_id = fields.Many2one(related="pricelist_id.company_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="pricelist_id.currency_id")
    purpose = fields.Char(copy=False, help="Why this version: what it changes.")
    item_ids = fields.One2many("product.pricelist.item", "channel_version_id", string="Rules")
    stacking_policy_id = fields.Many2one(
        "channel.stacking.policy",
        index="btree_not_null",
        ondelete="restrict",
        check_company=True,
        domain="[('state', '=', 'approved')]",
        default=lambda self: self._default_stacking_policy_id(self.env.context.get("default_pricelist_id")),
        help="How the offers on the prices of this version combine.",
    )
    offer_ids = fields.One2many(
        "channel.price.version.offer", "version_id", string="Offers",
        help="Tables of offers that count on top of the prices of this version.",
    )
    rule_count = fields.Integer(string="Number of Rules", compute="_compute_rule_count")
    timeline = fields.Selection(
        [
            ("draft", "Draft"),
            ("future", "Not yet in force"),
            ("in_force", "In force"),
            ("ended", "Ended"),
            ("superseded", "Superseded"),
            ("cancelled", "Cancelled"),
        ],
        string="As of Today",
        compute="_compute_timeline",
    )

    _version_overlap = channel_version_overlap("pricelist_id")

    # === DEFAULTS ===#

    @api.model
    def _default_stacking_policy_id(self, pricelist_id):
        """The policy of the table's company; of a table for all companies that of the current one, if it is for all."""
        pricelist = self.env["product.pricelist"].browse(pricelist_id or [])
        policy = (pricelist.company_id or self.env.company).channel_stacking_policy_id
        return policy if pricelist.company_id or not policy.company_id else policy.browse()

    # === COMPUTE METHODS ===#

    def _compute_rule_count(self):
        counts = dict(
            self.env["product.pricelist.item"]._read_group(
                [("channel_version_id", "in", self.ids)], ["channel_version_id"], ["__count"]
            )
        )
        for version in self:
            version.rule_count = counts.get(version._origin, 0)

    @api.depends("state", "valid_from", "valid_to")
    def _compute_timeline(self):
        for version in self:
            today = version._company()._channel_today()
            if version.state != "approved":
                version.timeline = version.state
            elif version.valid_from > today:
                version.timeline = "future"
            else:
                version.timeline = "ended" if version.valid_to and version.valid_to < today else "in_force"

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if "stacking_policy_id" not in vals:
                vals["stacking_policy_id"] = self._default_stacking_policy_id(vals["pricelist_id"]).id
        tables = self.env["product.pricelist"].browse({vals["pricelist_id"] for vals in vals_list})
        tables._channel_adopt_rules()
        return super().create(vals_list)

    def write(self, vals):
        if {"valid_from", "stacking_policy_id"} & set(vals):
            # The prices that are compared are those of that day, under that policy
            vals = {**vals, "preview_at": False}
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_open_rules(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_rule_action"),
            "name": self.display_name,
            "domain": [("channel_version_id", "=", self.id)],
            "context": {"default_pricelist_id": self.pricelist_id.id, "default_channel_version_id": self.id},
        }

    # === VERSIONS ===#

    def _approval_technical_fields(self):
        return super()._approval_technical_fields() | self._preview_fields()

    def _approval_protected_fields(self):
        return [*super()._approval_protected_fields(), *self._preview_fields()]

    def _version_copy_lines(self, draft):
        """By one statement: a table may have a hundred thousand rules."""
        Item = self.env["product.pricelist.item"]
        Item.check_access("create")
        Item._channel_copy_rules(Domain("channel_version_id", "=", self.id), {"channel_version_id": draft.id})
        for offer in self.offer_ids:
            offer.copy({"version_id": draft.id})

    def difference(self):
        """Return what this version changes, as the kernel's method says; of its rules those that differ.

        The rules are compared by one statement; ``path`` is ``"item_ids[<product, parties, quantity>]"``, ``before``
        and ``after`` are their prices in words.
        """
        self.ensure_one()
        previous = self._version_previous()
        if not previous:
            return []
        self._refresh_preview(stale_only=True)
        return self._difference_from(previous, ["offer_ids"]) + self._rule_differences()

    def _difference_html(self):
        """Only the terms of the version itself: its rules have a list of their own."""
        return ""

    # === APPROVAL ===#

    def request_validation(self):
        # Which tiers are asked depends on what changes
        self._refresh_preview(stale_only=True)
        return super().request_validation()

    def action_approve(self):
        self._refresh_preview(stale_only=True)
        return super().action_approve()

    def _approval_before(self):
        result = super()._approval_before()
        self._check_offers()
        for version, problems in self._quality_problems().items():
            if problems:
                raise UserError(
                    self.env._(
                        "%(version)s cannot be approved:\n%(problems)s",
                        version=version.display_name,
                        problems="\n".join(problems),
                    )
                )
        return result

    def _check_offers(self):
        """Offers need a policy that says how they combine, and that does not change any more."""
        for version in self.filtered("offer_ids"):
            policy = version.stacking_policy_id
            if not policy:
                raise UserError(self.env._(
                    "%s has offers and no stacking policy: choose the one by which they combine.", version.display_name
                ))
            if policy.state != "approved":
                raise UserError(self.env._(
                    "%(version)s: stacking policy %(policy)s is not approved. Have it approved, or choose another one.",
                    version=version.display_name, policy=policy.name,
                ))

    def _quality_problems(self):
        """What keeps these versions from being approved, as texts.

        :returns: ``{version: [text]}``; a version without problems may be missing
        """
        problems = {}
        for version in self:
            issues = self.env["channel.price.quality"]._run(version.pricelist_id, version)
            blocking = issues.filtered(lambda issue: issue.severity == "block" and issue.state == "open")
            if blocking:
                problems[version] = blocking._named()
        return problems

    def _approval_authors(self):
        """Whoever accepted a finding has had a hand in it."""
        # sudo: names of users only
        return super()._approval_authors() | self.sudo().env["channel.price.issue"]._acceptors(self)

    def _approval_audit_values(self):
        return {
            version.id: {
                "number": version.number,
                "valid_from": version.valid_from,
                "valid_to": version.valid_to or None,
                "purpose": version.purpose or None,
                **version._offers_audit_values(),
                **version._rules_fingerprint(),
                **version._preview_values(),
            }
            for version in self
        }

    def _offers_audit_values(self):
        """The offers, for the journal; nothing of a version that has none."""
        self.ensure_one()
        if not self.offer_ids:
            return {}
        names = self.offer_ids._version_terms()
        return {
            "stacking_policy": self.stacking_policy_id.name,
            "offers": [{name: offer._readable(name) for name in names} for offer in self.offer_ids],
        }

    def _rules_fingerprint(self):
        """Number and digest of the rules: the journal's proof of what was approved, where there is no room for all."""
        self.ensure_one()
        Item = self.env["product.pricelist.item"]
        Item.flush_model()
        [[count, digest]] = self.env.execute_query(
            SQL(
                """
                SELECT COUNT(*),
                       encode(sha256(convert_to(COALESCE(string_agg(line, '' ORDER BY line), ''), 'UTF8')), 'hex')
                  FROM (SELECT (%s || ' ' || %s || chr(10)) COLLATE "C" AS line
                          FROM product_pricelist_item item
                         WHERE item.channel_version_id = %s) rules
                """,
                Item._channel_key_sql("item"),
                Item._channel_terms_sql("item"),
                self.id,
            )
        )
        return {"rules": count, "rules_sha256": digest}

    # === BUSINESS METHODS ===#

    def _rules_subject(self):
        return self.pricelist_id, self

    def _company(self):
        """For which company the version is looked at: its table's, else the current one."""
        self.ensure_one()
        return self.company_id or self.env.company

    @api.model
    def _adopted(self, pricelist, since):
        """Version 1 of a table that had rules before it had versions: what holds already, nothing to approve."""
        version = _APPROVER.open(self).create(
            {
                "pricelist_id": pricelist.id,
                "valid_from": since,
                "purpose": self.env._("The rules as they were before the table had versions"),
                "state": "approved",
                "approved_by_id": self.env.uid,
                "approved_at": fields.Datetime.now(),
            }
        )
        return version.with_env(self.env)
