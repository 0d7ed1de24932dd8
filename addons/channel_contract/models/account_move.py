from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    channel_contract_version_id = fields.Many2one(
        "channel.contract.version",
        string="Contract Version",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="restrict",
        help="The version in force on the invoice's date, set when it is posted; of a credit note, the version of the "
        "invoice that it reverses.",
    )

    def write(self, vals):
        if vals.get("state") == "posted":
            self.filtered(lambda move: move.state != "posted")._channel_set_contract_version()
        return super().write(vals)

    def _channel_set_contract_version(self):
        """Name the version that governs customer invoices, on the day of each. Two queries for any number."""
        invoices = self.filtered(lambda move: move.is_sale_document(include_receipts=True))
        # sudo: accountants post invoices of members whose contracts they do not see; only the number is stored
        answers = (
            self.env["channel.contract"]
            .sudo()
            ._versions_in_force(
                [
                    (
                        move.commercial_partner_id.id,
                        move.company_id.id,
                        move.invoice_date or move.company_id._channel_today(),
                    )
                    for move in invoices
                ]
            )
        )
        for move, versions in zip(invoices, answers, strict=True):
            move.channel_contract_version_id = (
                # sudo: the version goes with the invoice that is taken back, whoever may read contracts
                move.reversed_entry_id.sudo().channel_contract_version_id.id or versions[:1].id
            )
