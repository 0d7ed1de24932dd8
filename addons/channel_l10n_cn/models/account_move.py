from odoo import api, fields, models
from odoo.exceptions import ValidationError

FAPIAO_LENGTHS = (8, 20)


class AccountMove(models.Model):
    _inherit = "account.move"

    # A paper fapiao has 8 digits. A fully digital one (数电发票) has 20: two of the year, two of the
    # place, one of the channel it was drawn by, fifteen of the serial number.
    fapiao = fields.Char(size=max(FAPIAO_LENGTHS))

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
