from datetime import date
from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import freeze_time, tagged

from .common import ChannelContractCommon

SCRIPTS = Path(__file__).parent.parent / "migrations" / "19.0.1.2.0"


@tagged("post_install", "-at_install")
class TestContractMigration(ChannelContractCommon):
    def _migrate(self, name):
        self.env.flush_all()
        load_script(str(SCRIPTS / name), name.removesuffix(".py").replace("-", "_")).migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()

    def test_types_become_records(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE channel_contract ALTER COLUMN type_id DROP NOT NULL")
        self.env.cr.execute(
            "UPDATE channel_contract SET type_id = NULL, contract_type = CASE id WHEN %s THEN 'agency' "
            "ELSE 'distribution' END",
            [self.contract.id],
        )
        self._migrate("pre-contract-type.py")
        self._migrate("pre-contract-type.py")
        self.assertEqual(self.contract.type_id, self.env.ref("channel_contract.contract_type_agency"))
        self.assertEqual(self.contract_west.type_id, self.env.ref("channel_contract.contract_type_distribution"))

    def test_approved_versions_get_the_code_of_their_text(self):
        version, draft = self.contract.version_ids, self._channel_contract(self.dealer, approve=False).version_ids
        code = version.text_code
        self.env.flush_all()
        self.env.cr.execute("UPDATE channel_contract_version SET text_sha256 = NULL WHERE id = %s", [version.id])
        self.env.invalidate_all()
        for _run in range(2):
            self._migrate("post-signature-text.py")
            self.assertEqual((version.text_code, version.signature_state), (code, "none"))
        self.assertFalse(draft.text_code)

    def test_contracts_get_their_stage_and_the_approvals_their_events(self):
        draft = self._channel_contract(self.dealer, approve=False)
        ended = self._channel_contract(self.dealer, valid_to=date(2020, 12, 31))
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM channel_contract_event")
        self.env.cr.execute("UPDATE channel_contract SET stage = 'draft', stage_since = NULL")
        self.env.invalidate_all()
        self._migrate("post-contract-stage.py")
        self._migrate("post-contract-stage.py")
        self.assertEqual((self.contract.stage, draft.stage, ended.stage), ("in_force", "draft", "expired"))
        self.assertEqual(ended.stage_since, date(2021, 1, 1))
        self.assertEqual(ended.event_ids.mapped("kind"), ["stage", "approved"])
        self.assertEqual(ended.event_ids[1].user_id, self.user_manager)
        self.assertFalse(draft.event_ids)

    def test_what_was_known_of_the_past_is_read_from_the_journal(self):
        with freeze_time("2026-01-01 12:00:00"):
            contract = self._channel_contract(self.dealer, valid_from=date(2026, 1, 1), valid_to=date(2026, 12, 31))
        with freeze_time("2026-07-10 12:00:00"):
            self._channel_version(contract, valid_from=date(2026, 3, 1))
        with freeze_time("2026-08-10 12:00:00"):
            self._channel_version(contract, valid_from=date(2026, 3, 1))
        first = contract.version_ids.filtered(lambda version: version.number == 1)
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM channel_contract_event")
        self.env.cr.execute("UPDATE channel_contract_version SET agreed_valid_to = NULL")
        self.env.invalidate_all()
        for _run in range(2):
            self._migrate("post-contract-stage.py")
        self.assertEqual((first.valid_to, first.agreed_valid_to), (date(2026, 2, 28), date(2026, 12, 31)))
        for known, version in (("2026-07-09", 1), ("2026-07-10", 2), ("2026-08-09", 2), ("2026-08-10", 3)):
            self.assertEqual(contract.terms_at("2026-04-01", known_on=known)["version"], version)
        self.assertEqual(
            contract.event_ids.sorted("moment").mapped("kind"),
            ["approved", "ended", "approved", "superseded", "approved"],
        )
