from pathlib import Path

from odoo.modules.migration import load_script
from odoo.tests import TransactionCase, tagged

SCRIPT = Path(__file__).parent.parent / "migrations" / "19.0.1.1.0" / "post-qualification-types.py"


@tagged("post_install", "-at_install")
class TestQualificationMigration(TransactionCase):
    def test_types_in_use_learn_the_law(self):
        """As before: no law on any type. One that somebody has filled in since stays as it is."""
        licence = self.env.ref("channel_l10n_cn.qualification_type_trading_licence")
        filing = self.env.ref("channel_l10n_cn.qualification_type_trading_filing")
        code = self.env.ref("channel_l10n_cn.qualification_type_nhsa_code")
        gln = self.env.ref("channel_member.qualification_type_gln")
        self.env.flush_all()
        self.env.cr.execute("UPDATE channel_qualification_type SET retention_law = NULL, portal_upload = TRUE")
        self.env.invalidate_all()
        filing.retention_law = "own rule"
        self.env.flush_all()
        load_script(str(SCRIPT), "post_qualification_types").migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        self.assertIn("art. 23", licence.retention_law)
        self.env.cr.execute(
            "SELECT retention_law ->> 'zh_CN' FROM channel_qualification_type WHERE id = %s", [licence.id]
        )
        self.assertIn("第三十八条", self.env.cr.fetchone()[0])  # read so, because the language need not be active
        self.assertEqual(filing.retention_law, "own rule")
        self.assertEqual((licence.portal_upload, code.portal_upload), (True, False))
        self.assertFalse(gln.retention_law, "not a matter of China")
