from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date, formatLang

from .channel_price_quality import FIGURES

#: Findings that a refusal names; the others are counted
NAMED = 5


class ChannelPriceIssue(models.Model):
    """What a quality check says about a price table, or about one version of it.

    Stored are a code and its figures; the sentence is made when it is read, in the reader's language. A finding stays
    the same record while its figures are the same, so that who accepted it need not do so again.
    """

    _name = "channel.price.issue"
    _description = "Price Table Finding"
    _order = "severity, code, percent desc, id"
    _rec_name = "message"

    pricelist_id = fields.Many2one(
        "product.pricelist", string="Price Table", required=True, readonly=True, index=True, ondelete="cascade"
    )
    version_id = fields.Many2one(
        "channel.price.version", readonly=True, index="btree_not_null", ondelete="cascade",
        help="Empty: of a price table without versions.",
    )
    company_id = fields.Many2one("res.company", readonly=True, index="btree_not_null")
    currency_id = fields.Many2one(related="pricelist_id.currency_id")
    code = fields.Selection(selection="_selection_code", required=True, readonly=True)
    severity = fields.Selection(
        [("block", "Blocks"), ("warn", "Warns")],
        required=True,
        readonly=True,
        help="Blocking findings stop the approval of a version until somebody accepts them with a reason.",
    )
    reason = fields.Char(readonly=True, help="Technical: which case of the check.")
    rule_id = fields.Many2one("product.pricelist.item", readonly=True, index="btree_not_null", ondelete="cascade")
    other_rule_id = fields.Many2one(
        "product.pricelist.item", readonly=True, index="btree_not_null", ondelete="cascade"
    )
    product_id = fields.Many2one("product.product", readonly=True, index="btree_not_null", ondelete="cascade")
    segment_id = fields.Many2one("channel.segment", readonly=True, index="btree_not_null", ondelete="cascade")
    other_segment_id = fields.Many2one("channel.segment", readonly=True, index="btree_not_null", ondelete="cascade")
    quantity = fields.Float(readonly=True, digits="Product Unit", aggregator=None)
    other_quantity = fields.Float(readonly=True, digits="Product Unit", aggregator=None)
    price = fields.Float(readonly=True, min_display_digits="Product Price", aggregator=None)
    other_price = fields.Float(readonly=True, min_display_digits="Product Price", aggregator=None)
    limit_price = fields.Float(
        string="Limit",
        readonly=True,
        min_display_digits="Product Price",
        aggregator=None,
        groups="channel_base.group_channel_pricing,channel_base.group_channel_manager,channel_base.group_channel_auditor",
        help="The cost with the minimum margin, or the floor, in the currency of the price table.",
    )
    percent = fields.Float(string="Difference (%)", readonly=True, digits=(16, 2), aggregator="max")
    day = fields.Date(readonly=True)
    fingerprint = fields.Char(readonly=True, help="Technical: the code and all figures.")
    message = fields.Char(compute="_compute_message")
    state = fields.Selection(
        [("open", "Open"), ("accepted", "Accepted")], default="open", required=True, readonly=True, index=True
    )
    accepted_by_id = fields.Many2one("res.users", string="Accepted by", readonly=True)
    accepted_at = fields.Datetime(string="Accepted on", readonly=True)
    accept_reason = fields.Char(readonly=True)

    _fingerprint_idx = models.Index("(pricelist_id, version_id, fingerprint)")

    @api.model
    def _selection_code(self):
        return [(code, check.name) for code, check in self.env["channel.price.quality"]._checks().items()]

    # === COMPUTE METHODS ===#

    @api.depends("code", "reason", "fingerprint")
    @api.depends_context("lang")
    def _compute_message(self):
        texts = self.env["channel.price.quality"]._texts()
        for issue in self:
            text = texts.get(f"{issue.code}:{issue.reason}") or texts.get(issue.code) or "%(code)s"
            issue.message = text % issue._params()

    def _params(self):
        """The parameters of the sentence, as a person reads them."""
        self.ensure_one()

        def amount(value):
            return formatLang(self.env, value, currency_obj=self.currency_id, dp="Product Price")

        # sudo: names only, of what the finding points to
        named = self.sudo()
        return {
            "code": self.code,
            "rule": self._rule_words(named.rule_id),
            "other_rule": self._rule_words(named.other_rule_id),
            "product": named.product_id.display_name or "",
            "segment": named.segment_id.display_name or self.env._("all members"),
            "other_segment": named.other_segment_id.display_name or "",
            "quantity": f"{self.quantity:g}",
            "other_quantity": f"{self.other_quantity:g}",
            "price": amount(self.price),
            "other_price": amount(self.other_price),
            "percent": f"{self.percent:+.1f}" if self.code == "currency_drift" else f"{self.percent:.1f}",
            "currency": named.currency_id.name,
            "day": self.day and format_date(self.env, self.day),
        }

    def _rule_words(self, rule):
        if not rule:
            return ""
        words = [rule.name, rule.price]
        words += [
            party.display_name for party in (rule.channel_segment_id, rule.channel_member_id, rule.channel_customer_id)
            if party
        ]
        if rule.min_quantity:
            words.append(self.env._("from %s", f"{rule.min_quantity:g}"))
        return ", ".join(words)

    # === ACTION METHODS ===#

    def action_accept(self, reason=None):
        """Accept findings with a reason: they do not stop the approval any more. Who accepts does not approve.

        :param str reason: why; without it the wizard that asks for it is returned
        :raise AccessError: the user is neither Pricing nor Channel Manager
        :raise UserError: the version is not a draft any more
        """
        user = self.env.user
        if not (
            user.has_group("channel_base.group_channel_pricing") or user.has_group("channel_base.group_channel_manager")
        ):
            raise AccessError(self.env._("Findings of price tables are accepted by Pricing or the Channel Manager."))
        self.check_access("read")
        if not reason:
            return {
                "type": "ir.actions.act_window",
                "name": self.env._("Accept Findings"),
                "res_model": "channel.price.issue.accept",
                "view_mode": "form",
                "target": "new",
                "context": {"default_issue_ids": self.ids},
            }
        for version in self.version_id:
            if version.state != "draft":
                raise UserError(
                    self.env._("%s is not a draft any more: its findings stay as they are.", version.display_name)
                )
        # sudo: decided above; findings are written by the checks and by this decision only
        self.sudo().write(
            {
                "state": "accepted",
                "accepted_by_id": self.env.uid,
                "accepted_at": fields.Datetime.now(),
                "accept_reason": reason,
            }
        )
        by_document = self.grouped(lambda issue: issue.version_id or issue.pricelist_id)
        for document, issues in by_document.items():
            self.env["channel.audit.entry"]._record(
                "price.findings_accepted",
                document,
                reason=reason,
                after={"findings": sorted(f"{issue.code} {issue.fingerprint}" for issue in issues)},
            )
        return True

    def action_reopen(self):
        """Take an acceptance back."""
        self.env["product.pricelist.item"].check_access("write")
        self.check_access("read")
        # sudo: as in action_accept
        self.sudo().write(
            {"state": "open", "accepted_by_id": False, "accepted_at": False, "accept_reason": False}
        )
        return True

    def action_open_rule(self):
        self.ensure_one()
        rules = self.rule_id | self.other_rule_id
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_pricing.channel_price_rule_action"),
            "domain": [("id", "in", rules.ids)],
            "context": {},
        }

    # === BUSINESS METHODS ===#

    def _named(self):
        """The sentences of the first findings, and how many there are beside."""
        texts = self[:NAMED].mapped("message")
        if len(self) > NAMED:
            texts.append(self.env._("… and %s more.", len(self) - NAMED))
        return texts

    @api.model
    def _acceptors(self, versions):
        return self.search([("version_id", "in", versions.ids), ("state", "=", "accepted")]).accepted_by_id

    @api.model
    def _standing(self, pricelist, version=None):
        """The findings of the last check of a version, or of a price table without versions."""
        return self.search(
            Domain("pricelist_id", "=", pricelist.id) & Domain("version_id", "=", version.id if version else False)
        )

    @api.model
    def _replace(self, question, found):
        """Make the rows of ``found`` the findings: what is the same stays, what is gone goes.

        :param PriceQuestion question: what was checked
        :param SQL found: relation with ``code``, ``severity`` and ``FIGURES``
        :return: the findings that stand now
        """
        values = [
            SQL("round(found.%s, 6) AS %s", SQL.identifier(name), SQL.identifier(name))
            if kind == "numeric"
            else SQL("found.%s", SQL.identifier(name))
            for name, kind in FIGURES.items()
        ]
        columns = SQL(", ").join(map(SQL.identifier, FIGURES))
        self.flush_model()
        self.env.cr.execute(
            SQL(
                """
                WITH wanted AS MATERIALIZED (
                    SELECT DISTINCT ON (fingerprint) found.*, md5(ROW(found.*)::text) AS fingerprint
                      FROM (SELECT found.code, found.severity, %(values)s FROM %(found)s found) AS found
                ),
                standing AS MATERIALIZED (
                    SELECT id, fingerprint
                      FROM channel_price_issue
                     WHERE pricelist_id = %(pricelist)s AND version_id IS NOT DISTINCT FROM %(version)s
                ),
                gone AS (
                    DELETE FROM channel_price_issue
                     USING standing
                     WHERE standing.id = channel_price_issue.id
                       AND NOT EXISTS (SELECT FROM wanted WHERE wanted.fingerprint = standing.fingerprint)
                )
                INSERT INTO channel_price_issue (
                    pricelist_id, version_id, company_id, code, severity, %(columns)s, fingerprint, state,
                    create_uid, write_uid, create_date, write_date)
                SELECT %(pricelist)s, %(version)s, %(company)s, code, severity, %(columns)s, fingerprint, 'open',
                       %(user)s, %(user)s, %(now)s, %(now)s
                  FROM wanted
                 WHERE NOT EXISTS (SELECT FROM standing WHERE standing.fingerprint = wanted.fingerprint)
                """,
                values=SQL(", ").join(values),
                columns=columns,
                found=found,
                pricelist=question.pricelist.id,
                version=question.version.id or None,
                company=question.pricelist.company_id.id or None,
                user=self.env.uid,
                now=fields.Datetime.now(),
            )
        )
        self.invalidate_model()
        return self._standing(question.pricelist, question.version)
