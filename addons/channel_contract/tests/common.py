from datetime import date

from odoo.fields import Command

from odoo.addons.channel_pricing.tests.common import ChannelPricingCommon


class ChannelContractCommon(ChannelPricingCommon):
    """Every dealer has a contract in force since 2020 (``contract``, ``contract_sub``, ``contract_west``), which says
    nothing about prices, so that tests of what lies higher are not stopped by the gate.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Clauses of the library that are mandatory here must not decide what the tests are about
        cls.env["channel.clause"].search([]).action_archive()
        cls.contract = cls._channel_contract(cls.dealer)
        cls.contract_sub = cls._channel_contract(cls.sub_dealer)
        cls.contract_west = cls._channel_contract(cls.other_dealer)

    @classmethod
    def _channel_contract(cls, member, approve=True, contract_values=None, **values):
        """Make a contract with one version, from 2020 on.

        :param bool approve: False leaves the version a draft
        :param dict contract_values: of the contract
        :param values: of the version
        :returns: ``channel.contract``
        """
        contract = cls.env["channel.contract"].create(
            {"title": f"Contract of {member.name}", "member_id": member.id, **(contract_values or {})}
        )
        cls._channel_version(contract, approve=approve, **values)
        return contract

    @classmethod
    def _channel_version(cls, contract, approve=True, **values):
        version = cls.env["channel.contract.version"].create(
            {"contract_id": contract.id, "valid_from": date(2020, 1, 1), **values}
        )
        if approve:
            version.with_user(cls.user_manager).action_approve()
        return version

    @classmethod
    def _channel_clause_commands(cls, *titles):
        return [Command.create({"title": title, "body": f"<p>Text of {title}</p>"}) for title in titles]
