from odoo import api, fields, models
from odoo.tools import ormcache

RENEWALS = [("none", "Ends"), ("agreement", "Renewed by Agreement"), ("automatic", "Renewed Automatically")]


class ChannelContractType(models.Model):
    """A kind of contract, and what contracts of the kind start with."""

    _name = "channel.contract.type"
    _description = "Contract Type"
    _order = "sequence, name, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, copy=False, help="For imports and other systems; never changes.")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Empty: for every company.")
    term_months = fields.Integer(
        string="Term (Months)", help="New contracts end after so many months. 0: until further notice.", aggregator=None
    )
    renewal = fields.Selection(RENEWALS, string="At the End", required=True, default="none")
    renewal_months = fields.Integer(
        string="Renewed by (Months)", help="0: by as many months as the term had.", aggregator=None
    )
    notice_days = fields.Integer(string="Notice Period (Days)", aggregator=None)
    expiring_days = fields.Integer(
        string="Expiring (Days)",
        default=90,
        aggregator=None,
        help="A contract is shown as expiring so many days before its end, or at the beginning of its notice period "
        "where that comes first.",
    )
    tolerance = fields.Float(
        string="Tolerance of Commitments (%)", aggregator=None, help="A commitment is missed below 100 % less this."
    )
    template_id = fields.Many2one(
        "channel.contract.template",
        string="Contract Template",
        index="btree_not_null",
        ondelete="set null",
        help="New contracts of the type start with its clauses.",
    )
    signature_required = fields.Boolean(
        string="Signatures Required", help="Contracts of this type are in force only once everybody named has signed."
    )
    quality_required = fields.Boolean(
        string="Quality Responsibility Required", help="A version that does not settle it cannot be approved."
    )
    approval_hint = fields.Text(
        string="About the Approval", translate=True, help="Shown to who drafts a contract of this type."
    )

    _code_uniq = models.UniqueIndex("(code)", "There is already a contract type with this code.")
    _terms_positive = models.Constraint(
        "CHECK (term_months >= 0 AND renewal_months >= 0 AND notice_days >= 0 AND expiring_days >= 0)",
        "Terms, notice periods and days cannot be negative.",
    )
    _tolerance_percent = models.Constraint(
        "CHECK (tolerance >= 0 AND tolerance < 100)", "A tolerance is between 0 and 100 %."
    )

    # === CRUD METHODS ===#

    @api.model_create_multi
    def create(self, vals_list):
        self.env.registry.clear_cache()
        return super().create(vals_list)

    def write(self, vals):
        self.env.registry.clear_cache()
        return super().write(vals)

    def unlink(self):
        self.env.registry.clear_cache()
        return super().unlink()

    # === BUSINESS METHODS ===#

    @api.model
    @ormcache("self.env.lang")
    def _selection_codes(self):
        """:return: ``[(code, name)]`` of the types, for fields that name a type by its code"""
        # sudo: names of types are no secret
        return [(kind.code, kind.name) for kind in self.sudo().with_context(active_test=False).search([])]
