from odoo import fields, models


class ChannelSegmentMembership(models.Model):
    """Materialised answer of a segment's domains: one row for each partner that a side of the segment holds.

    Written by :meth:`channel.segment._refresh` only. A side that holds everybody has no rows
    (``channel.segment.member_all``, ``customer_all``).
    """

    _name = "channel.segment.membership"
    _description = "Channel Segment Membership"
    _log_access = False
    _rec_name = "partner_id"
    _order = "segment_id, side, partner_id"

    segment_id = fields.Many2one("channel.segment", required=True, index=False, ondelete="cascade")
    partner_id = fields.Many2one("res.partner", required=True, index=True, ondelete="cascade")
    side = fields.Selection(
        selection=[("member", "Member"), ("customer", "End Customer")],
        required=True,
    )

    # also the index by which a segment is matched
    _segment_side_partner_uniq = models.UniqueIndex("(segment_id, side, partner_id)")
