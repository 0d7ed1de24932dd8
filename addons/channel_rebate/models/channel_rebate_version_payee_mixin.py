from odoo import api, fields, models
from odoo.exceptions import ValidationError

#: Who can earn what, by purpose of the programme.
PAYEES = {"rebate": ("member", "parent", "group"), "commission": ("salesperson", "agent", "team")}


class ChannelRebateVersionPayeeMixin(models.AbstractModel):
    """Who earns: whose lines add up to a tier, and to whom the rebate of each line belongs."""

    _name = "channel.rebate.version.payee.mixin"
    _description = "Rebate Terms: Who Earns"

    payee_kind = fields.Selection(
        [
            ("member", "The member that bought"),
            ("parent", "Its parent member"),
            ("group", "Its buying group"),
            ("salesperson", "The salesperson of the document"),
            ("agent", "The agent above the member"),
            ("team", "The people of the sales team, by share"),
        ],
        string="Earned by",
        required=True,
        default="member",
        help="Whose lines add up to a tier. Parent, buying group and agent are those of the line's day; a member "
        "without a parent stands for itself, one without buying group or agent earns nothing for anybody.",
    )
    distribution = fields.Selection(
        [
            ("holder", "Whole to whom it is earned by"),
            ("share", "Split by agreed shares"),
            ("contribution", "Split by contribution: to each member for its own lines"),
        ],
        required=True,
        default="holder",
        help="How what a parent or buying group earns together is paid out.",
    )
    share_ids = fields.One2many("channel.rebate.share", "version_id", string="Shares", copy=True)

    @api.constrains("payee_kind", "program_id")
    def _check_payee_kind(self):
        for version in self:
            purpose = version.program_id.purpose
            if version.payee_kind not in PAYEES[purpose]:
                field = version._fields["payee_kind"]
                raise ValidationError(
                    self.env._(
                        "%(version)s: “%(payee)s” cannot earn a %(purpose)s. A rebate belongs to members, a commission "
                        "to the people who sell.",
                        version=version.display_name,
                        payee=field.convert_to_export(version.payee_kind, version),
                        purpose=purpose,
                    )
                )

    def _payee_problems(self):
        """Yield a sentence for each reason for which these terms cannot say who earns what."""
        self.ensure_one()
        total = sum(self.share_ids.mapped("share"))
        needs_shares = self.payee_kind == "team" or self.distribution == "share"
        if needs_shares and not self.share_ids:
            yield self.env._("“Shares” is empty: say who gets which part.")
        elif self.distribution == "share" and round(total, 6) != 100:
            yield self.env._("“Shares” add up to %s %%: parts of what is earned together make 100 %%.", f"{total:g}")
