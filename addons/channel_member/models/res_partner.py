from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import SQL

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

    _inherit = "res.partner"

    channel_role = fields.Selection(
        CHANNEL_ROLES,
        string="Channel Role",
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
