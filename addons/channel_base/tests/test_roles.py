from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.channel_base.tests.access_matrix import access_differences, parse_matrix
from odoo.addons.channel_base.tests.common import POSITIONS, ChannelCommon

# What core gives every employee (stock.move.line) is taken from those who only read by a record rule, tested below.
MATRIX = """
    model                      sales manager pricing contract finance compliance executive auditor admin internal portal
    channel.region             r     crud    r       r        r       r          r         r       crud  r        -
    channel.segment            r     crud    crud    r        r       r          r         r       crud  r        -
    channel.segment.membership r     r       r       r        r       r          r         r       r     r        -
    channel.gate.operation     r     r       r       r        r       r          r         r       crud  -        -
    channel.gate.check         r     r       r       r        r       cru        r         r       crud  -        -
    channel.gate.severity      r     r       r       r        r       crud       r         r       crud  -        -
    channel.gate.finding       r     r       r       r        r       r          r         r       r     -        -
    channel.gate.override      cru   cru     cru     cru      cru     cru        cru       cru     cru   -        -
    channel.audit.entry        -     -       -       -        -       r          -         r       r     -        -
    channel.audit.head         -     -       -       -        -       r          -         r       r     -        -
    channel.alert              ru    ru      ru      ru       ru      ru         r         r       ru    -        -
    channel.approval.deputy    crud  crud    crud    crud     crud    crud       r         r       crud  -        -
    channel.alert.escalation   r     r       r       r        r       r          r         r       crud  -        -
    sale.order                 cru   crud    r       r        ru      r          r         r       crud  cru      r
    sale.order.line            crud  crud    r       r        ru      r          r         r       crud  crud     r
    stock.picking              cru   crud    r       r        cru     r          r         r       crud  cru      r
    stock.move                 cru   crud    r       r        cru     r          r         r       crud  cru      -
    stock.move.line            crud  crud    crud    crud     crud    crud       crud      crud    crud  crud     -
    stock.lot                  -     -       r       r        r       r          r         r       crud  -        -
    stock.quant                r     r       r       r        r       r          r         r       cru   r        -
    account.move               r     r       r       r        crud    r          r         r       crud  r        r
    account.move.line          r     r       r       r        crud    r          r         r       crud  r        r
    product.product            r     r       r       r        r       r          r         r       r     r        -
"""


