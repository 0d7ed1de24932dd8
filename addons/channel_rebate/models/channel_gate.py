from odoo import models
from odoo.tools import SQL


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

    def _check_settlement_qualification(self, requests):
        """The payee holds, on the day of the settlement, what the devices ask for on which it earned."""
        requests = [request for request in requests if self._member(request).channel_role]
        classes = self._settled_classes(requests)
        asks = {
            id(request): [
                (self._member(request).id, request.date, device_class)
                for device_class in sorted(classes.get(request.record.id, ()))
            ]
            for request in requests if request.record
        }
        gaps = self.env["channel.qualification"]._gaps(ask for of_request in asks.values() for ask in of_request)
        if not gaps:
            return
        for request in requests:
            missing = {
                qualification_type: last
                for ask in asks.get(id(request), ())
                for qualification_type, last in gaps.get(ask, ())
                if qualification_type.severity == "block"
            }
            for qualification_type, last in missing.items():
                yield request.finding(
                    self._qualification_message(request, qualification_type, last),
                    basis={"type": qualification_type.code, "date": request.date.isoformat()},
                )

    def _settled_classes(self, requests):
        """-> ``{settlement id: set of device classes}`` of the goods on which its windows earned"""
        settlements = self.env["channel.settlement"].browse(
            request.record.id for request in requests
            if request.record and request.record._name == "channel.settlement" and request.record.id
        )
        # sudo: which classes were bought does not depend on which lines the user may read
        settlements = settlements.sudo()
        lines = settlements.line_ids
        if not lines:
            return {}
        self.env.flush_all()
        result = {}
        for settlement, device_class in self.env.execute_query(SQL(
            """SELECT DISTINCT line.settlement_id, template.channel_device_class
                 FROM channel_settlement_line line
                 JOIN channel_rebate_balance b ON b.id = line.balance_id
                 JOIN channel_rebate_entry e
                   ON e.program_id = b.program_id AND e.member_id = b.member_id AND e.window_start = b.window_start
                  AND e.window_end = b.window_end AND e.exclusion IS NULL AND e.buyer_id = b.member_id
                 JOIN product_product product ON product.id = e.product_id
                 JOIN product_template template ON template.id = product.product_tmpl_id
                WHERE line.id = ANY(%s) AND template.channel_device_class <> 'none'
                  AND NOT COALESCE(template.channel_licence_exempt, FALSE)""",
            lines.ids,
        )):
            result.setdefault(settlement, set()).add(device_class)
        return result
