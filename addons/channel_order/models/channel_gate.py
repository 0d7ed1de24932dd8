from odoo import fields, models
from odoo.tools import format_date


class ChannelGate(models.AbstractModel):
    _inherit = "channel.gate"

    def _check_lot_hold(self, requests):
        """No lot that is held, or has expired by the day of the document, leaves."""
        lots = self.env["stock.lot"].browse(
            line.lot.id for request in requests for line in request.lines if line.lot and line.lot.id
        )
        # sudo: that a lot is held concerns whoever delivers it
        holds = self.env["channel.lot.hold"].sudo().search([("lot_id", "in", lots.ids), ("state", "=", "held")])
        by_lot = holds.grouped("lot_id")
        reasons = dict(holds._fields["reason"]._description_selection(self.env))
        for request in requests:
            for line in request.lines:
                if not line.lot:
                    continue
                lot = line.lot._origin or line.lot
                for hold in by_lot.get(lot.sudo(), ()):
                    yield request.finding(
                        self.env._(
                            "Lot %(lot)s of %(product)s is on hold: %(reason)s (%(note)s).",
                            lot=lot.name, product=line.product.display_name, reason=reasons[hold.reason],
                            note=hold.note,
                        ),
                        line=line, basis={"lot": lot.name, "hold": hold.id},
                    )
                expiry = lot.expiration_date and fields.Datetime.context_timestamp(self, lot.expiration_date).date()
                if expiry and expiry < request.date and lot.sudo() not in by_lot:
                    yield request.finding(
                        self.env._(
                            "Lot %(lot)s of %(product)s expired on %(date)s.", lot=lot.name,
                            product=line.product.display_name, date=format_date(self.env, expiry),
                        ),
                        line=line, basis={"lot": lot.name, "expiry": expiry.isoformat()},
                    )
