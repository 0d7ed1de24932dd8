from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import format_date

from ..tools.timeline import at
from .channel_member_key import KEY_FIELDS
from .channel_member_period import POSITION_FIELDS

#: What a dated decision may set. A region is set by hand or, when empty, by the address.
CHANGEABLE = {
    **{name: column for name, column in POSITION_FIELDS.items() if name != "channel_region_id"},
    "channel_region_manual_id": "region_id",
}


class ChannelMemberPositionMixin(models.AbstractModel):
    """The part of ``res.partner`` that keeps the history of members: see ``channel.member.period``."""

    _name = "channel.member.position.mixin"
    _description = "Dated Position of a Member"

    channel_period_ids = fields.One2many("channel.member.period", "partner_id", string="Periods", readonly=True)
    channel_history_ids = fields.One2many(
        "channel.member.period", "partner_id", string="History", readonly=True, context={"active_test": False},
        help="With the rows that corrections have replaced.",
    )

    channel_legal_person = fields.Char(
        string="Legal Person",
        tracking=True,
        help="Person who represents the company by law, as printed on its business licence.",
    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        partners = super().create(vals_list)
        joining = partners.filtered("channel_role")
        if joining:
            self.env["channel.member.key"]._members_changed(joining.ids)
            joining.flush_recordset(POSITION_FIELDS)
            # sudo: the history follows what has been written, whoever was allowed to write it
            self.env["channel.member.period"].sudo()._follow(dict.fromkeys(joining.ids, {}))
        return partners

    def _write_multi(self, vals_list):
        # every door of the ORM ends here, stored computed fields (the region) included
        result = super()._write_multi(vals_list)
        changes, reasons, compared = {}, {}, []
        for partner, vals in zip(self, vals_list, strict=True):
            if names := POSITION_FIELDS.keys() & vals.keys():
                changes[partner.id] = {POSITION_FIELDS[name]: vals[name] or None for name in names}
                reasons[partner.id] = vals.get("channel_state_reason")
            if not KEY_FIELDS.isdisjoint(vals):
                compared.append(partner.id)
        if compared:
            self.env["channel.member.key"]._members_changed(compared)
        if changes:
            # sudo: the history follows what has been written, whoever was allowed to write it
            self.env["channel.member.period"].sudo()._follow(changes, reasons)
        return result

    # === ACTION METHODS === #

    def action_channel_change(self):
        """Ask for a change from a day on."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change from a Date"),
            "res_model": "channel.member.change",
            "view_mode": "form",
            "target": "new",
            "context": {"default_partner_id": self.id},
        }

    # === BUSINESS METHODS === #

    def _channel_change(self, vals, date=None, reason=None):
        """Change the position of members from a day on, with an entry in the audit journal.

        A day before today corrects the past: the value holds from then until the day on which it was changed anyhow,
        and the rows that said otherwise are kept, archived. A later day is kept in the history and brought to the
        member by the nightly job; the gate judges documents of that day by it at once. A day before the member joined
        lengthens its history: it had been a member before anybody entered it.

        :param dict vals: any of ``channel_state``, ``channel_role``, ``channel_parent_id``, ``grade_id``,
            ``channel_region_manual_id`` (False: the region that the address names today)
        :param date: first day, today where the company is when left out
        :param str reason: why; needed unless the change is of today
        :return: the members whose history it changes; the others had it already, and get no entry
        :raise AccessError: the user is neither Channel Manager nor Compliance, or ends a membership without being
            Channel Manager; superuser code decides by itself
        :raise ValidationError: a value that no member can have
        :raise UserError: no reason, or a partner that is no member
        """
        self._channel_check_may_change(vals)
        changes = self._channel_changes(vals)
        today = self.env.company._channel_today()
        date = fields.Date.to_date(date) or today
        reason = (reason or "").strip() or None
        if not reason and date != today:
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        # sudo: the decision has been checked above; whoever may decide need not be allowed to edit contacts
        members = self.sudo()
        for partner in members:
            if not partner.channel_role:
                raise UserError(self.env._(
                    "%s is not a member of the channel: give it a channel role first.", partner.display_name
                ))
        if changes.get("parent_id"):
            members._channel_check_parent(changes["parent_id"], date)
        result = members.env["channel.member.period"]._change(members.ids, changes, date, reason)
        affected = self.browse(partner_id for partner_id in self.ids if partner_id in result)

        def audited(index):
            return {
                partner_id: {"date": date, **{
                    name: (at(timelines[index], date) or {}).get(column)
                    for name, column in CHANGEABLE.items() if column in changes
                }}
                for partner_id, timelines in result.items()
            }

        self.env["channel.audit.entry"]._record(
            "member.changed", affected, reason=reason, before=audited(0), after=audited(1)
        )
        if date <= today:
            # sudo: who may decide has been checked above, and need not be allowed to edit contacts
            affected.sudo()._channel_take_positions(
                {partner.id: at(result[partner.id][1], today) for partner in affected}, reason
            )
        return affected

    def _channel_check_may_change(self, vals):
        if self.env.su:
            return
        if not self._channel_may_govern() or (
            vals.get("channel_state") == "terminated"
            and not self.env.user.has_group("channel_base.group_channel_manager")
        ):
            raise AccessError(self.env._(
                "Channel Manager and Compliance change the history of members; only Channel Manager terminates them."
            ))
        # Record rules decide which members the user may reach at all.
        self.check_access("read")

    def _channel_changes(self, vals):
        """Return the values of a change by columns of the period, checked."""
        unknown = vals.keys() - CHANGEABLE.keys()
        if unknown or not vals:
            raise ValidationError(self.env._(
                "%(unknown)s cannot be changed from a date. Use: %(known)s.",
                unknown=", ".join(sorted(unknown)) or self.env._("Nothing"),
                known=", ".join(sorted(CHANGEABLE)),
            ))
        changes = {}
        for name, value in vals.items():
            field = self._fields[name]
            value = value or None
            if field.type == "selection" and value not in field.get_values(self.env):
                raise ValidationError(self.env._(
                    "%(field)s: %(value)s is not one of %(known)s.",
                    field=field.get_description(self.env, ["string"])["string"],
                    value=value or "–",
                    known=", ".join(field.get_values(self.env)),
                ))
            changes[CHANGEABLE[name]] = value
        if "region_id" in changes and not changes["region_id"]:
            regions = {partner._channel_address_region() for partner in self}
            if len(regions) > 1:
                raise ValidationError(self.env._("Members of several regions: choose the region, or go one by one."))
            changes["region_id"] = regions.pop() if regions else None
        return changes

    def _channel_address_region(self):
        """Return the id of the region that the address or a territory's lists give, None for none."""
        self.ensure_one()
        ask = (self.id, (self.country_id.id, self.state_id.id, self.city))
        return self.env["channel.region"]._regions_of_partners({ask})[ask] or None

    def _channel_check_parent(self, parent_id, date):
        """Refuse a parent that would stand below one of these members on that day."""
        period = self.env["channel.member.period"]
        seen, above = set(), parent_id
        while above and above not in seen:
            if above in self.ids:
                raise ValidationError(self.env._(
                    "A member cannot stand above itself on %s: choose another parent member.",
                    format_date(self.env, date),
                ))
            seen.add(above)
            above = period._as_of([(above, date)])[above, date].parent_id.id
        if not self.browse(parent_id).channel_role:
            raise ValidationError(self.env._(
                "Parent member %s has no channel role.", self.browse(parent_id).display_name
            ))

    def _channel_take_positions(self, positions, reason):
        """Write what the history says of today on the members themselves, as superuser.

        Members that take the same values are written together: the number of queries does not depend on their number.

        :param dict positions: ``{partner_id: columns of the period}``
        """
        days = self._channel_state_days()
        alike = defaultdict(list)
        for partner in self:
            values = positions[partner.id]
            vals = {}
            for name, column in CHANGEABLE.items():
                current = partner.channel_region_id if column == "region_id" else partner[name]
                current = current.id if isinstance(current, models.BaseModel) else current
                if (current or None) != values[column]:
                    vals[name] = values[column] or False
            region = vals.get("channel_region_manual_id")
            if region and region == partner._channel_address_region():
                vals["channel_region_manual_id"] = False
            vals.update(days[partner.id])
            if vals.get("channel_state"):
                vals["channel_state_reason"] = reason or False
            if vals:
                alike[tuple(vals.items())].append(partner.id)
        for items, partner_ids in alike.items():
            members, vals = self.browse(partner_ids), dict(items)
            members.write(vals)
            if vals.get("channel_state"):
                members._channel_state_changed(vals["channel_state"])

    def _channel_state_days(self):
        """Return ``{partner_id: vals}`` of the two days that the member form shows, where the history says something
        else. One query."""
        today = self.env.company._channel_today()
        histories = self.env["channel.member.period"].search(
            [("partner_id", "in", self.ids), ("valid_from", "<=", today)], order="partner_id, valid_from"
        ).grouped("partner_id")
        result = {}
        for partner in self:
            since = active_since = False
            previous = None
            for period in histories.get(partner, ()):
                if period.state != previous:
                    since = period.valid_from
                if period.state == "active" and not active_since:
                    active_since = period.valid_from
                previous = period.state
            days = {"channel_state_date": since, "channel_active_since": active_since}
            result[partner.id] = {name: day for name, day in days.items() if partner[name] != day}
        return result

    def _channel_take_effect(self, period, due):
        """Bring scheduled changes to the member, by the nightly job.

        :param period: what the history says of today
        :param due: the periods whose day has come
        """
        self.ensure_one()
        values = {
            column: period._fields[column].convert_to_write(period[column], period) or None
            for column in POSITION_FIELDS.values()
        }
        self._channel_take_positions({self.id: values}, due[-1:].reason)
        self.flush_recordset()
        due.write({"scheduled": False})
        self.env["channel.alert"]._clear_alerts("member_change", [str(self.id)])

    def _channel_effect_failed(self, due, message):
        """Tell people that a scheduled change could not be made; it is tried again every night."""
        self.env["channel.alert"]._raise_alerts("member_change", [{
            "key": str(self.id),
            "name": self.env._(
                "The change of %(member)s decided for %(date)s could not be made",
                member=self.display_name,
                date=format_date(self.env, due[-1:].valid_from),
            ),
            "severity": "critical",
            "record": self,
            "region": self.channel_region_id,
            "note": message,
        }])
