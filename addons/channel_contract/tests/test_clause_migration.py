from pathlib import Path

from odoo.fields import Command
from odoo.modules.migration import load_script
from odoo.tests import tagged

from .common import ChannelContractCommon

SCRIPT = Path(__file__).parent.parent / "migrations" / "19.0.1.2.0" / "post-clauses.py"


@tagged("post_install", "-at_install")
class TestClauseMigration(ChannelContractCommon):
    """From one translated text on the clause to versions with a text for each language."""

    def setUp(self):
        super().setUp()
        # What 19.0.1.1.0 had, and the update has not dropped yet when the script runs.
        self.env.cr.execute("""
            ALTER TABLE channel_clause ADD COLUMN IF NOT EXISTS body jsonb;
            ALTER TABLE channel_clause ADD COLUMN IF NOT EXISTS contract_type varchar;
        """)
        self.env["res.lang"]._activate_lang("zh_CN")
        self.clause = self.env["channel.clause"].create({"name": "Quality", "mandatory": True})
        self.clause.with_context(lang="zh_CN").name = "质量"
        self.env.flush_all()
        self.env.cr.execute(
            """
            UPDATE channel_clause SET contract_type = 'agency', body = jsonb_build_object(
                'en_US', '<p>Keep records.</p>', 'zh_CN', '<p>保存记录。</p>', 'fr_FR', '<p>Pas installé</p>')
             WHERE id = %s
            """,
            [self.clause.id],
        )

    def _migrate(self):
        self.env.flush_all()
        load_script(str(SCRIPT), "post_clauses").migrate(self.env.cr, "19.0.1.1.0")
        self.env.invalidate_all()

    def test_text_and_type_of_a_clause(self):
        self._migrate()
        version = self.clause.current_version_id
        self.assertEqual((version.number, version.state), (1, "approved"))
        self.assertRecordValues(
            version.text_ids.sorted("lang"),
            [
                {"lang": "en_US", "rank": 0, "title": "Quality", "body": "<p>Keep records.</p>"},
                {"lang": "zh_CN", "rank": 0, "title": "质量", "body": "<p>保存记录。</p>"},
            ],
        )
        self.assertEqual(self.clause.type_ids, self.env.ref("channel_contract.contract_type_agency"))
        self._migrate()
        self.assertEqual(len(self.clause.version_ids), 1, "safe to run twice")

    def test_lines_know_where_they_came_from(self):
        contract = self._channel_contract(
            self.dealer,
            approve=False,
            lang="en_US",
            clause_ids=[
                Command.create({"clause_id": self.clause.id, "title": "Quality", "body": "<div>Keep records.</div>"}),
                Command.create({"title": "Own", "body": "<p>Own</p>"}),
                Command.create({"title": "Own", "body": "<p>Own too</p>"}),
            ],
        )
        contract.version_ids.with_user(self.user_manager).action_approve()
        second = self.env["channel.contract.version"].browse(contract.action_new_version()["res_id"])
        second.clause_ids[0].body = "<p>Keep nothing.</p>"
        lines = contract.version_ids.clause_ids
        self.env.flush_all()
        # as before the database guarded approved versions
        self.env.cr.execute("SELECT set_config('channel.version_door', txid_current()::text, true)")
        self.env.cr.execute(
            "UPDATE channel_contract_clause_line SET key = 'same', frozen_body = NULL, deviation = NULL, "
            "deviation_level = NULL, mandatory = NULL WHERE id = ANY(%s)",
            [lines.ids],
        )
        self.env.cr.execute("SELECT set_config('channel.version_door', '', true)")
        self._migrate()
        first = contract.version_ids - second
        self.assertEqual(first.clause_ids.mapped("key"), second.clause_ids.mapped("key"))
        self.assertEqual(len(set(first.clause_ids.mapped("key"))), 3)
        self.assertEqual(first.clause_ids[0].text, "<div>Keep records.</div>")
        self.assertFalse(second.clause_ids[0].frozen_body)
        self.assertEqual(first.clause_ids.mapped("deviation"), ["none", "added", "added"])
        self.assertEqual(second.clause_ids[0].deviation_level, 3)
        self.assertEqual((first.deviation_level, second.deviation_level), (2, 3))

    def test_portal_rules_that_were_not_changed_by_hand(self):
        rule = self.env.ref("channel_contract.channel_contract_version_rule_portal")
        own = self.env.ref("channel_contract.channel_contract_rule_portal")
        rule.domain_force = "[('member_id', '=', 1), ('state', 'in', ('approved', 'superseded'))]"
        own.domain_force = "[('member_id', '=', 1)]"
        script = SCRIPT.with_name("post-portal-rules.py")
        load_script(str(script), "post_portal_rules").migrate(self.env.cr, "19.0.1.1.0")
        self.assertEqual(rule.domain_force, "[('member_id', '=', 1), ('on_portal', '=', True)]")
        self.assertEqual(own.domain_force, "[('member_id', '=', 1)]")
