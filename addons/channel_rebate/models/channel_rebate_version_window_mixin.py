from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ChannelRebateVersionWindowMixin(models.AbstractModel):
    """Over which time lines add up to a tier."""

    _name = "channel.rebate.version.window.mixin"
    _description = "Rebate Terms: Windows"

    window_type = fields.Selection(
        [
            ("month", "Calendar month"),
            ("quarter", "Calendar quarter"),
            ("half", "Calendar half-year"),
            ("year", "Calendar year"),
            ("contract", "Contract period"),
            ("rolling", "Each month, by the months up to it"),
        ],
        string="Window",
        required=True,
        default="quarter",
        help="The time over which amounts add up to reach a tier, and for which a rebate is paid.",
    )
    rolling_months = fields.Integer(
        string="Months Looked Back on", default=12, help="The tier of a month is that of so many months up to its end."
    )
    accumulation = fields.Selection(
        [
            ("window", "Begin again in each window"),
            ("year", "Go on within the calendar year"),
            ("cumulative", "Go on from the first window to the last"),
            ("document", "Each document by itself"),
            ("line", "Each line by itself"),
        ],
        string="Tiers Count",
        required=True,
        default="window",
        help="Going on: what is earned to date, less what earlier windows earned, belongs to a window.",
    )
    first_window = fields.Selection(
        [
            ("whole", "Tiers as for a whole window"),
            ("prorated", "Tiers by the days that count"),
            ("prior", "Lines before the first day count towards the tier"),
        ],
        string="Partial Window",
        required=True,
        default="whole",
        help="When the terms begin or end inside a window.",
    )
    period_from = fields.Date(
        string="Contract Period From", compute="_compute_period", store=True, readonly=False, precompute=True
    )
    period_to = fields.Date(
        string="Contract Period To", compute="_compute_period", store=True, readonly=False, precompute=True
    )
    version_policy = fields.Selection(
        [
            ("as_of", "The version in force on the day of the line"),
            ("latest", "The latest version of the window, for all its lines"),
        ],
        string="Amended Terms",
        required=True,
        default="as_of",
        help="Which version a line falls under when the terms change inside a window. The latest version decides.",
    )

    @api.depends("window_type", "contract_version_id")
    def _compute_period(self):
        """Proposes the term of the contract version; a later amendment of the contract leaves the period as agreed."""
        for version in self:
            if version.window_type != "contract":
                version.period_from = version.period_to = False
            elif version.contract_version_id:
                version.period_from = version.contract_version_id.valid_from
                version.period_to = version.contract_version_id.valid_to

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

    @api.constrains("window_type", "rolling_months")
    def _check_rolling_months(self):
        for version in self:
            if version.window_type == "rolling" and not 1 <= version.rolling_months <= 120:
                raise ValidationError(
                    self.env._(
                        "%(version)s looks back on %(months)s months: choose 1 to 120.",
                        version=version.display_name,
                        months=version.rolling_months,
                    )
                )
