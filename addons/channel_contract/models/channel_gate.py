from odoo import models

# Who buys to sell on, or sells in our name: does so under a contract. Hospitals buy without one.
CONTRACT_ROLES = ("distributor", "sub_distributor", "agent")


class ChannelGate(models.AbstractModel):
    _inherit = "channel.gate"

    def _check_contract_in_force(self, requests):
        """A member who trades needs an approved contract version on the document's day, with the document's company."""
        asked = [request for request in requests if request.member.channel_role in CONTRACT_ROLES]
        answers = self.env["channel.contract"]._versions_in_force(
            [(request.member.id, request.company.id, request.date) for request in asked]
        )
        for request, versions in zip(asked, answers, strict=True):
            if not versions:
                yield request.finding(
                    self.env._(
                        "%(member)s has no contract with %(company)s in force on %(date)s.",
                        member=request.member.name,
                        company=request.company.name,
                        date=request.date,
                    ),
                    basis={"date": request.date.isoformat(), "company_id": request.company.id},
                )
