from odoo import api, models


class ChannelMemberPassport(models.AbstractModel):
    _inherit = "channel.member.passport"

    @api.model
    def _passport_sections(self, member):
        sections = super()._passport_sections(member)
        if self.env["channel.contract"].has_access("read"):
            sections.append(self._section_contracts(member))
        return sections

    def _section_contracts(self, member):
        Contract = self.env["channel.contract"]
        contracts = Contract.search([("member_id", "=", member.id)], order="id DESC")
        return self._section(
            "contracts", self.env._("Contracts"), 50, icon="fa-handshake-o",
            columns=[
                self.env._("Number"), self.env._("Title"), self.env._("Type"), self.env._("In force"),
                self.env._("State"),
            ],
            rows=[
                [
                    self._cell(contract.name or contract.title, contract),
                    contract.title,
                    contract.type_id.name,
                    self._period(contract.current_valid_from, contract.current_valid_to)
                    if contract.current_valid_from
                    else "",
                    self._state_cell(contract, "stage"),
                ]
                for contract in contracts
            ],
            empty=self.env._("No contract."),
        )
