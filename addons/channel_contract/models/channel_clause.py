from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class ChannelClause(models.Model):
    """A clause of the library: where and when it is used. What it says is in its versions, which are approved.

    A contract version keeps its own copy of the text, so that nothing that happens here changes what was agreed.
    """

    _name = "channel.clause"
    _description = "Contract Clause"
    _inherit = ["channel.versioned.mixin", "mail.thread"]
    _order = "sequence, name, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(string="Title", required=True, translate=True, tracking=True)
    code = fields.Char(index="btree_not_null", copy=False, tracking=True)
    category_id = fields.Many2one("channel.clause.category", index="btree_not_null", ondelete="restrict", tracking=True)
    sequence = fields.Integer(default=10, help="Where it stands in a contract that takes several from the library.")
    active = fields.Boolean(default=True, tracking=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty: for every company.")
    type_ids = fields.Many2many(
        "channel.contract.type", string="Only for Types", help="Empty: for contracts of every type."
    )
    segment_ids = fields.Many2many(
        "channel.segment",
        string="Only for Segments",
        help="Empty: for every member. Otherwise for members of one of them.",
    )
    mandatory = fields.Boolean(
        tracking=True,
        help="New contracts to which it applies start with it; a version without it is not approved unless it is "
        "left out on purpose, with a reason.",
    )
    version_ids = fields.One2many("channel.clause.version", "clause_id", string="Versions")
    current_version_id = fields.Many2one(
        "channel.clause.version", string="Version in Force", compute="_compute_current_version_id"
    )
    languages = fields.Char(compute="_compute_current_version_id", help="Of the version in force.")
    body = fields.Html(
        string="Standard Text",
        compute="_compute_current_version_id",
        search="_search_body",
        help="Of the version in force, in your language or else the first there is.",
    )

    _code_uniq = models.UniqueIndex("(code) WHERE code IS NOT NULL", "There is already a clause with this code.")

    # === COMPUTE METHODS ===#

    @api.depends("name", "code")
    def _compute_display_name(self):
        for clause in self:
            clause.display_name = f"[{clause.code}] {clause.name}" if clause.code else clause.name

    @api.depends_context("lang")
    @api.depends("version_ids.state", "version_ids.valid_from", "version_ids.valid_to", "version_ids.text_ids.body")
    def _compute_current_version_id(self):
        in_force = self._in_force()
        for clause in self:
            version = in_force.get(clause.id, self.env["channel.clause.version"])
            standard = version.text_ids.filtered(lambda text: not text.rank)
            clause.current_version_id = version
            clause.languages = ", ".join(standard.mapped("lang"))
            clause.body = (standard.filtered(lambda text: text.lang == self.env.lang) or standard)[:1].body

    def _search_body(self, operator, value):
        if operator not in ("ilike", "like", "=ilike", "=like"):
            return NotImplemented
        return Domain("version_ids.text_ids.body", operator, value)

    # === ACTION METHODS ===#

    def action_new_version(self):
        """Open a draft: a copy of the version in force, or the first version with an empty text."""
        self.ensure_one()
        if self.version_ids:
            return super().action_new_version()
        version = self.env["channel.clause.version"].create(
            {
                "clause_id": self.id,
                "valid_from": self._today(),
                "text_ids": [fields.Command.create({"lang": self.env.lang or "en_US", "title": self.name})],
            }
        )
        return version._get_records_action()

    # === BUSINESS METHODS ===#

    @api.model
    def _today(self):
        return self.env.company._channel_today()

    def _in_force(self):
        """:returns: ``{clause_id: version}`` of the texts that contracts take over today, those without one left out"""
        # Clauses that are not saved yet have no version
        versions = self._origin._versions_at(self._today())
        return {clause_id: version for clause_id, version in versions.items() if version}

    @api.model
    def _applicable(self, contracts, domain=()):
        """The clauses with a text in force that may stand in contracts of that company, type and member.

        :param domain: further condition on clauses
        :returns: ``{contract_id: channel.clause}``, in a fixed number of queries
        """
        clauses = self.search(domain)
        clauses = clauses.browse(clause_id for clause_id in clauses.ids if clause_id in clauses._in_force())
        pairs = clauses.segment_ids._match(contracts.member_id.ids) if clauses.segment_ids else set()
        held = {(segment_id, member_id) for segment_id, member_id, _customer_id in pairs}

        def applies(clause, contract):
            return (
                clause.company_id.id in (False, contract.company_id.id)
                and (not clause.type_ids or contract.type_id in clause.type_ids)
                and (
                    not clause.segment_ids
                    or any((segment_id, contract.member_id.id) in held for segment_id in clause.segment_ids.ids)
                )
            )

        return {
            contract.id: clauses.filtered(lambda clause, contract=contract: applies(clause, contract))
            for contract in contracts
        }

    def _prepare_clause_line_vals(self, lang, second_lang=None, sections=None):
        """Values of lines of a contract version with the standard text in force today.

        :param str lang: code of the contract's language; ``second_lang`` of the one beside it, if any
        :param dict sections: ``{clause_id: channel.clause.category}``
        :returns: list of values, in the order of the clauses
        :raise UserError: a clause has no text in force, or none in that language
        """
        in_force = self._in_force()
        missing = self.filtered(lambda clause: clause.id not in in_force)
        if missing:
            raise UserError(
                self.env._(
                    "No version of these clauses is in force today: %s. Have one approved in the library first.",
                    ", ".join(missing.mapped("display_name")),
                )
            )
        values = []
        lacking = []
        for place, clause in enumerate(self, 1):
            version = in_force[clause.id]
            text, second = version._text(lang), version._text(second_lang)
            if not text or second_lang and not second:
                lacking.append(clause)
                continue
            section = (sections or {}).get(clause.id, self.env["channel.clause.category"])
            values.append(
                {
                    "clause_id": clause.id,
                    "sequence": 10 * place,
                    "section": section.with_context(lang=lang).name,
                    "second_section": second_lang and section.with_context(lang=second_lang).name,
                    **text._prepare_line_vals(second_lang),
                }
            )
        if lacking:
            raise UserError(
                self.env._(
                    "These clauses have no text in %(languages)s: %(clauses)s. Add it in the library, or choose other "
                    "languages for the contract.",
                    languages=", ".join(filter(None, (lang, second_lang))),
                    clauses=", ".join(clause.display_name for clause in lacking),
                )
            )
        return values
