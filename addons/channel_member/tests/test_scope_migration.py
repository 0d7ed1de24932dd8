from datetime import date
from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import tagged

from .common import ChannelMemberCommon

SCRIPT = Path(__file__).parent.parent / "migrations" / "19.0.1.1.0" / "post-scope-and-registration.py"


@tagged("post_install", "-at_install")
class TestScopeMigration(ChannelMemberCommon):
    """From scopes as tags and numbers as text to scope lines and certificates."""

    def setUp(self):
        super().setUp()
        # What 19.0.1.0.0 had, and the update has not dropped yet when the script runs.
        self.env.cr.execute("""
            CREATE TABLE IF NOT EXISTS channel_qualification_device_category_rel (
                qualification_id integer, category_id integer
            );
            ALTER TABLE channel_qualification ADD COLUMN IF NOT EXISTS scope_excludes_ivd boolean;
            ALTER TABLE product_template ADD COLUMN IF NOT EXISTS channel_registration_number varchar;
        """)

    def _migrate(self):
        self.env.flush_all()
        load_script(str(SCRIPT), "post_scope_and_registration").migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def _old(self, qualification, *categories, without_ivd=False):
        for category in categories:
            self.env.cr.execute(
                "INSERT INTO channel_qualification_device_category_rel VALUES (%s, %s)", (qualification.id, category.id)
            )
        self.env.cr.execute(
            "UPDATE channel_qualification SET scope_excludes_ivd = %s WHERE id = %s", (without_ivd, qualification.id)
        )

    def test_scopes(self):
        two = self._channel_qualification(self.dealer, number="TWO")
        reagents = self._channel_qualification(self.dealer, number="REAGENTS")
        nothing = self._channel_qualification(self.dealer, number="NOTHING")
        self.env.flush_all()
        self._old(two, self.other_device_category, self.device_category, without_ivd=True)
        self._old(reagents, without_ivd=True)
        self._old(nothing)
        self._migrate()
        self.assertRecordValues(two.scope_ids, [
            {"category_id": self.device_category.id, "scheme": "test", "ivd": "without", "sequence": 10},
            {"category_id": self.other_device_category.id, "scheme": "test", "ivd": "without", "sequence": 20},
        ])
        self.assertRecordValues(reagents.scope_ids, [{"category_id": False, "ivd": "without"}])
        self.assertFalse(nothing.scope_ids)
        self._migrate()
        self.assertEqual(len(two.scope_ids), 2, "safe to run twice")

    def test_the_same_products_pass_as_before(self):
        day = date(2026, 1, 1)
        self._old(self.licence, self.other_device_category)
        self._migrate()
        self.assertEqual(self._channel_codes(customer=self.hospital, day=day), ["member_scope"])
        self.device.product_tmpl_id.channel_category_ids = self.other_device_category
        self.assertEqual(self._channel_codes(customer=self.hospital, day=day), [])

    def test_numbers(self):
        first, second, third, typed_twice = self.env["product.template"].create([
            {"name": "First", "channel_device_class": "III"},
            {"name": "Second", "channel_device_class": "III", "channel_is_ivd": True},
            {"name": "Third", "channel_device_class": "II"},
            {"name": "No device"},
        ])
        self.env.flush_all()
        for template, number in ((first, "R-1"), (second, " R-1 "), (third, "R-2"), (typed_twice, "R-3")):
            self.env.cr.execute(
                "UPDATE product_template SET channel_registration_number = %s WHERE id = %s", (number, template.id)
            )
        self._migrate()
        made = self.env["channel.registration"].search([("number", "in", ("R-1", "R-2", "R-3"))], order="number")
        self.assertRecordValues(made, [
            {"number": "R-1", "device_class": "III", "is_ivd": True, "state": "draft", "valid_from": False},
            {"number": "R-2", "device_class": "II", "is_ivd": False, "state": "draft", "valid_from": False},
        ])
        self.assertEqual(made[0].product_tmpl_ids, first | second)
        self.assertEqual(first.channel_registration_number, "R-1")
        severity = self.env["channel.gate.severity"].search([
            ("check_id.code", "=", "product_registration"), ("company_id", "=", self.company.id)
        ])
        self.assertEqual(severity.severity, "warn", "nobody is stopped by the update itself")
        self._migrate()
        self.assertEqual(self.env["channel.registration"].search_count([("number", "=", "R-1")]), 1)
