from odoo.fields import Command

from odoo.addons.channel_contract.tests.common import ChannelContractCommon


class ChannelRebateCommon(ChannelContractCommon):
    """Accounts and a product for rebates, and helpers to make programmes and post invoices of plain amounts."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What the gate asks about a sale is tested where its checks live; here only posted amounts matter.
        for check in cls.env["channel.gate.check"].search([]):
            cls._channel_severity(check.code, "off")
        Account = cls.env["account.account"]
        cls.rebate_account = Account.create({"name": "Sales rebates", "code": "409900", "account_type": "income"})
        cls.accrued_account = Account.create(
            {"name": "Accrued rebates", "code": "229900", "account_type": "liability_current", "reconcile": True}
        )
        cls.rebate_product = cls.env["product.product"].create(
            {
                "name": "Rebate", "type": "service", "taxes_id": [Command.clear()],
                "supplier_taxes_id": [Command.clear()],
            }
        )

    @classmethod
    def _program(cls, code, tiers, approve=True, **values):
        """A programme with one version from 2025-01-01. `tiers`: pairs (lower bound, rate)."""
        program_values = {
            name: values.pop(name)
            for name in (
                "company_id", "currency_id", "name", "journal_id", "settlement_journal_id", "settlement_form",
                "bill_journal_id", "payment_journal_id", "purpose",
            )
            if name in values
        }
        program = cls.env["channel.rebate.program"].create(
            {
                "name": f"Programme {code}",
                "code": code,
                "expense_account_id": values.pop("expense_account_id", cls.rebate_account.id),
                "liability_account_id": values.pop("liability_account_id", cls.accrued_account.id),
                "product_id": cls.rebate_product.id,
                **program_values,
            }
        )
        version = cls._version(program, tiers, **values)
        if approve:
            version.with_user(cls.user_manager).with_company(program.company_id).action_approve()
        return program

    @classmethod
    def _version(cls, program, tiers, **values):
        return cls.env["channel.rebate.program.version"].create(
            {
                "program_id": program.id,
                "valid_from": "2025-01-01",
                "tier_ids": [Command.create({"lower_bound": lower, "rate": rate}) for lower, rate in tiers],
                **values,
            }
        )

    @classmethod
    def _invoice(cls, amounts, date, member=None, product=None, refund=False, post=True, **values):
        """A posted customer invoice (or credit note) with one line for each amount, net of tax."""
        amounts = amounts if isinstance(amounts, list) else [amounts]
        move = cls.env["account.move"].create(
            {
                "move_type": "out_refund" if refund else "out_invoice",
                "partner_id": (member or cls.dealer).id,
                "invoice_date": date,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "product_id": (product or cls.consumable).id,
                            "quantity": 1,
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                        }
                    )
                    for amount in amounts
                ],
                **values,
            }
        )
        if post:
            move.action_post()
        return move

    def _balance(self, program, member=None, start=None):
        domain = [("program_id", "=", program.id), ("member_id", "=", (member or self.dealer).id)]
        if start:
            domain.append(("window_start", "=", start))
        balance = self.env["channel.rebate.balance"].search(domain)
        self.assertEqual(len(balance), 1)
        return balance

    def _settle(self, program, date_to, interim=False):
        """Draft as the author, approve as the manager, and return the approved settlements."""
        settlements = self.env["channel.settlement"].browse(program.propose_settlements(date_to, interim=interim))
        settlements.with_user(self.user_manager).action_approve()
        return settlements

    def assertBooked(self, program, expected):
        """The accrued rebate account owes exactly `expected` for the programme, read from posted journal items."""
        lines = self.env["account.move.line"].search(
            [
                ("account_id", "=", program.liability_account_id.id),
                ("channel_rebate_balance_id.program_id", "=", program.id),
                ("parent_state", "=", "posted"),
            ]
        )
        self.assertAlmostEqual(-sum(lines.mapped("amount_currency")), expected, 2)
