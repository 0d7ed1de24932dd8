from odoo import api, fields, models
from odoo.exceptions import ValidationError

FAPIAO_LENGTHS = (8, 20)


class AccountMove(models.Model):
    _inherit = "account.move"

    # A paper fapiao has 8 digits. A fully digital one (数电发票) has 20: two of the year, two of the
    # place, one of the channel it was drawn by, fifteen of the serial number.
    fapiao = fields.Char(size=max(FAPIAO_LENGTHS), index="btree_not_null")
    channel_fapiao_warning = fields.Char(
        compute="_compute_channel_fapiao_warning", help="Other documents that carry the same fapiao number."
    )

    @api.depends("fapiao", "move_type", "company_id")
    def _compute_channel_fapiao_warning(self):
        """A warning and no refusal: numbers of paper fapiao repeat under other fapiao codes."""
        self.channel_fapiao_warning = False
        issued = self.filtered(lambda move: move.fapiao and move.is_sale_document(include_receipts=True))
        others = self.search([
            ("fapiao", "in", issued.mapped("fapiao")), ("company_id", "in", issued.company_id.ids),
            ("move_type", "in", self.get_sale_types(include_receipts=True)), ("state", "!=", "cancel"),
        ]) if issued else self.browse()
        for move in issued:
            same = others.filtered(
                lambda other, move=move: other.fapiao == move.fapiao and other.company_id == move.company_id
            ) - move._origin - move
            if same:
                move.channel_fapiao_warning = self.env._(
                    "Fapiao %(number)s is also on %(documents)s. Check the number, or the fapiao code of a paper one.",
                    number=move.fapiao, documents=", ".join(same.mapped("display_name")),
                )

    @api.constrains("fapiao")
    def _check_fapiao(self):
        """Accept digital fapiao numbers besides the paper ones that ``l10n_cn`` knows.

        :raise ValidationError: neither 8 nor 20 digits
        """
        digital = self.filtered(lambda move: move.fapiao and len(move.fapiao) == 20 and move._is_fapiao(move.fapiao))
        for move in self - digital:
            if move.fapiao and not move._is_fapiao(move.fapiao):
                raise ValidationError(
                    self.env._(
                        "Fapiao Number: %s has neither the 8 digits of a paper fapiao nor the 20 digits of a digital "
                        "one. Copy the number without blanks and without the fapiao code.",
                        move.fapiao,
                    )
                )
        return super(AccountMove, self - digital)._check_fapiao()

    @api.model
    def _is_fapiao(self, number):
        return len(number) in FAPIAO_LENGTHS and number.isascii() and number.isdecimal()
