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

    @classmethod
    def _channel_clause(cls, name, body, approve=True, texts=(), **values):
        """A clause of the library, in force since 2020.

        :param str body: the standard text in English
        :param texts: more texts, each a dict of values of ``channel.clause.text``
        :param values: of the clause
        """
        clause = cls.env["channel.clause"].create({"name": name, **values})
        cls._channel_clause_version(clause, body, approve=approve, texts=texts)
        return clause

    @classmethod
    def _channel_clause_version(cls, clause, body, approve=True, texts=(), valid_from=date(2020, 1, 1)):
        version = cls.env["channel.clause.version"].create(
            {
                "clause_id": clause.id,
                "valid_from": valid_from,
                "text_ids": [
                    Command.create({"lang": "en_US", "title": clause.name, "body": f"<p>{body}</p>"}),
                    *(Command.create({"lang": "en_US", "title": clause.name, **text}) for text in texts),
                ],
            }
        )
        if approve:
            version.with_user(cls.user_manager).action_approve()
        return version

    @classmethod
    def _channel_library_lines(cls, clauses, lang="en_US", second_lang=None):
        return [Command.create(vals) for vals in clauses._prepare_clause_line_vals(lang, second_lang)]
