from datetime import date
from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import freeze_time, tagged

from .common import ChannelMemberCommon

FOLDER = Path(__file__).parent.parent / "migrations" / "19.0.1.1.0"


@tagged("post_install", "-at_install")
class TestQualificationMigration(ChannelMemberCommon):
    """From 19.0.1.0.0, where "To verify" was stored as draft and alerts were raised anew every night."""

    def _migrate(self, name):
        self.env.flush_all()
        load_script(str(FOLDER / f"{name}.py"), name.replace("-", "_")).migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_states(self):
        waiting = self._channel_qualification(self.hospital, verify=False)
        revoked = self._channel_qualification(self.hospital)
        revoked.with_user(self.user_compliance).action_revoke(reason="x")
        self._migrate("pre-qualification-states")
        self.assertEqual(waiting.state, "to_verify")
        self.assertEqual((self.licence.state, revoked.state), ("verified", "revoked"))
        waiting.with_user(self.user_compliance).action_verify()

    def test_evidence_and_authors(self):
        waiting = self._channel_qualification(self.hospital, verify=False)
        reset = self._channel_qualification(self.hospital)
        reset.with_user(self.user_compliance).action_draft(reason="x")
        self.env.flush_all()
        self.env.cr.execute("UPDATE channel_qualification SET is_evidence = NULL")
        self.env.cr.execute("DELETE FROM channel_qualification_author_rel")
        self._migrate("post-qualification-evidence")
        self.assertEqual(
            [document.is_evidence for document in (self.licence, reset, waiting)], [True, True, False]
        )
        self.assertEqual(waiting.author_ids, waiting.submitted_by_id)
        self._migrate("post-qualification-evidence")  # twice changes nothing
        self.assertEqual(len(waiting.author_ids), 1)
        self.assertFalse(self.env.ref("channel_member.qualification_type_gln").portal_upload)

    def test_alerts_are_not_announced_again(self):
        document = self._channel_qualification(
            self.hospital, issue_date=date(2021, 7, 1), expiry_date=date(2026, 6, 30)
        )
        Alert = self.env["channel.alert"].sudo()
        with freeze_time("2026-05-31 04:00:00"):
            Alert._raise_alerts("qualification", [
                {"key": f"{document.id}:30", "name": "old alert", "record": document, "company": self.company},
            ])
        self._migrate("post-qualification-evidence")
        with freeze_time("2026-06-01 04:00:00"):
            counts = self.env["channel.qualification.warning"]._run(self.company)
        self.assertEqual(counts["sent"], {})
        self.assertEqual(
            {(w.step, w.result) for w in self.env["channel.qualification.warning"].search([
                ("qualification_id", "=", document.id)
            ])},
            {("30", "sent"), ("180", "skipped"), ("90", "skipped"), ("60", "skipped")},
        )
