from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_date

from ..tools import clause_text
from .channel_clause_text import clause_text_message


class ChannelContractVersionClausesMixin(models.AbstractModel):
    """What a contract version says in words: languages, clauses from templates and the library, variables, and how far
    the whole is from the standard. Inherited by ``channel.contract.version``."""

    _name = "channel.contract.version.clauses.mixin"
    _description = "Clauses of a Contract Version"

    lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Language",
        compute="_compute_lang",
        store=True,
        readonly=False,
        help="Of the contract. Where a second one is printed beside it, this one prevails.",
    )
    second_lang = fields.Selection(
        lambda self: self.env["res.lang"].get_installed(),
        string="Second Language",
        help="Printed beside the first, for parties who want to read the contract in both.",
    )
    template_id = fields.Many2one(
        "channel.contract.template", string="Contract Template", index="btree_not_null", ondelete="restrict"
    )
    deviation_level = fields.Integer(
        compute="_compute_deviation_level",
        store=True,
        aggregator="max",
        groups="channel_base.group_channel_user",
        help="The highest of its clauses: 0 standard, 1 to 3 how far from it. For rules of approval.",
    )
    deviating_count = fields.Integer(
        string="Deviating Clauses",
        compute="_compute_deviating_count",
        groups="channel_base.group_channel_user",
        help="Clauses that are not the standard text of the library.",
    )
    outdated_count = fields.Integer(compute="_compute_deviating_count", groups="channel_base.group_channel_user")
    missing_clause_ids = fields.Many2many(
        "channel.clause",
        string="Missing Mandatory Clauses",
        compute="_compute_missing_clause_ids",
        groups="channel_base.group_channel_user",
    )

    # === COMPUTE METHODS ===#

    @api.depends("member_id")
    def _compute_lang(self):
        for version in self:
            version.lang = version.lang or version.member_id.lang or self.env.lang or "en_US"

    @api.depends("clause_ids.deviation_level")
    def _compute_deviation_level(self):
        for version in self:
            version.deviation_level = max(version.clause_ids.mapped("deviation_level"), default=0)

    @api.depends("clause_ids.deviation", "clause_ids.is_outdated")
    def _compute_deviating_count(self):
        for version in self:
            version.deviating_count = len(version.clause_ids.filtered(lambda line: line.deviation != "none"))
            version.outdated_count = len(version.clause_ids.filtered("is_outdated"))

    @api.depends("clause_ids.clause_id", "state")
    def _compute_missing_clause_ids(self):
        drafts = self.filtered(lambda version: version.state == "draft")
        missing = drafts._missing_clauses()
        for version in self:
            version.missing_clause_ids = missing.get(version.id)

    # === ONCHANGE METHODS ===#

    @api.onchange("second_lang")
    def _onchange_second_lang(self):
        """Texts that stand unchanged as the library has them get their counterpart in the second language."""
        for line in self.clause_ids:
            if line.text_id and line.deviation != "deviates":
                line.update(line.text_id._prepare_line_vals(self.second_lang))

    # === CONSTRAINT METHODS ===#

    @api.constrains("lang", "second_lang")
    def _check_second_lang(self):
        for version in self:
            if version.lang == version.second_lang:
                raise UserError(
                    self.env._("The second language of %s is the same as the first.", version.display_name)
                )

    # === ACTION METHODS ===#

    def action_add_mandatory_clauses(self):
        """Take over what the library asks of every contract of this kind and is missing here."""
        missing = self._missing_clauses()
        for version in self:
            values = missing[version.id]._prepare_clause_line_vals(version.lang, version.second_lang)
            last = max(version.clause_ids.mapped("sequence"), default=0)
            version.write(
                {"clause_ids": [Command.create({**vals, "sequence": last + vals["sequence"]}) for vals in values]}
            )
        return True

    def action_apply_template(self):
        """Open the choice of a template and of its optional clauses."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Clauses from a Template"),
            "res_model": "channel.contract.template.apply",
            "view_mode": "form",
            "target": "new",
            "context": {"default_version_id": self.id, "default_template_id": self.template_id.id},
        }

    def action_take_over_library(self):
        """Take over what the library says today in all lines that have the text of an earlier version unchanged."""
        self.clause_ids.filtered(
            lambda line: line.is_outdated and line.deviation == "none" and not line.omitted
        ).action_take_over()
        return True

    # === TEMPLATES ===#

    def _apply_template(self, template, clauses=None):
        """Order the clauses of drafts by a template, and add those of the template that are missing.

        What stands there already keeps its text; what the template does not know comes last.

        :param template: ``channel.contract.template``
        :param clauses: the clauses of the template to take; None: those it preselects
        """
        applicable = template._applicable_lines(self.contract_id)
        for version in self:
            entries = applicable[version.contract_id.id]
            if clauses is None:
                entries = entries.filtered("preselected")
            else:
                entries = entries.filtered(lambda entry: entry.clause_id in clauses)
            wanted = entries.clause_id - version.clause_ids.clause_id
            values = {
                vals["clause_id"]: vals
                for vals in wanted._prepare_clause_line_vals(
                    version.lang,
                    version.second_lang,
                    {entry.clause_id.id: entry.category_id for entry in entries},
                )
            }
            commands = []
            places = {entry.clause_id.id: 10 * place for place, entry in enumerate(entries, 1)}
            for clause_id, place in places.items():
                if clause_id in values:
                    commands.append(Command.create({**values[clause_id], "sequence": place}))
            rest = 10 * len(places)
            for line in version.clause_ids:
                place = places.get(line.clause_id.id)
                if not place:
                    rest += 10
                commands.append(Command.update(line.id, {"sequence": place or rest}))
            version.write({"template_id": template.id, "clause_ids": commands})
        # The cache keeps lines in the order in which they were added
        self.invalidate_recordset(["clause_ids"])

    def _missing_clauses(self):
        """:returns: ``{version_id: channel.clause}``: mandatory clauses that apply and have no line"""
        # sudo: what the library asks of a contract is the same for everybody who sees the contract
        mandatory = self.env["channel.clause"].sudo()._applicable(self.sudo().contract_id, [("mandatory", "=", True)])
        return {
            version.id: (mandatory[version.contract_id.id] - version.sudo().clause_ids.clause_id).with_env(self.env)
            if version.contract_id.id in mandatory
            else self.env["channel.clause"]
            for version in self
        }

    # === VARIABLES ===#

    @api.model
    def _clause_variables(self):
        """Return ``{name: label}`` of the variables that clauses may use, in the order in which they are listed.

        An add-on that adds one adds its value in :meth:`_clause_values`.
        """
        return {
            "contract_number": self.env._("Number of the contract"),
            "contract_title": self.env._("Title of the contract"),
            "contract_type": self.env._("Type of the contract"),
            "version_number": self.env._("Number of the version"),
            "company_name": self.env._("Name of the company"),
            "company_vat": self.env._("Registration number of the company"),
            "company_address": self.env._("Address of the company"),
            "company_signatory": self.env._("Signatory of the company"),
            "member_name": self.env._("Name of the member"),
            "member_code": self.env._("Code of the member"),
            "member_vat": self.env._("Registration number of the member"),
            "member_address": self.env._("Address of the member"),
            "member_region": self.env._("Region of the member"),
            "member_signatory": self.env._("Signatory of the member"),
            "valid_from": self.env._("First day"),
            "valid_to": self.env._("Last day"),
            "renewal": self.env._("What happens at the end"),
            "notice_days": self.env._("Notice period in days"),
            "currency": self.env._("Currency"),
            "price_table": self.env._("Name of the price table"),
            "payment_terms": self.env._("Payment terms"),
            "commitments": self.env._("List of the commitments"),
        }

    def _clause_values(self):
        """Return the values of :meth:`_clause_variables` in the language of the environment, as texts or Markup."""
        self.ensure_one()
        # sudo: names and addresses of the two parties, which the contract prints
        version = self.sudo()
        contract, member, company = version.contract_id, version.member_id, version.company_id.partner_id

        def choice(record, name):
            return dict(record._fields[name]._description_selection(self.env)).get(record[name], "")

        def address(partner):
            lines = partner._display_address(without_company=True).split("\n")
            return ", ".join(line.strip() for line in lines if line.strip())

        def day(value):
            return format_date(self.env, value, date_format="long") if value else ""

        commitments = [
            self.env._(
                "%(name)s: %(amount)s in each period (%(period)s)",
                name=line.name,
                amount=line._target_text(),
                period=choice(line, "period"),
            )
            for line in version.commitment_ids
        ]
        return {
            "contract_number": contract.name or "",
            "contract_title": contract.title or "",
            "contract_type": contract.type_id.name or "",
            "version_number": str(version.number),
            "company_name": company.name or "",
            "company_vat": company.vat or "",
            "company_address": address(company),
            "company_signatory": version.company_signatory or "",
            "member_name": member.name or "",
            "member_code": member.channel_code or "",
            "member_vat": member.vat or "",
            "member_address": address(member),
            "member_region": version.region_id.name or "",
            "member_signatory": version.member_signatory or "",
            "valid_from": day(version.valid_from),
            "valid_to": day(version.valid_to),
            "renewal": choice(version, "renewal"),
            "notice_days": str(version.notice_days),
            "currency": version.currency_id.name or "",
            "price_table": version.pricelist_id.name or "",
            "payment_terms": version.payment_term_id.name or "",
            "commitments": Markup("<ul>%s</ul>")
            % Markup().join(Markup("<li>%s</li>") % commitment for commitment in commitments)
            if commitments
            else "",
        }

    def _render_clauses(self, lines):
        """Fill in ``text`` and ``second_text`` of lines of one version: as agreed, else with today's values.

        What cannot be filled in stays as it was written: a draft is read before it is ready.
        """
        values = {}
        for name, source, frozen, lang_field in (
            ("text", "body", "frozen_body", "lang"),
            ("second_text", "second_body", "frozen_second_body", "second_lang"),
        ):
            for line in lines:
                if line[frozen] or not line[source]:
                    line[name] = line[frozen]
                    continue
                lang = self.lang if lang_field == "lang" else self.second_lang
                if lang not in values:
                    values[lang] = self.with_context(lang=lang)._clause_values() if self else {}
                line[name] = clause_text.render(line[source], values[lang])

    # === APPROVAL ===#

    def _approval_before(self):
        self._check_clauses()
        result = super()._approval_before()
        self.clause_ids._freeze()
        return result

    def request_validation(self):
        self._check_clauses()
        return super().request_validation()

    def _version_snapshot(self):
        """And the clauses as they were agreed, variables filled in."""
        snapshot = super()._version_snapshot()
        for line, terms in zip(self.clause_ids, snapshot["clause_ids"], strict=True):
            terms["agreed"] = str(line.frozen_body or "")
            terms["agreed_second"] = str(line.frozen_second_body or "")
        return snapshot

    def _check_clauses(self):
        """Refuse versions that cannot be printed as they should: clauses or variables are missing."""
        names = self._clause_variables()
        missing = self._missing_clauses()
        for version in self:
            if missing[version.id] and not version._is_paper_original():
                raise UserError(
                    self.env._(
                        "%(version)s lacks mandatory clauses: %(clauses)s. Add them from the library, or add the "
                        "clause and leave it out with a reason.",
                        version=version.display_name,
                        clauses=", ".join(missing[version.id].mapped("name")),
                    )
                )
            values = version._clause_values()
            for line in version.clause_ids.filtered(lambda line: not line.omitted):
                subject = self.env._(
                    "%(version)s, clause %(number)s “%(title)s”",
                    version=version.display_name,
                    number=line.number,
                    title=line.title,
                )
                for body in (line.body, line.second_body):
                    if unknown := clause_text.unknown(body, names):
                        raise UserError(clause_text_message(self.env, subject, unknown, names))
                    if empty := clause_text.empty(body, values):
                        raise UserError(
                            self.env._(
                                "%(subject)s: %(variables)s have no value in this contract. Fill them in, or write "
                                "what to print instead, such as {{ %(first)s ||| until further notice }}.",
                                subject=subject,
                                variables=", ".join(f"{names[name]} ({name})" for name in empty),
                                first=empty[0],
                            )
                        )

    def _is_paper_original(self):
        """Whether the words of the version are those of a paper signed outside of the system."""
        return False
