from odoo import models


class ChannelGate(models.AbstractModel):
    _inherit = "channel.gate"

    def _check_rebate_contract(self, requests):
        """What is settled was earned under a contract: one of the member's was in force when the window ended.

        Asked without a settlement, the day of the request stands for the window. A programme version that names its
        contract version needs no other.
        """
        asked = []
        for request in requests:
            settlement = request.record
            if not settlement or settlement._name != "channel.settlement":
                asked.append((request, None, request.date))
                continue
            for balance in settlement.line_ids.balance_id:
                if not balance.version_id.contract_version_id:
                    asked.append((request, balance, min(balance.window_end, request.date)))
        answers = self.env["channel.contract"]._versions_in_force(
            [(request.member.id, request.company.id, day) for request, _balance, day in asked]
        )
        for (request, balance, day), versions in zip(asked, answers, strict=True):
            if not versions:
                yield request.finding(
                    self.env._(
                        "%(member)s had no contract with %(company)s in force on %(date)s%(window)s.",
                        member=request.member.name,
                        company=request.company.name,
                        date=day,
                        window=self.env._(", when window %s ended", balance._window_name()) if balance else "",
                    ),
                    basis={"date": day.isoformat(), "balance_id": balance.id if balance else 0},
                )
