import ast
import hashlib
import json
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL


class ChannelRegionReassign(models.TransientModel):
    """Moves members (dealers, hospitals) to another region, or a region to another place in the tree.

    Shows first what it would do: who moves from where to where, which regional users see them no longer or from now on,
    and which authorizations lose or gain the hospitals among them. A territory that does not follow the borders of
    provinces is drawn by the lists of the region; what no list can say is moved by hand. *By address* takes members
    back to where their address and the lists put them.
    """

    _name = "channel.region.reassign"
    _description = "Reassign Regions"

    mode = fields.Selection(
        [("members", "Members to another region"), ("region", "A region under another parent")],
        default="members",
        required=True,
    )

    # Members
    partner_ids = fields.Many2many(
        "res.partner", string="Members", domain="[('channel_role', '!=', False)]",
        help="These members; empty: all in the region below that answer to the filter.",
    )
    source_region_id = fields.Many2one("channel.region", string="From Region", help="With everything below it.")
    member_domain = fields.Char(string="Filter", default="[('channel_role', '=', 'hospital')]")
    by_address = fields.Boolean(
        help="To the region that the address, or the lists of a territory, give; what was set by hand is given up."
    )
    target_region_id = fields.Many2one("channel.region", string="To Region")
    date = fields.Date(
        string="From Day", required=True, default=fields.Date.context_today,
        help="First day in the new region. A later day is brought to the members by the nightly job.",
    )

    # Region
    region_id = fields.Many2one("channel.region", help="Moves with everything below it, at once.")
    parent_id = fields.Many2one("channel.region", string="New Parent", domain="[('id', '!=', region_id)]")

    reason = fields.Char(help="Kept in the audit journal.")
    state = fields.Selection([("draft", "Draft"), ("shown", "Shown")], default="draft", readonly=True)
    fingerprint = fields.Char(readonly=True)
    move_count = fields.Integer(string="Members that Move", readonly=True)
    line_ids = fields.One2many("channel.region.reassign.line", "wizard_id", string="What Moves", readonly=True)

    # === DEFAULTS AND CRUD === #

    @api.model
    def default_get(self, fields):
        values = super().default_get(fields)
        context = self.env.context
        if context.get("active_model") == "res.partner" and "partner_ids" in fields:
            members = self.env["res.partner"].browse(context.get("active_ids", ())).commercial_partner_id
            values["partner_ids"] = [(6, 0, members.filtered("channel_role").ids)]
        return values

    def write(self, vals):
        if vals.keys() - {"state", "fingerprint", "line_ids", "move_count", "reason"}:
            vals = {**vals, "state": "draft", "fingerprint": False}
        return super().write(vals)

    # === ACTIONS === #

    def action_show(self):
        """Show what would happen; writes nothing but the preview.

        :raise UserError: something is missing, or nobody would move
        """
        self.ensure_one()
        effects = self._effects()
        if not effects:
            raise UserError(self.env._("Nobody would move: they are where you want them already."))
        self.line_ids.unlink()
        self.env["channel.region.reassign.line"].create([{"wizard_id": self.id, **values} for values in effects])
        self.write({
            "state": "shown",
            "fingerprint": self._fingerprint(effects),
            "move_count": sum(values["member_count"] for values in effects),
        })
        return self._reopen()

    def action_apply(self):
        """Do what was shown.

        :raise UserError: no reason, not shown before, or something else would happen now
        """
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Reason: say why, it is kept in the audit journal."))
        effects = self._effects() if self.state == "shown" else []
        if not effects or self._fingerprint(effects) != self.fingerprint:
            raise UserError(self.env._("Show what happens first: it is not, or not any more, what was shown."))
        if self.mode == "region":
            self._apply_region()
        else:
            self._apply_members()
        return {"type": "ir.actions.act_window_close"}

    def _reopen(self):
        return {
            "type": "ir.actions.act_window",
            "name": self._description,
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    # === APPLY === #

    def _apply_members(self):
        targets = defaultdict(list)
        for partner_id, _source, target in self._moves():
            targets[target].append(partner_id)
        for target, partner_ids in targets.items():
            self.env["res.partner"].browse(partner_ids)._channel_change(
                {"channel_region_manual_id": target}, date=self.date, reason=self.reason
            )

    def _apply_region(self):
        before = {"path": self.region_id.complete_name}
        self.region_id.write({"parent_id": self.parent_id.id})
        self.region_id.invalidate_recordset(["complete_name"])
        self.env["channel.audit.entry"]._record(
            "region.moved", self.region_id, reason=self.reason, before=before,
            after={"path": self.region_id.complete_name},
        )

    # === WHO MOVES === #

    def _members(self):
        """Return the members that are asked to move, among those that the user may see."""
        if self.partner_ids:
            return self.partner_ids.filtered("channel_role")
        domain = Domain("channel_role", "!=", False)
        if self.source_region_id:
            domain &= Domain("channel_region_id", "child_of", self.source_region_id.id)
        try:
            asked = Domain(ast.literal_eval(self.member_domain or "[]"))
        except (ValueError, SyntaxError, TypeError) as error:
            raise UserError(self.env._("Filter: %s is not a domain.", self.member_domain)) from error
        if not self.source_region_id and asked.is_true():
            raise UserError(self.env._("Choose members, a region to move them from, or a filter."))
        return self.env["res.partner"].search(domain & asked, order="id")

    def _moves(self):
        """Return ``[(member id, region id or False, target region id or False)]`` of those whose region changes.

        A constant number of queries for any number of members.
        """
        members = self._members()
        if not self.by_address and not self.target_region_id:
            raise UserError(self.env._("To Region: choose one, or tick By Address."))
        if self.date == fields.Date.context_today(self):
            current = {member.id: member.channel_region_id.id for member in members}
        else:
            periods = self.env["channel.member.period"]._as_of((member.id, self.date) for member in members)
            # a day before the member joined: it begins there
            current = {
                member.id: (periods[member.id, self.date].region_id or member.channel_region_id).id
                for member in members
            }
        if self.by_address:
            regions = self.env["channel.region"]._regions_of_partners(
                (member.id, (member.country_id.id, member.state_id.id, member.city)) for member in members
            )
            targets = {member_id: region_id for (member_id, _address), region_id in regions.items()}
        else:
            targets = dict.fromkeys(members.ids, self.target_region_id.id)
        return [
            (member_id, current[member_id], targets[member_id])
            for member_id in members.ids
            if (current[member_id] or False) != (targets[member_id] or False)
        ]

    # === WHAT IT MEANS === #

    def _effects(self):
        """Return values of the lines of the preview: one for each pair of old and new region."""
        if self.mode == "region":
            return self._region_effects()
        by_pair = defaultdict(list)
        for partner_id, source, target in self._moves():
            by_pair[source, target].append(partner_id)
        regions = self.env["channel.region"].browse({region for pair in by_pair for region in pair if region})
        paths = {region.id: self._path(region) for region in regions}
        roles = {
            partner.id: partner.channel_role
            for partner in self.env["res.partner"].browse(
                [partner_id for ids in by_pair.values() for partner_id in ids]
            )
        }
        places = [(paths.get(source, ()), paths.get(target, ())) for source, target in by_pair]
        return [
            {
                "from_region_id": source,
                "to_region_id": target,
                "partner_ids": partner_ids,
                "member_count": len(partner_ids),
                "hospital_count": sum(roles[partner_id] == "hospital" for partner_id in partner_ids),
                **consequences,
            }
            for ((source, target), partner_ids), consequences in zip(
                by_pair.items(), self._consequences(places), strict=True
            )
        ]

    def _region_effects(self):
        if not self.region_id or not self.parent_id:
            raise UserError(self.env._("Region and New Parent: choose both."))
        if self.region_id.parent_id == self.parent_id:
            return []
        self.region_id._check_new_parent(self.parent_id)
        inside = self.env["res.partner"].search_fetch(
            [("channel_region_id", "child_of", self.region_id.id), ("channel_role", "!=", False)], ["channel_role"]
        )
        places = [(self._path(self.region_id.parent_id), self._path(self.parent_id))]
        return [{
            "from_region_id": self.region_id.parent_id.id,
            "to_region_id": self.parent_id.id,
            "partner_ids": inside.ids,
            "member_count": len(inside),
            "hospital_count": len(inside.filtered(lambda partner: partner.channel_role == "hospital")),
            **self._consequences(places)[0],
        }]

    @api.model
    def _path(self, region):
        """Return the ids of a region and all around it, the outermost first."""
        return tuple(int(part) for part in (region.parent_path or "").split("/")[:-1])

    def _consequences(self, places):
        """Return, for each ``(old path, new path)``, who loses or gains access and what changes hands.

        Two queries for the people and one for the authorizations, for any number of places.
        """
        everywhere = {region_id for old, new in places for region_id in (*old, *new)}
        # sudo: who is in charge of a region is no secret to those who draw them; only users are shown
        users = self.env["res.users"].sudo().search([("channel_region_ids", "in", list(everywhere))])
        regional = users.filtered("channel_is_regional")
        regions_of = {user.id: set(user.channel_region_ids.ids) for user in users}
        in_charge = defaultdict(list)
        for user in users:
            for region_id in regions_of[user.id]:
                in_charge[region_id].append(user.id)
        hands = self._authorizations_changing(places)
        result = []
        for key, (old, new) in enumerate(places):
            sees_old = {user.id for user in regional if regions_of[user.id] & set(old)}
            sees_new = {user.id for user in regional if regions_of[user.id] & set(new)}
            result.append({
                "lost_user_ids": [(6, 0, sorted(sees_old - sees_new))],
                "gained_user_ids": [(6, 0, sorted(sees_new - sees_old))],
                "charge_user_ids": [(6, 0, next((in_charge[r] for r in reversed(new) if in_charge.get(r)), []))],
                "lost_authorization_ids": [(6, 0, hands[key, "old"])],
                "gained_authorization_ids": [(6, 0, hands[key, "new"])],
            })
        return result

    def _authorizations_changing(self, places):
        """Return ``{(index of the place, "old" or "new"): [authorization ids]}``: in force on the day or later, by
        region, and covering only one of the two. Lists of end customers do not depend on regions.
        """
        steps = [
            (key, side, region_id)
            for key, place in enumerate(places)
            for side, path in zip(("old", "new"), place, strict=True)
            for region_id in path
        ]
        result = defaultdict(list)
        self.env["channel.authorization"].flush_model()
        rows = self.env.execute_query(SQL(
            """
            WITH step AS (
                SELECT * FROM unnest(%(keys)s::int[], %(sides)s::text[], %(regions)s::int[])
                    AS step(key, side, region_id)
            ),
            hit AS (
                SELECT DISTINCT step.key, step.side, rel.authorization_id
                  FROM step
                  JOIN channel_authorization_region_rel rel ON rel.region_id = step.region_id
                 WHERE NOT EXISTS (
                        SELECT FROM step around
                          JOIN channel_authorization_excluded_region_rel excluded
                            ON excluded.region_id = around.region_id
                         WHERE around.key = step.key AND around.side = step.side
                           AND excluded.authorization_id = rel.authorization_id
                 )
            )
            SELECT hit.key, min(hit.side), hit.authorization_id
              FROM hit
              JOIN channel_authorization a ON a.id = hit.authorization_id
             WHERE a.state = 'approved' AND (a.date_to IS NULL OR a.date_to >= %(date)s)
               AND a.company_id = ANY(%(companies)s)
               AND NOT EXISTS (
                    SELECT FROM channel_authorization_customer_rel rel WHERE rel.authorization_id = a.id
               )
          GROUP BY hit.key, hit.authorization_id
            HAVING count(*) = 1
          ORDER BY hit.authorization_id
            """,
            keys=[step[0] for step in steps],
            sides=[step[1] for step in steps],
            regions=[step[2] for step in steps],
            date=self.date,
            companies=self.env.companies.ids,
        ))
        for key, side, authorization_id in rows:
            result[key, side].append(authorization_id)
        return result

    def _fingerprint(self, effects):
        return hashlib.sha256(json.dumps(effects, sort_keys=True, default=str).encode()).hexdigest()
