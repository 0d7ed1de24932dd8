import operator as comparison
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import SQL

from .channel_contract_type import RENEWALS

_COMPARE = {"<": comparison.lt, "<=": comparison.le, ">": comparison.gt, ">=": comparison.ge}


class ChannelContract(models.Model):
    """What was agreed with a member: the identity. What it says is in its versions, one in force at a time."""

    _name = "channel.contract"
    _description = "Contract"
    _inherit = [
        "channel.versioned.mixin",
        "channel.contract.obligations.mixin",
        "channel.contract.worksheet.mixin",
        "channel.contract.archive.mixin",
        "channel.contract.lifecycle.mixin",
        "channel.contract.renewal.mixin",
        "channel.contract.stage.mixin",
        "channel.contract.terms.mixin",
        "portal.mixin",
        "mail.thread",
        "mail.activity.mixin",
    ]
    _order = "id desc"
    _rec_names_search = ["name", "title", "member_id.name"]
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, index="trigram")
    title = fields.Char(required=True, tracking=True, help="For example: Distribution of implants in East China.")
    type_id = fields.Many2one(
        "channel.contract.type",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        default=lambda self: self.env["channel.contract.type"].search([], limit=1),
        tracking=True,
    )
    contract_type = fields.Selection(
        lambda self: self.env["channel.contract.type"]._selection_codes(),
        string="Code of the Type",
        compute="_compute_contract_type",
        inverse="_inverse_contract_type",
        store=True,
        help="For imports and other systems: the type may be given by its code.",
    )
    member_id = fields.Many2one(
        "res.partner",
        required=True,
        index=True,
        ondelete="restrict",
        check_company=True,
        domain="[('channel_role', '!=', False)]",
        tracking=True,
    )
    region_id = fields.Many2one(related="member_id.channel_region_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(
        "res.company", required=True, index=True, default=lambda self: self.env.company, tracking=True
    )
    user_id = fields.Many2one(
        "res.users", string="Owner", default=lambda self: self.env.user, check_company=True, tracking=True
    )
    currency_id = fields.Many2one(
        "res.currency", required=True, default=lambda self: self.env.company.currency_id, tracking=True
    )
    signature_required = fields.Boolean(
        compute="_compute_signature_required",
        store=True,
        readonly=False,
        precompute=True,
        tracking=True,
        help="Versions approved from now on count only once everybody named in them has signed, on the portal or on "
        "paper. Versions that were approved before keep what held then.",
    )
    active = fields.Boolean(default=True, tracking=True)
    version_ids = fields.One2many("channel.contract.version", "contract_id", string="Versions")
    current_version_id = fields.Many2one(
        "channel.contract.version", string="Version in Force", compute="_compute_current_version_id"
    )
    current_valid_from = fields.Date(string="Valid From", compute="_compute_current_version_id")
    current_valid_to = fields.Date(
        string="Valid To", compute="_compute_current_version_id", search="_search_current_valid_to"
    )
    current_renewal = fields.Selection(RENEWALS, string="At the End", compute="_compute_current_version_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("future", "Approved, not yet in force"),
            ("in_force", "In force"),
            ("ended", "Ended"),
        ],
        compute="_compute_current_version_id",
        search="_search_state",
        help="As of today, by the versions that have been approved.",
    )

    _name_uniq = models.UniqueIndex("(name, company_id)", "The number of a contract must be unique.")
    _member_idx = models.Index("(member_id, company_id)")

    # === COMPUTE METHODS ===#

    @api.depends("type_id")
    def _compute_signature_required(self):
        """As the type says when it is chosen; a later change of the type leaves contracts as they are."""
        for contract in self:
            contract.signature_required = contract.type_id.signature_required

    @api.depends("type_id.code")
    def _compute_contract_type(self):
        for contract in self:
            contract.contract_type = contract.type_id.code

    def _inverse_contract_type(self):
        # pylint: disable-next=no-search-all  # a handful of types
        by_code = self.env["channel.contract.type"].search([]).grouped("code")
        for contract in self:
            if contract.contract_type not in by_code:
                raise ValidationError(
                    self.env._(
                        "contract_type: there is no type %(code)r. Use one of: %(known)s.",
                        code=contract.contract_type,
                        known=", ".join(by_code),
                    )
                )
            contract.type_id = by_code[contract.contract_type]

    @api.depends("name", "title")
    def _compute_display_name(self):
        for contract in self:
            contract.display_name = " ".join(filter(None, [contract.name, contract.title]))

    def _compute_access_url(self):
        super()._compute_access_url()
        for contract in self:
            contract.access_url = f"/my/channel/contracts/{contract.id}"

    @api.depends(
        "version_ids.state", "version_ids.signature_state", "version_ids.valid_from", "version_ids.valid_to"
    )
    def _compute_current_version_id(self):
        # sudo: in force or not is the same for everybody who sees the contract
        by_contract = self.sudo().version_ids.filtered(lambda version: version._stands()).grouped("contract_id")
        in_force = {}
        for company, contracts in self.grouped("company_id").items():
            in_force.update(contracts._origin.sudo()._versions_at((company or self.env.company)._channel_today()))
        for contract in self:
            versions = by_contract.get(contract, self.env["channel.contract.version"])
            current = in_force.get(contract._origin.id, versions.browse()).with_env(self.env)
            contract.current_version_id = current
            # sudo: who reads the contract reads since when, till when and how its terms go on
            contract.current_valid_from = current.sudo().valid_from
            contract.current_valid_to = current.sudo().valid_to
            contract.current_renewal = current.sudo().renewal
            today = (contract.company_id or self.env.company)._channel_today()
            if current:
                contract.state = "in_force"
            elif any(version.valid_from > today for version in versions):
                contract.state = "future"
            else:
                contract.state = "ended" if versions else "draft"

    def _search_state(self, operator, value):
        if operator != "in":
            return NotImplemented
        today = fields.Date.context_today(self)
        approved = self._version_model()._version_standing_domain()
        begun = approved & Domain("valid_from", "<=", today)
        in_force = Domain(
            "version_ids", "any", begun & (Domain("valid_to", "=", False) | Domain("valid_to", ">=", today))
        )
        has_future = Domain("version_ids", "any", approved & Domain("valid_from", ">", today))
        has_approved = Domain("version_ids", "any", approved)
        domains = {
            "draft": ~has_approved,
            "future": has_future & ~in_force,
            "in_force": in_force,
            "ended": has_approved & ~in_force & ~has_future,
        }
        return Domain.OR(domains[state] for state in value if state in domains)

    def _search_current_valid_to(self, operator, value):
        """Which contracts' version in force ends on, before or after a day: the calendar asks."""
        if operator not in _COMPARE:
            return NotImplemented
        day = fields.Date.to_date(value)
        ending = self._version_model()._version_standing_domain() & Domain("valid_to", operator, day)
        contracts = self.with_context(active_test=False).search(Domain("version_ids", "any", ending))
        # of several versions only the one in force counts
        found = contracts.filtered(
            lambda contract: contract.current_valid_to and _COMPARE[operator](contract.current_valid_to, day)
        )
        return Domain("id", "in", found.ids)

    # === CONSTRAINT METHODS ===#

    @api.constrains("member_id")
    def _check_member_id(self):
        for contract in self:
            # sudo: whether a partner is a member is no secret
            if not contract.member_id.sudo().channel_role:
                raise ValidationError(
                    self.env._(
                        "%s is no member of the channel: give it a channel role first.", contract.member_id.display_name
                    )
                )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        # sudo: who may write a contract may use up a number of the sequence
        Sequence = self.env["ir.sequence"].sudo()
        prepared = []
        for vals in vals_list:
            company_id = vals.get("company_id") or self.env.company.id
            number = vals.get("name") or Sequence.with_company(company_id).next_by_code("channel.contract")
            prepared.append({**vals, "name": number})
        return super().create(prepared)

    def write(self, vals):
        """Party, company and currency are part of what was agreed: fixed once a version has been approved."""
        fixed = {
            name
            for name in ("name", "member_id", "company_id", "currency_id", "type_id", "contract_type")
            if name in vals
            and any(
                (contract[name].id if contract._fields[name].relational else contract[name]) != vals[name]
                for contract in self
            )
        }
        if fixed:
            # sudo: an approved version fixes the contract, also for those who may not see it
            approved = self.sudo().version_ids.filtered(lambda version: version.state in ("approved", "superseded"))
            if approved:
                raise UserError(
                    self.env._(
                        "%(contract)s has an approved version: %(fields)s cannot be changed any more.",
                        contract=approved[0].contract_id.display_name,
                        fields=", ".join(sorted(self._fields[name]._description_string(self.env) for name in fixed)),
                    )
                )
        return super().write(vals)

    # === ACTION METHODS ===#

    def action_new_version(self):
        """Open a draft: a copy of the version in force, or the first version with the mandatory clauses."""
        self.ensure_one()
        self._check_not_terminated()
        if self.version_ids:
            return super().action_new_version()
        return self._create_first_version()._get_records_action()

    def action_preview_on_portal(self):
        self.ensure_one()
        return {"type": "ir.actions.act_url", "url": self.access_url, "target": "self"}

    def action_open_versions(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_contract.channel_contract_version_action"),
            "domain": [("contract_id", "=", self.id)],
            "context": {"default_contract_id": self.id},
        }

    def action_open_authorizations(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "domain": [("contract_version_id", "in", self.version_ids.ids)],
            "name": self.env._("Authorizations"),
            "res_model": "channel.authorization",
            "view_mode": "list,form",
        }

    def action_open_performance(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.act_window"]._for_xml_id("channel_contract.channel_contract_performance_action"),
            "domain": [("contract_id", "=", self.id)],
            "context": {},
        }

    def action_open_invoices(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "domain": [("channel_contract_version_id", "in", self.version_ids.ids)],
            "name": self.env._("Invoices"),
            "res_model": "account.move",
            "view_mode": "list,form",
        }

    def action_open_orders(self):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "domain": [("channel_contract_version_id", "in", self.version_ids.ids)],
            "name": self.env._("Orders"),
            "res_model": "sale.order",
            "view_mode": "list,form",
        }

    # === BUSINESS METHODS ===#

    def _create_first_version(self):
        """The first version: the clauses of the type's template, or else those that are mandatory."""
        self.ensure_one()
        Version = self.env["channel.contract.version"]
        today = self.company_id._channel_today()
        version = Version.create(
            {"contract_id": self.id, "valid_from": today, **Version._type_terms(self.type_id, today)}
        )
        template = self.type_id.template_id
        if template:
            version._apply_template(template)
        version.action_add_mandatory_clauses()
        return version

    def _versions_at(self, date):
        """As of every versioned document, and also signed and not suspended on that day."""
        Version = self.env["channel.contract.version"]
        Version._flush_in_force()
        rows = self.env.execute_query(
            SQL(
                """
                SELECT v.contract_id, v.id
                  FROM channel_contract_version v
                 WHERE v.contract_id = ANY(%s) AND %s AND v.id IN %s
                """,
                self.ids,
                Version._in_force_sql(SQL.identifier("v"), SQL("%s::date", date)),
                Version._search(Domain.TRUE).subselect(),
            )
        )
        in_force = dict(rows)
        answers = dict.fromkeys(self.ids, Version)
        for contract_id, version_id in in_force.items():
            answers[contract_id] = Version.browse(version_id).with_prefetch(in_force.values())
        return answers

    @api.model
    def _versions_in_force(self, questions):
        """The contract versions that govern members on days, in two queries for any number of questions.

        :param list questions: ``(member_id, company_id, date)``, commercial partner, company and day
        :returns: one recordset for each question, in the same order: those in force, the one that decides first.
            A version with a price list comes before one without, then the one that came into force last.
        """
        Version = self.env["channel.contract.version"]
        if not questions:
            return []
        Version._flush_in_force()
        self.flush_model(["active"])
        members, companies, days = zip(*questions, strict=True)
        rows = self.env.execute_query(
            SQL(
                """
                SELECT question.place, v.id
                  FROM unnest(%(members)s::int[], %(companies)s::int[], %(days)s::date[])
                       WITH ORDINALITY AS question (member_id, company_id, day, place)
                  JOIN channel_contract_version v
                    ON v.member_id = question.member_id AND v.company_id = question.company_id
                  JOIN channel_contract c ON c.id = v.contract_id AND c.active
                 WHERE %(in_force)s AND v.id IN %(readable)s
                 ORDER BY question.place, (v.pricelist_id IS NOT NULL) DESC, v.valid_from DESC, v.id DESC
                """,
                # False, of an order without partner, is no number
                members=[member_id or None for member_id in members],
                companies=[company_id or None for company_id in companies],
                days=list(days),
                in_force=Version._in_force_sql(SQL.identifier("v"), SQL("question.day")),
                readable=Version._search(Domain.TRUE).subselect(),
            )
        )
        answers = defaultdict(list)
        for place, version_id in rows:
            answers[place].append(version_id)
        # Read at once: who takes the first one of an answer leaves the others' prefetching behind
        Version.browse({version_id for _place, version_id in rows}).fetch()
        return [Version.browse(answers[place]) for place in range(1, len(questions) + 1)]
