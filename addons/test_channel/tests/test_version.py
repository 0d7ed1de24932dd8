from psycopg2.errors import CheckViolation, ExclusionViolation

from odoo.exceptions import UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.channel_base.tests.common import ChannelCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-06-15")
class TestVersion(ChannelCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.Document = cls.env["test.channel.document"]
        cls.Version = cls.env["test.channel.document.version"].with_user(cls.user_contract)
        cls.document = cls.Document.with_user(cls.user_contract).create({"name": "Agreement"})

    def _version(self, valid_from, valid_to=False, document=None, **values):
        return self.Version.create(
            {
                "document_id": (document or self.document).id,
                "valid_from": valid_from,
                "valid_to": valid_to,
                "line_ids": [(0, 0, {"product_id": self.device.id, "price": 10})],
                **values,
            }
        )

    def _approved(self, *args, **values):
        version = self._version(*args, **values)
        version.with_user(self.user_manager).action_approve()
        self.assertEqual(version.state, "approved")
        return version

    def _period(self, version):
        return (
            version.state,
            str(version.valid_from),
            version.valid_to and str(version.valid_to),
        )

    # === ONE TERM AT A TIME === #

    def test_numbers(self):
        first = self._version("2026-01-01")
        other = self.Document.create({"name": "Other"})
        versions = self.Version.create(
            [
                {"document_id": self.document.id, "valid_from": "2026-02-01"},
                {"document_id": other.id, "valid_from": "2026-02-01"},
                {"document_id": self.document.id, "valid_from": "2026-03-01"},
            ]
        )
        self.assertEqual(first.number, 1)
        self.assertEqual(versions.mapped("number"), [2, 1, 3])
        with self.assertRaises(UserError):
            self._version("2026-04-01", number=9)

    def test_approving_ends_the_one_before(self):
        first = self._approved("2026-01-01")
        second = self._approved("2026-07-01")
        self.assertEqual(self._period(first), ("approved", "2026-01-01", "2026-06-30"))
        self.assertEqual(self._period(second), ("approved", "2026-07-01", False))
        self.assertEqual(second.previous_number, 1)
        self.assertEqual(second.approved_by_id, self.user_manager)
        self.assertTrue(second.approved_at)

    def test_same_start_replaces(self):
        first = self._approved("2026-01-01")
        second = self._approved("2026-01-01")
        self.assertEqual(first.state, "superseded")
        self.assertEqual(self.document._version_at("2026-03-01"), second)

    def test_earlier_start_replaces_what_it_was_made_from(self):
        first = self._approved("2026-01-01")
        second = self._approved("2025-06-01")
        self.assertEqual(first.state, "superseded")
        self.assertEqual(self._period(second), ("approved", "2025-06-01", False))

    def test_planned_version_stays(self):
        first = self._approved("2026-01-01")
        planned = self._approved("2027-01-01")
        between = self._approved("2026-08-01")
        self.assertEqual(self._period(first), ("approved", "2026-01-01", "2026-07-31"))
        self.assertEqual(self._period(between), ("approved", "2026-08-01", "2026-12-31"))
        self.assertEqual(self._period(planned), ("approved", "2027-01-01", False))
        overlapping = self._version("2026-10-01", "2027-02-01")
        with self.assertRaisesRegex(UserError, "2027-01-01"):
            overlapping.with_user(self.user_manager).action_approve()

    @mute_logger("odoo.sql_db")
    def test_database_refuses_overlap(self):
        first = self._approved("2026-01-01")
        second = self._approved("2026-07-01")
        with mute_logger("odoo.sql_db"), self.assertRaises(ExclusionViolation), self.env.cr.savepoint():
            self.env.cr.execute(
                f"UPDATE {first._table} SET valid_to = '2026-07-01' WHERE id = %s",
                [first.id],
            )
        with mute_logger("odoo.sql_db"), self.assertRaises(ExclusionViolation), self.env.cr.savepoint():
            self.env.cr.execute(
                f"UPDATE {second._table} SET valid_from = '2026-01-15' WHERE id = %s",
                [second.id],
            )
        # the same period of another document is no overlap
        other = self.Document.create({"name": "Other"})
        self._approved("2026-01-01", document=other)
        with mute_logger("odoo.sql_db"), self.assertRaises(CheckViolation), self.env.cr.savepoint():
            self._version("2026-02-01", "2026-01-01")

    # === IMMUTABLE === #

    def _doors(self, own, line_of, draft_of):
        """Return every way the ORM offers to change an approved version, its line, or to move a line to it."""
        return {
            "write": lambda: own.write({"rate": 3}),
            "dates": lambda: own.write({"valid_to": "2026-03-01"}),
            "identity": lambda: own.write({"document_id": self.document.copy().id}),
            "number": lambda: own.write({"number": 7}),
            "state": lambda: own.write({"state": "draft"}),
            "cancel": lambda: own.action_cancel(),
            "approver": lambda: own.write({"approved_by_id": own.env.uid}),
            "unlink": lambda: own.unlink(),
            "unlink document": lambda: own.document_id.unlink(),
            "line create": lambda: line_of.create({"version_id": own.id, "price": 1}),
            "line write": lambda: line_of.write({"price": 1}),
            "line unlink": lambda: line_of.unlink(),
            "line moved here": lambda: draft_of.line_ids.write({"version_id": own.id}),
            "line moved away": lambda: line_of.write({"version_id": draft_of.id}),
            "commands": lambda: own.write({"line_ids": [(1, line_of.id, {"price": 1})]}),
            "command clear": lambda: own.write({"line_ids": [(5, 0, 0)]}),
            "many2many": lambda: own.write({"partner_ids": [(4, self.dealer.id)]}),
            "from document": lambda: own.document_id.write({"version_ids": [(1, own.id, {"rate": 4})]}),
            "web_save": lambda: own.web_save({"rate": 4}, {"rate": {}}),
        }

    def test_every_door_is_closed(self):
        version = self._approved("2026-01-01")
        line = version.line_ids
        draft = self._version("2026-07-01")
        for context in (
            {},
            {"skip_validation_check": True, "skip_check_state_condition": True},
            {"channel_approver": True, "tier_validation_defer_compute_can_review": True},
        ):
            for user in (self.user_contract, self.user_admin):
                own = version.with_user(user).with_context(**context)
                line_of = line.with_user(user).with_context(**context)
                draft_of = draft.with_user(user).with_context(**context)
                for name, door in self._doors(own, line_of, draft_of).items():
                    with (
                        self.subTest(door=name, user=user.login, context=context),
                        self.assertRaises(UserError),
                        self.env.cr.savepoint(),
                    ):
                        door()
        self.assertEqual(version.rate, 0)
        self.assertEqual(version.line_ids.mapped("price"), [10])

    @mute_logger("odoo.sql_db")  # the import tries row by row what was refused as a whole
    def test_import_is_refused(self):
        version = self._approved("2026-01-01")
        result = version.load([".id", "rate"], [[str(version.id), "5"]])
        self.assertFalse(result["ids"])
        self.assertIn("not a draft", result["messages"][0]["message"])
        result = self.Version.load(
            ["document_id/.id", "valid_from", "state"],
            [[str(self.document.id), "2030-01-01", "approved"]],
        )
        self.assertFalse(result["ids"])

    def test_born_approved_is_refused(self):
        for model in (self.Version, self.Version.with_context(default_state="approved")):
            with self.assertRaises(UserError):
                model.create(
                    {
                        "document_id": self.document.id,
                        "valid_from": "2026-01-01",
                        **({} if model.env.context.get("default_state") else {"state": "approved"}),
                    }
                )

    def test_what_is_no_term_can_change(self):
        version = self._approved("2026-01-01")
        version.remark = "Signed copy received"
        self.assertEqual(version.remark, "Signed copy received")

    def test_draft_can_go(self):
        draft = self._version("2026-01-01")
        draft.action_cancel()
        self.assertEqual(draft.state, "cancelled")
        with self.assertRaises(UserError):
            draft.write({"rate": 1})
        self._version("2026-01-01").unlink()

    def test_line_makes_its_editor_an_author(self):
        version = self._version("2026-01-01")
        version.line_ids.with_user(self.user_manager).write({"price": 11})
        self.assertEqual(version.terms_editor_id, self.user_manager)
        with self.assertRaisesRegex(UserError, "author"):
            version.with_user(self.user_manager).action_approve()
        version.with_user(self.user_admin).action_approve()
        self.assertEqual(version.state, "approved")

    # === THE PAST, AND THE NEXT ONE === #

    def test_versions_at(self):
        first = self._approved("2026-01-01")
        second = self._approved("2026-07-01")
        documents = self.document
        for number in range(20):
            document = self.Document.create({"name": str(number)})
            self._approved("2026-03-01", document=document)
            documents |= document
        at = documents._versions_at("2026-02-01")
        self.assertEqual(at.pop(self.document.id), first)
        self.assertFalse(any(at.values()))
        self.assertEqual(len(documents._versions_at("2026-06-30")), 21)
        self.assertEqual(self.document._version_at("2026-06-30"), first)
        self.assertEqual(self.document._version_at("2026-07-01"), second)
        self.assertFalse(self.document._version_at("2025-12-31"))
        self.env.flush_all()
        with self.assertQueryCount(1):
            documents.sudo()._versions_at("2026-06-30")
        self.assertEqual(self.document.version_count, 2)

    def test_new_version_is_a_draft_copy(self):
        first = self._approved("2026-01-01", rate=5, partner_ids=[(6, 0, self.dealer.ids)])
        action = self.document.action_new_version()
        draft = self.Version.browse(action["res_id"])
        self.assertRecordValues(
            draft,
            [
                {
                    "state": "draft",
                    "number": 2,
                    "previous_number": 1,
                    "rate": 5,
                    "partner_ids": self.dealer.ids,
                    "approved_by_id": False,
                    "approved_at": False,
                }
            ],
        )
        self.assertEqual(str(draft.valid_from), "2026-06-15")
        self.assertEqual(draft.line_ids.mapped("price"), [10])
        self.assertNotEqual(draft.line_ids, first.line_ids)
        # A second press opens the same draft.
        self.assertEqual(self.document.action_new_version()["res_id"], draft.id)

    def test_new_version_of_a_new_document(self):
        action = self.document.action_new_version()
        self.assertNotIn("res_id", action)
        self.assertEqual(action["context"]["default_document_id"], self.document.id)

    def test_copy_of_a_document_is_not_approved(self):
        version = self._approved("2026-01-01")
        self.assertFalse(self.document.copy().version_ids)
        copy = version.copy()
        self.assertEqual(copy.state, "draft")
        self.assertFalse(copy.approved_by_id)

    def test_end_early(self):
        version = self._approved("2026-01-01")
        version.sudo()._version_end(version.valid_from.replace(month=8), "Terminated")
        self.assertEqual(str(version.valid_to), "2026-08-01")
        with self.assertRaises(UserError):
            version.sudo()._version_end(version.valid_from.replace(month=9))
        entry = (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", version._name), ("res_id", "=", version.id)], limit=1)
        )
        self.assertEqual((entry.action, entry.reason), ("version.ended", "Terminated"))

    # === DIFFERENCE === #

    def test_difference(self):
        first = self._approved(
            "2026-01-01",
            rate=5,
            partner_ids=[(6, 0, self.dealer.ids)],
            line_ids=[
                (0, 0, {"product_id": self.device.id, "price": 10}),
                (0, 0, {"product_id": self.consumable.id, "price": 2}),
            ],
        )
        self.assertEqual(first.difference(), [])
        second = self.Version.browse(self.document.action_new_version()["res_id"])
        service = self.env["product.product"].create({"name": "Training"})
        second.write(
            {
                "valid_from": "2026-07-01",
                "rate": 6,
                "kind": "tiered",
                "partner_ids": [(6, 0, (self.dealer | self.hospital).ids)],
            }
        )
        by_product = {line.product_id: line for line in second.line_ids}
        by_product[self.device].price = 11
        by_product[self.consumable].unlink()
        second.write({"line_ids": [(0, 0, {"product_id": service.id, "price": 3})]})
        device, consumable = self.device.display_name, self.consumable.display_name
        names = sorted((self.dealer | self.hospital).mapped("display_name"))
        self.assertEqual(
            [tuple(change.values()) for change in second.difference()],
            [
                ("valid_from", "Valid From", "2026-01-01", "2026-07-01"),
                ("rate", "Rate", 5.0, 6.0),
                ("kind", "Kind", "Flat", "Tiered"),
                ("partner_ids", "Partners", [self.dealer.display_name], names),
                (
                    f"line_ids[{device}].price",
                    f"Lines: {device}: Price",
                    10.0,
                    11.0,
                ),
                (f"line_ids[{consumable}]", f"Lines: {consumable}", "Price: 2.0", None),
                ("line_ids[Training]", "Lines: Training", None, "Price: 3.0"),
            ],
        )
        html = second.difference_html
        self.assertIn("<td>6.0</td>", html)
        self.assertFalse(first.difference_html)
        # still readable when both are history
        second.with_user(self.user_manager).action_approve()
        self.assertEqual(len(second.difference()), 7)

    def test_difference_escapes(self):
        self._approved("2026-01-01", partner_ids=[(6, 0, self.dealer.ids)])
        second = self.Version.browse(self.document.action_new_version()["res_id"])
        partner = self.env["res.partner"].create({"name": "<script>alert(1)</script>"})
        second.partner_ids = partner
        self.assertNotIn("<script>", second.difference_html)
        self.assertIn("&lt;script&gt;", second.difference_html)

    def test_journal_keeps_the_terms(self):
        version = self._approved("2026-01-01", rate=5)
        entry = (
            self.env["channel.audit.entry"]
            .sudo()
            .search([("model", "=", version._name), ("res_id", "=", version.id)], limit=1)
        )
        self.assertEqual(entry.action, "approval.approved")
        self.assertEqual(entry.user_id, self.user_manager)
        self.assertIn('"rate":5.0', entry.after)
        self.assertIn('"price":10.0', entry.after)
