import unicodedata
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, ormcache

# what a change of the tree must touch before partners are looked at again
ADDRESS_FIELDS = {"name", "match_names", "parent_id", "country_id", "state_id", "active"}


class ChannelRegion(models.Model):
    """A territory of the channel: administrative (province, prefecture) or drawn by the sales organisation."""

    _name = "channel.region"
    _description = "Channel Region"
    _parent_store = True
    _order = "code, name, id"
    _rec_names_search = ["name", "code", "match_names"]

    name = fields.Char(required=True, translate=True)
    complete_name = fields.Char(compute="_compute_complete_name", recursive=True)
    code = fields.Char(help="Unique within the country, for instance the code of the national statistics office.")
    active = fields.Boolean(default=True)
    level = fields.Selection(
        selection=[
            ("country", "Country"),
            ("area", "Sales Area"),
            ("province", "Province"),
            ("prefecture", "Prefecture"),
            ("county", "County"),
            ("custom", "Custom"),
        ],
        required=True,
        default="custom",
    )
    parent_id = fields.Many2one("channel.region", string="Parent Region", index=True, ondelete="restrict")
    parent_path = fields.Char(index=True)
    child_ids = fields.One2many("channel.region", "parent_id", string="Sub-regions")
    country_id = fields.Many2one(
        "res.country",
        compute="_compute_country_id",
        store=True,
        readonly=False,
        recursive=True,
        index=True,
        ondelete="restrict",
        help="Taken from the parent region where that lies in one country.",
    )
    state_id = fields.Many2one(
        "res.country.state",
        compute="_compute_state_id",
        store=True,
        readonly=False,
        recursive=True,
        index="btree_not_null",
        ondelete="restrict",
        domain="[('country_id', '=?', country_id)]",
        help="Taken from the parent region where that lies in one state.",
    )
    match_names = fields.Text(
        string="Other Spellings",
        help="How else addresses write this region, one spelling per line: without suffix, "
        "in another script, an older name.",
    )
    user_ids = fields.Many2many(
        "res.users",
        relation="channel_region_res_users_rel",
        column1="region_id",
        column2="user_id",
        string="People in Charge",
    )
    partner_count = fields.Integer(compute="_compute_partner_count")

    _code_country_uniq = models.UniqueIndex(
        "(code, COALESCE(country_id, 0)) WHERE code IS NOT NULL",
        "Another region of this country has the same code. Codes are unique within a country.",
    )

    # === COMPUTE METHODS === #

    @api.depends("name", "parent_id.complete_name")
    @api.depends_context("lang")
    def _compute_complete_name(self):
        for region in self:
            if region.parent_id:
                region.complete_name = f"{region.parent_id.complete_name} / {region.name}"
            else:
                region.complete_name = region.name

    @api.depends("name", "level", "parent_id.name")
    @api.depends_context("lang")
    def _compute_display_name(self):
        # Short, because it labels charts and tags; the parent tells regions of one name apart.
        for region in self:
            if region.parent_id and region.level in ("prefecture", "county", "custom"):
                region.display_name = f"{region.name}, {region.parent_id.name}"
            else:
                region.display_name = region.name

    @api.depends("parent_id.country_id")
    def _compute_country_id(self):
        for region in self:
            region.country_id = region.parent_id.country_id or region.country_id

    @api.depends("parent_id.state_id")
    def _compute_state_id(self):
        for region in self:
            region.state_id = region.parent_id.state_id or region.state_id

    def _compute_partner_count(self):
        counts = {
            region.id: count
            for region, count in self.env["res.partner"]._read_group(
                [("channel_region_id", "child_of", self.ids)], ["channel_region_id"], ["__count"]
            )
        }
        inside = self.with_context(active_test=False).search([("id", "in", list(counts))])
        for region in self:
            region.partner_count = sum(
                counts[other.id] for other in inside if (other.parent_path or "").startswith(region.parent_path or "-")
            )

    # === CONSTRAINTS === #

    @api.constrains("active", "parent_id")
    def _check_active_parent(self):
        for region in self:
            if region.active and region.parent_id and not region.parent_id.active:
                raise ValidationError(
                    self.env._(
                        "Region %(region)s cannot be active below the archived region %(parent)s. "
                        "Restore the parent first, or choose another one.",
                        region=region.name,
                        parent=region.parent_id.name,
                    )
                )

    @api.constrains("country_id", "state_id", "parent_id")
    def _check_geography(self):
        for region in self:
            if region.state_id and region.state_id.country_id != region.country_id:
                raise ValidationError(
                    self.env._(
                        "Region %(region)s: the state %(state)s does not belong to the country %(country)s. "
                        "Choose a state of that country.",
                        region=region.name,
                        state=region.state_id.name,
                        country=region.country_id.name or self.env._("(none)"),
                    )
                )
            for fname in ("country_id", "state_id"):
                outer = region.parent_id[fname]
                if outer and region[fname] != outer:
                    raise ValidationError(
                        self.env._(
                            "Region %(region)s lies in %(value)s, but its parent region %(parent)s lies in "
                            "%(outer)s. Choose another parent, or the same place.",
                            region=region.name,
                            value=region[fname].name or self.env._("(none)"),
                            parent=region.parent_id.name,
                            outer=outer.name,
                        )
                    )

    def _check_new_parent(self, parent):
        """Refuse a cycle with its reason, before the ORM meets it while it stores the paths."""
        around = {int(region_id) for region_id in (parent.parent_path or "").split("/")[:-1]}
        for region in self:
            if region.id in around:
                raise ValidationError(
                    self.env._(
                        "Parent Region: %(region)s cannot lie within %(parent)s, which lies within it. "
                        "Choose a parent outside its sub-regions.",
                        region=region.name,
                        parent=parent.complete_name,
                    )
                )

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        regions = super().create(vals_list)
        regions._tree_changed()
        return regions

    def write(self, vals):
        before = self.country_id
        if vals.get("parent_id"):
            self._check_new_parent(self.browse(vals["parent_id"]))
        if not vals.get("active", True):
            # an archived region leaves nobody behind: its sub-regions go with it
            inner = self.search([("id", "child_of", self.ids), ("id", "not in", self.ids)])
            super(ChannelRegion, inner).write({"active": False})
        result = super().write(vals)
        if not ADDRESS_FIELDS.isdisjoint(vals):
            self._tree_changed(before)
        elif "user_ids" in vals:
            self.env.registry.clear_cache()
        return result

    def unlink(self):
        before = self.country_id
        result = super().unlink()
        self.browse()._tree_changed(before)
        return result

    # === ACTIONS === #

    def action_view_partners(self):
        """Open the partners of this region and below."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": "res.partner",
            "view_mode": "list,kanban,form",
            "domain": [("channel_region_id", "child_of", self.id)],
        }

    # === BUSINESS METHODS === #

    def _people_in_charge(self):
        """Return the users in charge of this region, else those of the nearest region around it that has any.

        :rtype: res.users
        """
        self.ensure_one()
        region = self
        while region:
            # who is in charge is no secret to those who work with the region
            if users := region.sudo().user_ids.filtered("active"):
                return users.sudo(False)
            region = region.parent_id
        return self.env["res.users"]

    @api.model
    def _regions_of_addresses(self, addresses):
        """Find the deepest region that each address names.

        Within the state, the regions whose name (in any language) or other spelling equals the city: a name
        goes before another spelling, a deeper region before a wider one, and where two remain
        (two counties of the same name) the region around both. Else the state's region, else the country's.

        :param addresses: iterable of ``(country_id, state_id, city)``; ids may be ``False``, the city is free text
        :return: ``{address: region id or False}``
        """
        index = self._address_index()
        result = {}
        for address in addresses:
            country_id, state_id, city = address
            key = self._address_key(city)
            place = ("state", state_id) if state_id else ("country", country_id)
            result[address] = (
                (key and index.get((*place, key)))
                or index.get((*place, ""))
                or index.get(("country", country_id, ""))
                or False
            )
        return result

    @api.model
    def _address_key(self, text):
        """Fold width, case and blanks: the spellings that a keyboard makes different, not a reader."""
        return "".join(unicodedata.normalize("NFKC", text or "").casefold().split())

    @ormcache()
    def _address_index(self):
        """The tree as ``{("state"|"country", id, folded name or ""): region id}``, kept until the tree changes."""
        self.flush_model()
        rows = self.env.execute_query_dict(
            SQL("SELECT id, parent_path, country_id, state_id, name, match_names FROM channel_region WHERE active")
        )
        paths = {row["id"]: tuple(int(part) for part in row["parent_path"].split("/")[:-1]) for row in rows}
        named = defaultdict(set)
        spelled = defaultdict(set)
        homes = defaultdict(set)
        for row in rows:
            places = [
                (kind, place_id)
                for kind, place_id in (("state", row["state_id"]), ("country", row["country_id"]))
                if place_id
            ]
            for place in places:
                homes[(*place, "")].add(row["id"])
                for name in row["name"].values():
                    named[(*place, self._address_key(name))].add(row["id"])
                for name in (row["match_names"] or "").splitlines():
                    if key := self._address_key(name):
                        spelled[(*place, key)].add(row["id"])

        def around(region_ids):
            """The region that all of them are or lie in."""
            common = 0
            for level in zip(*(paths[region_id] for region_id in region_ids), strict=False):
                if len(set(level)) > 1:
                    break
                common = level[0]
            return common if common in paths else False

        def at_depth(region_ids, pick):
            depth = pick(len(paths[region_id]) for region_id in region_ids)
            return around([region_id for region_id in region_ids if len(paths[region_id]) == depth])

        index = {key: at_depth(region_ids, min) for key, region_ids in homes.items()}
        index.update((key, at_depth(region_ids, max)) for key, region_ids in spelled.items())
        index.update((key, at_depth(region_ids, max)) for key, region_ids in named.items())
        return index

    # === TOOLING === #

    def _tree_changed(self, countries=None):
        """Forget what was known of the tree and have the partners concerned assigned again.

        Partners whose region stays the same are not touched: addresses are compared once per distinct
        address, in one query.

        :param countries: the countries of the regions before the change
        """
        # record rules name the regions of users, and the index of addresses the whole tree
        self.env.registry.clear_cache()
        self.env["channel.segment"]._model_changed(self._name)
        countries = (countries or self.env["res.country"]) | self.country_id
        # every partner is concerned, also those the user may not see
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        partners.flush_model(
            ["country_id", "state_id", "city", "type", "parent_id", "channel_region_id", "channel_region_manual_id"]
        )
        rows = self.env.execute_query(
            SQL(
                """
                SELECT partner.country_id, partner.state_id, partner.city, partner.channel_region_id,
                       array_agg(partner.id)
                  FROM res_partner partner
             LEFT JOIN res_country_state state ON state.id = partner.state_id
                 WHERE partner.channel_region_manual_id IS NULL
                   AND (partner.parent_id IS NULL OR partner.type IS DISTINCT FROM 'contact')
                   AND (partner.country_id = ANY(%(countries)s) OR state.country_id = ANY(%(countries)s))
              GROUP BY partner.country_id, partner.state_id, partner.city, partner.channel_region_id
                """,
                countries=countries.ids,
            )
        )
        regions = self._regions_of_addresses({(row[0] or False, row[1] or False, row[2] or False) for row in rows})
        moved = []
        for country_id, state_id, city, region_id, partner_ids in rows:
            if regions[country_id or False, state_id or False, city or False] != (region_id or False):
                moved += partner_ids
        # marks the partners and whoever takes the region from them
        partners.browse(moved).modified(["channel_region_manual_id"])
