from stdnum.util import get_cc_module

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

CHANNEL_ROLES = [
    ("manufacturer", "Manufacturer"),
    ("importer", "Importer"),
    ("distributor", "Dealer"),
    ("sub_distributor", "Sub-Dealer"),
    ("agent", "Agent"),
    ("platform", "Platform"),
    ("hospital", "Hospital"),
    ("buying_group", "Buying Group"),
]

# What the gate, the prices and the record rules rest on: once a member is admitted it is changed by those who govern.
GOVERNED_FIELDS = {"channel_role", "channel_code", "channel_parent_id", "vat", "country_id", "parent_id", "is_company"}


class ResPartner(models.Model):
    """A member of the channel is a commercial partner with a channel role.

    Contacts and addresses below it have no role of their own: documents made out to them count for the member.
    """

    _name = "res.partner"
    _inherit = [
        "res.partner", "channel.member.position.mixin", "channel.member.overview.mixin",
        "channel.admission.member.mixin", "channel.member.register.mixin",
    ]

    channel_role = fields.Selection(
        CHANNEL_ROLES,
        index="btree_not_null",
        tracking=True,
        help="Makes the company a member of the channel; its documents are then checked at the gate.",
    )
    channel_code = fields.Char(
        string="Member Code", copy=False, readonly=True, help="Given from the sequence 'Channel Member'."
    )
    channel_state = fields.Selection(
        [
            ("applicant", "Applicant"),
            ("active", "Active"),
            ("suspended", "Suspended"),
            ("terminated", "Terminated"),
        ],
        string="Member State",
        readonly=True,
        copy=False,
        index="btree_not_null",
        tracking=True,
    )
    channel_state_date = fields.Date(
        string="Member State Since", readonly=True, copy=False, help="Day of the last change of state."
    )
    channel_active_since = fields.Date(string="Member Since", readonly=True, copy=False)
    channel_state_reason = fields.Char(string="Reason of State", readonly=True, copy=False)
    channel_parent_id = fields.Many2one(
        "res.partner",
        string="Parent Member",
        index="btree_not_null",
        ondelete="restrict",
        domain="[('channel_role', '!=', False), ('id', '!=', id)]",
        tracking=True,
        help="Member above it in the channel: the dealer of a sub-dealer, the buying group of a hospital.",
    )
    channel_child_ids = fields.One2many("res.partner", "channel_parent_id", string="Members Below")

    # Hospitals
    channel_hospital_grade_id = fields.Many2one(
        "channel.hospital.grade", string="Hospital Grade", index="btree_not_null", tracking=True
    )
    channel_hospital_level = fields.Integer(
        related="channel_hospital_grade_id.level", string="Hospital Level", store=True, aggregator=None
    )
    channel_hospital_class = fields.Char(
        related="channel_hospital_grade_id.grade_class", string="Hospital Class", store=True
    )
    channel_hospital_kind = fields.Selection(
        [
            ("general", "General"),
            ("specialised", "Specialised"),
            ("traditional", "Traditional Medicine"),
            ("maternity", "Maternity and Children"),
            ("dental", "Dental"),
            ("rehabilitation", "Rehabilitation"),
            ("primary", "Primary Care"),
            ("other", "Other"),
        ],
        string="Hospital Kind",
    )
    channel_hospital_ownership = fields.Selection(
        [("public", "Public"), ("private", "Private"), ("military", "Military"), ("non_profit", "Private, non-profit")],
        string="Hospital Ownership",
    )
    channel_hospital_beds = fields.Integer(string="Beds")

    # Documents
    channel_qualification_ids = fields.One2many("channel.qualification", "partner_id", string="Qualifications")
    channel_authorization_ids = fields.One2many("channel.authorization", "partner_id", string="Authorizations")
    channel_qualification_count = fields.Integer(compute="_compute_channel_counts", compute_sudo=False)
    channel_authorization_count = fields.Integer(compute="_compute_channel_counts", compute_sudo=False)
    channel_member_count = fields.Integer(
        string="Members Below Count", compute="_compute_channel_counts", compute_sudo=False
    )
    channel_duplicate_id = fields.Many2one(
        "res.partner",
        string="Member with the Same Number",
        compute="_compute_channel_duplicate_id",
        help="Another member with the same tax identification number.",
    )

    _channel_code_uniq = models.UniqueIndex(
        "(channel_code) WHERE channel_code IS NOT NULL", "The code of a member must be unique."
    )

    #=== COMPUTE METHODS ===#

    def _compute_channel_counts(self):
        def counts(model, field):
            return {
                partner.id: count
                for partner, count in self.env[model]._read_group([(field, "in", self.ids)], [field], ["__count"])
            }

        readable = self.env["channel.qualification"].has_access("read")
        qualifications = counts("channel.qualification", "partner_id") if readable else {}
        authorizations = counts("channel.authorization", "partner_id") if readable else {}
        members = counts("res.partner", "channel_parent_id")
        for partner in self:
            partner.channel_qualification_count = qualifications.get(partner.id, 0)
            partner.channel_authorization_count = authorizations.get(partner.id, 0)
            partner.channel_member_count = members.get(partner.id, 0)

    @api.depends("vat", "channel_role")
    def _compute_channel_duplicate_id(self):
        members = self.filtered(lambda p: p.channel_role and p.vat)
        # sudo: a second application of the same company must be seen although it lies in another region.
        others = self.sudo().with_context(active_test=False).search(
            [("vat", "in", members.mapped("vat")), ("channel_role", "!=", False)], order="id"
        )
        by_vat = others.grouped("vat")
        for partner in self:
            same = by_vat.get(partner.vat, others.browse()) if partner in members else others.browse()
            partner.channel_duplicate_id = (same - partner._origin)[:1]

    #=== CONSTRAINT METHODS ===#

    @api.constrains("channel_role", "parent_id", "is_company")
    def _check_channel_role(self):
        for partner in self:
            if partner.channel_role and partner.commercial_partner_id != partner:
                raise ValidationError(self.env._(
                    "%(contact)s belongs to %(company)s: only the company itself can be a member of the channel.",
                    contact=partner.display_name,
                    company=partner.commercial_partner_id.display_name,
                ))

    @api.constrains("channel_parent_id")
    def _check_channel_parent_id(self):
        if self._has_cycle("channel_parent_id"):
            raise ValidationError(self.env._("A member cannot stand above itself: choose another parent member."))
        for partner in self:
            if partner.channel_parent_id and not partner.channel_parent_id.channel_role:
                raise ValidationError(self.env._(
                    "Parent member %s has no channel role.", partner.channel_parent_id.display_name
                ))

    #=== CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        vals_list = [dict(vals) for vals in vals_list]
        for vals in vals_list:
            self._check_channel_decision(vals, new=True)
            if vals.get("channel_role", self.env.context.get("default_channel_role")):
                vals.update({**self._channel_joining_vals(vals), **{k: v for k, v in vals.items() if v}})
            elif not self.env.su:
                # A client must not decide by the default values of its context either.
                vals["channel_state"] = False
        return super().create(vals_list)

    def write(self, vals):
        self._check_channel_decision(vals)
        self._check_channel_governed(vals)
        if "channel_role" not in vals:
            return super().write(vals)
        if not vals["channel_role"]:
            self._check_channel_leaving()
            return super().write({**vals, "channel_state": False, "channel_state_date": False})
        joining = self.filtered(lambda p: not p.channel_state)
        if joining:
            super(ResPartner, self - joining).write(vals)
            for partner in joining:
                # One by one, because each gets a code of its own.
                super(ResPartner, partner).write({**self._channel_joining_vals({
                    "channel_code": partner.channel_code or vals.get("channel_code"),
                }), **vals})
            return True
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_admitted_member(self):
        for partner in self:
            if partner.channel_state and partner.channel_state != "applicant":
                raise UserError(self.env._(
                    "%s has been a member of the channel; its records are kept. Terminate it instead.",
                    partner.display_name,
                ))

    def _check_channel_decision(self, vals, new=False):
        """The state is the result of a decision with a role, a reason and an audit entry, not a value to write."""
        decided = {"channel_state", "channel_state_date", "channel_state_reason", "channel_active_since"} & vals.keys()
        if self.env.su or not decided or new and not any(vals[name] for name in decided):
            return
        if not new and not any(self._channel_would_change(name, vals[name]) for name in decided):
            # What merging contacts writes back is what is there
            return
        raise AccessError(self.env._(
            "The state of a member is changed by Activate, Suspend, Terminate and Readmit, not by writing it."
        ))

    def _channel_would_change(self, name, value):
        """Whether writing a value would change the field of any of these partners."""
        field = self._fields[name]
        return any(field.convert_to_cache(value, partner) != (partner[name] or None) for partner in self)

    def _check_channel_governed(self, vals):
        """Refuse changes of an admitted member's governed fields by who may not admit members."""
        governed = GOVERNED_FIELDS & vals.keys()
        if not governed or self.env.su or self._channel_may_govern():
            return
        for partner in self:
            if partner.channel_state in (False, "applicant"):
                continue
            for name in governed:
                field = self._fields[name]
                value = partner[name].id if field.type == "many2one" else partner[name]
                if (value or False) != (vals[name] or False):
                    raise AccessError(self.env._(
                        "%(member)s is admitted: its %(field)s is changed by Channel Manager or Compliance.",
                        member=partner.display_name,
                        field=field.get_description(self.env, ["string"])["string"],
                    ))

    def _check_channel_leaving(self):
        for partner in self:
            if partner.channel_state in ("active", "suspended"):
                raise UserError(self.env._(
                    "%s is a member: terminate it before its channel role is removed.", partner.display_name
                ))

    #=== ACTION METHODS ===#

    def action_channel_activate(self, reason=None):
        """Admit applicants, or lift a suspension.

        :param str reason: why, for the audit journal; optional
        :raise UserError: a member is neither applicant nor suspended, or something stands against it
        """
        problems = self._channel_activation_problems()
        if problems:
            raise UserError("\n".join(
                f"{partner.display_name}: {message}" for partner, messages in problems.items() for message in messages
            ))
        self._channel_decide("active", {"applicant", "suspended"}, reason)
        return True

    def action_channel_suspend(self, reason=None):
        """Stop orders and deliveries of active members for the time being.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self._channel_ask_reason("suspend")
        self._channel_decide("suspended", {"active"}, reason)
        return True

    def action_channel_terminate(self, reason=None):
        """End the membership. Only Channel Manager.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self._channel_ask_reason("terminate")
        self._channel_decide("terminated", {"applicant", "active", "suspended"}, reason)
        return True

    def action_channel_readmit(self, reason=None):
        """Let terminated members apply again.

        :param str reason: why; without it the wizard that asks for it is returned
        """
        if not reason:
            return self._channel_ask_reason("readmit")
        self._channel_decide("applicant", {"terminated"}, reason)
        return True

    def action_channel_qualifications(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_qualification_action"),
            "domain": [("partner_id", "=", self.id)],
            "context": {"default_partner_id": self.id},
        }

    def action_channel_authorizations(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_authorization_action"),
            "domain": [("partner_id", "=", self.id)],
            "context": {"default_partner_id": self.id},
        }

    def action_channel_members_below(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_member_action"),
            "domain": [("channel_parent_id", "=", self.id)],
            "context": {"default_channel_parent_id": self.id},
        }

    def action_channel_passport(self):
        self.ensure_one()
        return {
            **self.env["ir.actions.actions"]._for_xml_id("channel_member.channel_member_passport_action"),
            "context": {"active_id": self.id, "active_model": self._name},
        }

    def action_channel_passport_print(self):
        return self.env.ref("channel_member.member_passport_report").report_action(self, config=False)

    #=== BUSINESS METHODS ===#

    def _channel_joining_vals(self, vals):
        """Values of a partner that becomes a member."""
        return {
            "channel_state": "applicant",
            "channel_state_date": fields.Date.context_today(self),
            # sudo: who may enter a member may use up a number of the sequence.
            "channel_code": vals.get("channel_code")
            or self.env["ir.sequence"].sudo().next_by_code("channel.member"),
        }

    def _channel_may_govern(self):
        return self.env.user.has_group("channel_base.group_channel_manager") or self.env.user.has_group(
            "channel_base.group_channel_compliance"
        )

    def _channel_decide(self, state, expected, reason):
        """Change the state: role, old state, audit entry, all or nothing."""
        if not self._channel_may_govern() or (
            state == "terminated" and not self.env.user.has_group("channel_base.group_channel_manager")
        ):
            raise AccessError(self.env._(
                "Channel Manager and Compliance admit and suspend members; only Channel Manager terminates them."
            ))
        # Record rules decide which members the user may reach at all.
        self.check_access("read")
        labels = dict(self._fields["channel_state"]._description_selection(self.env))
        for partner in self:
            if partner.channel_state not in expected:
                raise UserError(self.env._(
                    "%(member)s cannot become %(state)s: it is %(current)s.",
                    member=partner.display_name,
                    state=labels[state],
                    current=labels.get(partner.channel_state, self.env._("not a member")),
                ))
        before = {partner.id: {"state": partner.channel_state} for partner in self}
        today = fields.Date.context_today(self)
        values = {"channel_state": state, "channel_state_date": today, "channel_state_reason": reason or False}
        # sudo: the decision has been checked above; whoever may decide need not be allowed to edit contacts.
        members = self.sudo()
        members.write(values)
        if state == "active":
            members.filtered(lambda p: not p.channel_active_since).write({"channel_active_since": today})
        self.env["channel.audit.entry"]._record(
            f"member.{state}", self, reason=reason, before=before, after={"state": state}
        )
        self._channel_state_changed(state)

    def _channel_ask_reason(self, decision):
        return self.env["channel.member.decision"]._open(self, decision)

    @api.model
    def _channel_vat_fits(self, country, vat):
        """Whether a tax identification number can be one of the country; True where python-stdnum knows no rule."""
        module = country and get_cc_module(country.code, "vat")
        return not module or module.is_valid(vat)

    def _channel_vat_problem(self):
        """Why the tax identification number cannot be that of the member's country, or False.

        Checked by python-stdnum; countries whose numbers it does not know are not checked.
        """
        self.ensure_one()
        if not self.vat or self._channel_vat_fits(self.country_id, self.vat):
            return False
        return self.env._(
            "identification number %(vat)s is not valid in %(country)s (length, parts or check digit): correct it.",
            vat=self.vat,
            country=self.country_id.name,
        )

    #=== HOOKS ===#

    def _channel_activation_problems(self):
        """What stands against the activation: ``{partner: [sentence]}``; empty when nothing does."""
        problems = {}
        for partner in self:
            messages = []
            if vat_problem := partner._channel_vat_problem():
                messages.append(vat_problem)
            if partner.channel_parent_id.channel_state == "terminated":
                messages.append(self.env._(
                    "its parent member %s is terminated.", partner.channel_parent_id.display_name
                ))
            if messages:
                problems[partner] = messages
        return problems

    def _channel_state_changed(self, state):
        """Called after the decision has been recorded, for what follows from it."""
        if state != "active":
            return
        self.env["channel.alert"]._raise_alerts("member_duplicate", [
            {
                "key": f"{partner.id}",
                "name": self.env._(
                    "%(member)s has the same identification number as %(other)s",
                    member=partner.display_name,
                    other=partner.channel_duplicate_id.display_name,
                ),
                "severity": "warning",
                "record": partner,
                "region": partner.channel_region_id,
            }
            for partner in self
            if partner.channel_duplicate_id
        ])

    def _channel_needs_authorization(self):
        """Whether the member may only buy what it is authorised for; hospitals use the devices, they do not trade."""
        self.ensure_one()
        return bool(self.channel_role) and self.channel_role != "hospital"
