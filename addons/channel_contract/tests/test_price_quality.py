from datetime import date

from odoo.tests import tagged

from .common import ChannelContractCommon


@tagged("post_install", "-at_install")
class TestPriceQuality(ChannelContractCommon):
    def test_prices_of_one_contract_version_after_the_other_do_not_overlap(self):
        first = self.contract.version_ids
        first._version_end(date(2026, 8, 31))
        second = self._channel_version(self.contract, approve=False, valid_from=date(2026, 9, 1))
        version = self.env["channel.price.version"].create(
            {"pricelist_id": self.table.id, "valid_from": date(2026, 7, 1)}
        )
        for price, agreed in ((90, first), (80, second)):
            self._channel_rule(price, channel_version_id=version.id, channel_contract_version_id=agreed.id)

        def codes():
            issues = self.env["channel.price.quality"]._run(self.table, version)
            return set(issues.mapped("code")) & {"overlap", "dead"}

        self.assertFalse(codes())
        second.valid_from = date(2026, 8, 31)
        self.assertEqual(codes(), {"overlap"}, "both on one day")
