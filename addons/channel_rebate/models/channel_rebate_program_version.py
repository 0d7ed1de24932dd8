from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from odoo.addons.channel_base.models.channel_version_mixin import channel_version_overlap


class ChannelRebateProgramVersion(models.Model):
    """The terms of a rebate programme over a period of time.

    A line is calculated under the version in force on its day. When the version changes inside a window, the window
    goes on: its total decides the tier, each version pays on its own lines.
    """

    _name = "channel.rebate.program.version"
    _description = "Rebate Programme Version"
    _inherit = ["channel.version.mixin", "channel.scope.mixin"]
    _check_company_auto = True
    _version_identity = "program_id"
    _version_line_fields = ("tier_ids",)

    program_id = fields.Many2one(
        "channel.rebate.program", string="Programme", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="program_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="program_id.currency_id")
    # Declared again, so that its table of pairs is this add-on's and goes away with it.
    segment_ids = fields.Many2many()
    # A version's scope lasts as long as the version.
    date_from = fields.Date(related="valid_from", store=True, string="Scope From")
    date_to = fields.Date(related="valid_to", store=True, string="Scope To")

    contract_version_id = fields.Many2one(
        "channel.contract.version",
        string="Agreed in",
        check_company=True,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('state', 'in', ('draft', 'approved')), ('company_id', '=', company_id)]",
        help="The contract version that promises this programme. Set, it is for the member of that contract only.",
    )
    basis = fields.Selection(
        selection="_selection_basis", required=True, default="invoiced", help="What counts, and on which day."
    )
    kind = fields.Selection(selection="_selection_kind", required=True, default="retroactive")
    window_type = fields.Selection(
        [
            ("month", "Calendar month"),
            ("quarter", "Calendar quarter"),
            ("half", "Calendar half-year"),
            ("year", "Calendar year"),
            ("contract", "Contract period"),
        ],
        string="Window",
        required=True,
        default="quarter",
        help="The time over which amounts add up to reach a tier; the count begins again in the next window.",
    )
    period_from = fields.Date(
        string="Contract Period From", compute="_compute_period", store=True, readonly=False, precompute=True
    )
    period_to = fields.Date(
        string="Contract Period To", compute="_compute_period", store=True, readonly=False, precompute=True
    )
    boundary = fields.Selection(
        [
            ("lower", "The higher tier: a tier begins at its bound"),
            ("upper", "The lower tier: the bound must be exceeded"),
        ],
        string="Exactly on a Bound",
        required=True,
        default="lower",
        help="Which tier an amount belongs to that is exactly a bound.",
    )
    negative_policy = fields.Selection(
        [
            ("charge", "Charge back at the first tier"),
            ("zero", "Pay and charge nothing"),
        ],
        string="Returns Exceed Sales",
        required=True,
        default="charge",
        help="When a window's total is negative: the rate of the tier that begins at zero is charged on it "
        "(nothing if no tier begins at zero), or nothing.",
    )
    tier_ids = fields.One2many("channel.rebate.tier", "version_id", string="Tiers", copy=True)
    terms_text = fields.Text(string="Terms in Words", compute="_compute_terms_text")

    _version_overlap = channel_version_overlap("program_id")
    _contract_period = models.Constraint(
        "CHECK (window_type <> 'contract' OR (period_from IS NOT NULL AND period_to IS NOT NULL"
        " AND period_from <= period_to))",
        "A window over the contract period needs its first and its last day, in this order.",
    )

    @api.model
    def _selection_basis(self):
        return self.env["channel.rebate.engine"]._selection_basis()

    @api.model
    def _selection_kind(self):
        return self.env["channel.rebate.engine"]._selection_kind()

    # === COMPUTE METHODS === #

    @api.depends("window_type", "contract_version_id")
    def _compute_period(self):
        """Proposes the term of the contract version; a later amendment of the contract leaves the period as agreed."""
        for version in self:
            if version.window_type != "contract":
                version.period_from = version.period_to = False
            elif version.contract_version_id:
                version.period_from = version.contract_version_id.valid_from
                version.period_to = version.contract_version_id.valid_to

    @api.depends("kind", "window_type", "boundary", "tier_ids.lower_bound", "tier_ids.rate", "currency_id")
    @api.depends_context("lang")
    def _compute_terms_text(self):
        for version in self:
            version.terms_text = "\n".join(version._terms_words())

    def _terms_words(self):
        """The tiers as sentences, in the reader's language."""
        self.ensure_one()
        tiers = self.tier_ids.sorted("lower_bound")
        words = []
        for tier, following in zip(tiers, [*tiers[1:], tiers.browse()], strict=True):
            lower = tier.currency_id.format(tier.lower_bound) if tier.currency_id else tier.lower_bound
            values = {
                "lower": lower,
                "upper": tier.currency_id.format(following.lower_bound) if following and tier.currency_id else "",
                "rate": f"{tier.rate:g}",
            }
            if following and self.kind == "marginal":
                words.append(self.env._("%(rate)s %% on the part from %(lower)s to %(upper)s", **values))
            elif following:
                words.append(
                    self.env._("%(rate)s %% on everything, when the total is from %(lower)s to %(upper)s", **values)
                )
            elif self.kind == "marginal":
                words.append(self.env._("%(rate)s %% on the part above %(lower)s", **values))
            else:
                words.append(self.env._("%(rate)s %% on everything, when the total is %(lower)s or more", **values))
        return words

    # === CONSTRAINT METHODS === #

    @api.constrains("window_type", "period_from", "valid_from")
    def _check_contract_period(self):
        for version in self:
            if version.window_type == "contract" and version.valid_from < version.period_from:
                raise ValidationError(
                    self.env._(
                        "%(version)s is valid from %(valid)s, before its contract period begins on %(period)s: "
                        "lines before that day would belong to no window.",
                        version=version.display_name,
                        valid=version.valid_from,
                        period=version.period_from,
                    )
                )

    def _approval_before(self):
        result = super()._approval_before()
        for version in self:
            contract = version.contract_version_id
            if contract and contract.state != "approved":
                raise UserError(
                    self.env._(
                        "%(version)s is agreed in %(contract)s, which is not approved: approve the contract first.",
                        version=version.display_name,
                        contract=contract.display_name,
                    )
                )
            if not version.tier_ids:
                raise UserError(
                    self.env._("%s has no tier: add at least one before it is approved.", version.display_name)
                )
        return result

    # === BUSINESS METHODS === #

    def _is_in_force(self):
        """:return: whether lines are calculated under this version: approved, also when its time is over"""
        self.ensure_one()
        return self.state == "approved"