@tagged("post_install", "-at_install")
class TestRoles(ChannelCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {position: getattr(cls, f"user_{position}") for position in POSITIONS}
        cls.users.update(internal=cls.user_internal, portal=cls.user_portal)

    def test_matrix(self):
        differences = access_differences(self.env, self.users, MATRIX)
        self.assertFalse(differences, "\n".join(["", *differences]))

    def test_matrix_reader_refuses_nonsense(self):
        with self.assertRaisesRegex(ValueError, "2 cells needed, 1 found"):
            parse_matrix("model a b\nx r")
        with self.assertRaisesRegex(ValueError, "rx"):
            parse_matrix("model a\nx rx")
        with self.assertRaisesRegex(ValueError, "twice"):
            parse_matrix("model a\nx r\nx r")
        found = access_differences(self.env, self.users, "model auditor\nchannel.gate.check crud")
        self.assertEqual(found, ["channel.gate.check: auditor has r, the table says crud"])

    def test_auditor_and_executive_change_nothing(self):
        """Also in models that other add-ons bring: no position that only reads may write any stored channel model,
        nor the documents."""
        documents = {"sale.order", "sale.order.line", "stock.picking", "stock.move", "account.move", "stock.lot"}
        wrong = []
        for name, model in self.env.items():
            if model._abstract or model._transient or not (name.startswith("channel.") or name in documents):
                continue
            for position in ("auditor", "executive"):
                for operation in ("create", "write", "unlink"):
                    if model.with_user(self.users[position]).has_access(operation):
                        wrong.append(f"{position} may {operation} {name}")
        self.assertFalse(wrong, "\n".join(["", *wrong]))

    def test_auditor_reads_documents(self):
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital, confirm=True)
        quotation = self._channel_order([(self.consumable, 1)], customer=self.hospital)
        invoice = self._channel_invoice(order)
        entry = self.env["account.move"].create({"move_type": "entry", "journal_id": self._general_journal().id})
        for user in (self.user_auditor, self.user_executive):
            self.assertEqual(order.with_user(user).order_line.product_id.name, "Test Gauze")
            self.assertEqual(order.picking_ids.with_user(user).move_ids.product_id.name, "Test Gauze")
            self.assertEqual(invoice.with_user(user).invoice_line_ids.price_subtotal, 10.0)
            self.assertTrue(entry.with_user(user).has_access("read"))
            with self.assertRaises(AccessError):
                quotation.with_user(user).action_confirm()
            with self.assertRaises(AccessError):
                order.with_user(user).note = "x"
        # who only deals with the channel reads customers' documents and not the books
        for user in (self.user_compliance, self.user_pricing, self.user_contract):
            self.assertTrue(invoice.with_user(user).has_access("read"))
            self.assertFalse(entry.with_user(user).has_access("read"))

    def test_who_only_reads_moves_nothing(self):
        order = self._channel_order([(self.consumable, 1)], confirm=True)
        order.picking_ids.move_ids.quantity = 1
        line = order.picking_ids.move_line_ids
        for user in (self.user_auditor, self.user_executive):
            self.assertTrue(line.with_user(user).has_access("read"))
            for operation in ("write", "unlink"):
                self.assertFalse(line.with_user(user).has_access(operation))
            with self.assertRaises(AccessError):
                line.with_user(user).copy()
        self.assertTrue(line.with_user(self.user_sales).has_access("write"))
        self.assertTrue(line.with_user(self.user_admin).has_access("write"))

    def _general_journal(self):
        return self.company_data["default_journal_misc"]

    def test_form_opens_for_every_position(self):
        """What a form reads is readable: banner and findings come along with the document."""
        order = self._channel_order([(self.consumable, 1)], customer=self.hospital, confirm=True)
        invoice = self._channel_invoice(order)
        fields = ["channel_gate_banner", "channel_gate_overridable", "channel_finding_count", "channel_end_customer_id"]
        for position in POSITIONS:
            user = self.users[position]
            order.with_user(user).read(fields)
            order.picking_ids.with_user(user).read(fields)
            if position != "sales":  # core keeps a salesperson to the own invoices
                invoice.with_user(user).read(fields)
        order.with_user(self.user_internal).read(["channel_gate_banner", "channel_end_customer_id"])
        with self.assertRaises(AccessError):
            order.with_user(self.user_internal).read(["channel_finding_ids"])
        with self.assertRaises(AccessError):
            order.with_user(self.user_portal).read(["channel_gate_banner"])

    def test_regional_user_sees_findings_of_the_own_regions(self):
        Finding = self.env["channel.gate.finding"]
        check = self.env.ref("channel_base.gate_check_lot_expired")
        values = {
            "check_id": check.id,
            "operation_id": self.env.ref("channel_base.gate_operation_delivery").id,
            "severity": "block",
            "message": "x",
            "company_id": self.company.id,
        }
        east, west, own = Finding.sudo().create(
            [
                {**values, "fingerprint": "1", "member_id": self.dealer.id},
                {**values, "fingerprint": "2", "member_id": self.other_dealer.id},
                {**values, "fingerprint": "3", "member_id": self.other_dealer.id, "user_id": self.user_sales.id},
            ]
        )
        domain = [("id", "in", (east | west | own).ids)]
        self.assertTrue(self.user_sales.channel_is_regional)
        self.assertEqual(Finding.with_user(self.user_sales).search(domain, order="id"), east | own)
        self.assertEqual(Finding.with_user(self.user_manager).search_count(domain), 3)
        with self.assertRaises(AccessError):
            west.with_user(self.user_sales).read(["message"])
        other = self._create_company(name="Elsewhere")
        west.sudo().company_id = other
        self.assertEqual(Finding.with_user(self.user_manager).search_count(domain), 2)

    def test_positions_are_one_choice(self):
        privilege = self.env.ref("channel_base.res_groups_privilege_channel")
        self.assertEqual(len(privilege.group_ids), len(POSITIONS))
        auditor = self.env.ref("channel_base.group_channel_auditor")
        self.assertEqual(privilege.group_ids - self.user_admin.all_group_ids, auditor)

    def test_salesperson_sees_the_orders_of_colleagues(self):
        order = self._channel_order(user_id=self.user_manager.id)
        self.assertEqual(order.with_user(self.user_sales).partner_id, self.dealer)
        order.with_user(self.user_sales).order_line = [Command.create({"product_id": self.consumable.id})]
