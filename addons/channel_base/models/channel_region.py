import unicodedata
from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL, ormcache

# what a change of the tree must touch before partners are looked at again
ADDRESS_FIELDS = {"name", "match_names", "parent_id", "country_id", "state_id", "active"}
# the lists that draw a territory across the borders of the tree: field -> relation, column of what is listed
TERRITORY_LISTS = {
    "include_region_ids": ("channel_region_include_region_rel", "region_id"),
    "include_partner_ids": ("channel_region_include_partner_rel", "partner_id"),
    "exclude_region_ids": ("channel_region_exclude_region_rel", "region_id"),
    "exclude_partner_ids": ("channel_region_exclude_partner_rel", "partner_id"),
}


class Territories(NamedTuple):
    """What the lists of all active territories say, for whoever looks for the region of a partner."""

    #: partner id -> territory that includes it by name
    named: dict
    #: partner id -> territories that do not want it by way of its region
    unwanted: dict
    #: administrative region id -> territories that include it or a region around it, the deepest include first;
    #: without those that exclude it, or a region between it and the included one
    reaching: dict


class ChannelRegion(models.Model):
    """A territory of the channel: administrative (province, prefecture) or drawn by the sales organisation.

    The tree says what lies within what. A territory that does not follow it has lists: administrative regions and
    companies that belong to it although they stand elsewhere, and those among them that do not.
    """

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
    company_count = fields.Integer(
        string="Companies", compute="_compute_partner_count", help="In this region and below, without their contacts."
    )

    # Territory: lists are not copied, because nothing belongs to two territories.
    include_region_ids = fields.Many2many(
        "channel.region",
        relation="channel_region_include_region_rel",
        column1="territory_id",
        column2="region_id",
        string="Included Regions",
        copy=False,
        domain="[('level', '!=', 'custom'), '!', ('id', 'child_of', id)]",
        help="Administrative regions that belong to this territory although they stand elsewhere in the tree. "
        "What lies within them belongs to it too; of two included regions of which one lies within the other, "
        "the inner one decides.",
    )
    include_partner_ids = fields.Many2many(
        "res.partner",
        relation="channel_region_include_partner_rel",
        column1="territory_id",
        column2="partner_id",
        string="Included Companies",
        copy=False,
        domain="[('is_company', '=', True)]",
        help="Members and hospitals that belong to this territory wherever they are.",
    )
    exclude_region_ids = fields.Many2many(
        "channel.region",
        relation="channel_region_exclude_region_rel",
        column1="territory_id",
        column2="region_id",
        string="Excluded Regions",
        copy=False,
        domain="[('level', '!=', 'custom'), ('id', 'child_of', include_region_ids)]",
        help="Regions within the included ones that do not belong to this territory.",
    )
    exclude_partner_ids = fields.Many2many(
        "res.partner",
        relation="channel_region_exclude_partner_rel",
        column1="territory_id",
        column2="partner_id",
        string="Excluded Companies",
        copy=False,
        domain="[('is_company', '=', True)]",
        help="Members and hospitals that the included regions do not bring into this territory.",
    )

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
        partners = self.env["res.partner"]
        around = [("channel_region_id", "child_of", self.ids)]
        counts = defaultdict(lambda: [0, 0])
        for place, domain in enumerate((around, [*around, ("is_company", "=", True)])):
            for region, count in partners._read_group(domain, ["channel_region_id"], ["__count"]):
                counts[region][place] = count
        inside = self.browse(region.id for region in counts)
        for region in self:
            path = region.parent_path or "-"
            below = [counts[other] for other in inside if (other.parent_path or "").startswith(path)]
            region.partner_count = sum(partner_count for partner_count, _companies in below)
            region.company_count = sum(companies for _partner_count, companies in below)

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

    @api.constrains(*TERRITORY_LISTS, "parent_id")
    def _check_territory(self):
        """What belongs to two territories, or to one and not to it, belongs nowhere that people could tell.

        A fixed number of queries, whatever the length of the lists.
        """
        # sudo: a company or region named in a refusal stands in the lists already
        territories = self.sudo().with_context(active_test=False)
        territories.flush_model(["parent_path"])
        territories._check_territory_twice()
        territories._check_territory_contradiction()
        territories._check_territory_tree()
        territories._check_territory_companies()

    def _check_territory_twice(self):
        for fname in ("include_region_ids", "include_partner_ids"):
            relation, column = TERRITORY_LISTS[fname]
            rows = self.env.execute_query(SQL(
                """
                SELECT mine.territory_id, other.territory_id, mine.%(column)s
                  FROM %(relation)s mine
                  JOIN %(relation)s other
                    ON other.%(column)s = mine.%(column)s AND other.territory_id != mine.territory_id
                 WHERE mine.territory_id = ANY(%(ids)s)
              ORDER BY mine.territory_id, mine.%(column)s
                 LIMIT 1
                """,
                relation=SQL.identifier(relation), column=SQL.identifier(column), ids=self.ids,
            ))
            for territory_id, other_id, listed_id in rows:
                raise ValidationError(
                    self.env._(
                        "%(field)s: %(listed)s cannot belong to %(territory)s and to %(other)s at once. "
                        "Remove it from one of them.",
                        field=self._fields[fname].get_description(self.env, ["string"])["string"],
                        listed=self[fname].browse(listed_id).display_name,
                        territory=self.browse(territory_id).name,
                        other=self.browse(other_id).name,
                    )
                )

    def _check_territory_contradiction(self):
        for include, exclude in (
            ("include_region_ids", "exclude_region_ids"), ("include_partner_ids", "exclude_partner_ids"),
        ):
            for territory in self:
                for listed in (territory[include] & territory[exclude])[:1]:
                    raise ValidationError(
                        self.env._(
                            "Territory %(territory)s: %(listed)s is included and excluded. Remove it from one list.",
                            territory=territory.name,
                            listed=listed.display_name,
                        )
                    )

    def _check_territory_tree(self):
        rows = self.env.execute_query(SQL(
            """
            SELECT rel.territory_id, rel.region_id,
                   territory.parent_path LIKE region.parent_path || '%%' AS around,
                   region.parent_path LIKE territory.parent_path || '%%' AS within,
                   EXISTS (
                       SELECT FROM channel_region_include_region_rel own WHERE own.territory_id = region.id
                    UNION ALL
                       SELECT FROM channel_region_include_partner_rel own WHERE own.territory_id = region.id
                   ) AS lists
              FROM channel_region_include_region_rel rel
              JOIN channel_region territory ON territory.id = rel.territory_id
              JOIN channel_region region ON region.id = rel.region_id
          ORDER BY rel.territory_id, rel.region_id
            """
        ))
        for territory_id, region_id, around, within, lists in rows:
            names = {"region": self.browse(region_id).name, "territory": self.browse(territory_id).name}
            if around:
                raise ValidationError(self.env._(
                    "Included Regions: %(territory)s lies within %(region)s and cannot include it. "
                    "Include regions that stand elsewhere in the tree.", **names,
                ))
            if within:
                raise ValidationError(self.env._(
                    "Included Regions: %(region)s lies within %(territory)s already. "
                    "Include regions that stand elsewhere in the tree.", **names,
                ))
            if lists:
                raise ValidationError(self.env._(
                    "Included Regions: %(region)s includes others itself and cannot be included in %(territory)s. "
                    "Give it %(territory)s as parent, or move what it includes to %(territory)s.", **names,
                ))
        for territory in self:
            included = tuple(region.parent_path for region in territory.include_region_ids)
            for region in territory.exclude_region_ids:
                if not region.parent_path.startswith(included):
                    raise ValidationError(self.env._(
                        "Excluded Regions: %(region)s lies within no included region of %(territory)s, so that there "
                        "is nothing to exclude it from. Remove it, or move it within the tree.",
                        region=region.name, territory=territory.name,
                    ))

    def _check_territory_companies(self):
        for territory in self:
            listed = territory.include_partner_ids | territory.exclude_partner_ids
            for partner in listed:
                company = partner.commercial_partner_id
                if partner.type == "contact" and partner.parent_id:
                    company = partner.parent_id
                if company != partner:
                    raise ValidationError(self.env._(
                        "Territory %(territory)s: %(partner)s shares the region of %(company)s. "
                        "List %(company)s, or give %(partner)s an address of its own.",
                        territory=territory.name, partner=partner.display_name, company=company.display_name,
                    ))

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
        drawn = regions.browse()
        if any(not TERRITORY_LISTS.keys().isdisjoint(vals) for vals in vals_list):
            drawn = regions
        rows = drawn._territory_rows()
        drawn._record_territory(set(), rows)
        regions._tree_changed(drawn._territory_countries(), rows)
        return regions

    def write(self, vals):
        concerned = self
        if vals.get("parent_id"):
            self._check_new_parent(self.browse(vals["parent_id"]))
        if not vals.get("active", True):
            # an archived region leaves nobody behind: its sub-regions go with it
            inner = self.search([("id", "child_of", self.ids), ("id", "not in", self.ids)])
            concerned |= inner
        drawn = not TERRITORY_LISTS.keys().isdisjoint(vals)
        if not drawn and ADDRESS_FIELDS.isdisjoint(vals):
            result = super().write(vals)
            if "user_ids" in vals:
                self.env.registry.clear_cache()
            return result
        countries = concerned.country_id | concerned._territory_countries(within="parent_id" in vals)
        rows = concerned._territory_rows()
        if concerned != self:
            super(ChannelRegion, inner).write({"active": False})
        result = super().write(vals)
        after = concerned._territory_rows()
        changed = rows ^ after
        if drawn:
            self._record_territory(rows - after, after - rows)
        if "active" in vals:
            # the lists of what is archived do not count
            changed = rows | after
        concerned._tree_changed(countries | concerned._territory_countries(within="parent_id" in vals), changed)
        return result

    def unlink(self):
        countries = self.country_id | self._territory_countries()
        rows = self._territory_rows()
        result = super().unlink()
        self.browse()._tree_changed(countries, rows)
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
    def _regions_of_partners(self, asks):
        """Find the region of partners that have none set by hand.

        First the territory that includes the partner by name. Else, from the administrative region of the address
        outwards, the first region that a territory includes, unless that territory excludes the partner, or a region
        of the address within the one it includes: then the next one outwards. Else the administrative region.

        :param asks: iterable of ``(partner id or False, address)``, addresses as in :meth:`_regions_of_addresses`
        :return: ``{(partner id, address): region id or False}``; no query for each of them
        """
        asks = set(asks)
        administrative = self._administrative_regions({address for _partner_id, address in asks})
        territories = self._territories()
        result = {}
        for partner_id, address in asks:
            region_id = territories.named.get(partner_id)
            if not region_id:
                region_id = administrative[address]
                unwanted = territories.unwanted.get(partner_id, ())
                for territory_id in territories.reaching.get(region_id, ()):
                    if territory_id not in unwanted:
                        region_id = territory_id
                        break
            result[partner_id, address] = region_id
        return result

    @api.model
    def _regions_of_addresses(self, addresses):
        """Find the region of addresses, whosoever they are: by the regions that territories include, not by the
        companies that they name (:meth:`_regions_of_partners`).

        :param addresses: iterable of ``(country_id, state_id, city)``; ids may be ``False``, the city is free text
        :return: ``{address: region id or False}``
        """
        regions = self._regions_of_partners((False, address) for address in addresses)
        return {address: region_id for (_partner_id, address), region_id in regions.items()}

    @api.model
    def _administrative_regions(self, addresses):
        """Find the deepest region that each address names, as the tree stands.

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

    @ormcache()
    def _territories(self):
        """The lists of all active territories, kept until one of them or the tree changes.

        The constraint keeps them apart; of two that include the same thing by a race, the older one has it.

        :rtype: Territories
        """
        self.flush_model(["active", "parent_path"])
        paths = dict(self.env.execute_query(SQL("SELECT id, parent_path FROM channel_region WHERE active")))
        listed = {fname: [] for fname in TERRITORY_LISTS}
        for fname, territory_id, listed_id in sorted(self._territory_rows(everywhere=True), reverse=True):
            if territory_id in paths:
                listed[fname].append((listed_id, territory_id))
        named = dict(listed["include_partner_ids"])
        included = dict(listed["include_region_ids"])
        unwanted, excluding = defaultdict(set), defaultdict(set)
        for pairs, by_listed in ((listed["exclude_partner_ids"], unwanted), (listed["exclude_region_ids"], excluding)):
            for listed_id, territory_id in pairs:
                by_listed[listed_id].add(territory_id)
        reaching = {}
        for region_id, parent_path in paths.items() if included else ():
            passed, found = set(), {}
            for outer_id in reversed([int(part) for part in parent_path.split("/")[:-1]]):
                territory_id = included.get(outer_id)
                if territory_id and territory_id not in passed:
                    found[territory_id] = True
                passed |= excluding.get(outer_id, set())
            if found:
                reaching[region_id] = tuple(found)
        return Territories(named, dict(unwanted), reaching)

    # === TOOLING === #

    def _territory_rows(self, everywhere=False):
        """Return ``{(name of the list, territory id, id of what it lists)}`` of these regions, or of all. One query.

        By SQL, because lists hold also what the user may not see or what is archived.
        """
        if not self and not everywhere:
            return set()
        self.flush_model(list(TERRITORY_LISTS))
        return {
            tuple(row)
            for row in self.env.execute_query(SQL(" UNION ALL ").join(
                SQL(
                    "SELECT %s, territory_id, %s FROM %s WHERE %s OR territory_id = ANY(%s)",
                    fname, SQL.identifier(column), SQL.identifier(relation), everywhere, self.ids,
                )
                for fname, (relation, column) in TERRITORY_LISTS.items()
            ))
        }

    def _territory_countries(self, within=False):
        """Return the countries of what these regions include.

        :param bool within: also of all that lies within these regions
        """
        if not self:
            return self.env["res.country"]
        self.flush_model(["parent_path", "country_id"])
        rows = self.env.execute_query(SQL(
            """
            SELECT DISTINCT inside.country_id
              FROM channel_region outside
              JOIN channel_region inside ON inside.parent_path LIKE outside.parent_path || '%%'
             WHERE inside.country_id IS NOT NULL
               AND (outside.id IN (
                        SELECT region_id FROM channel_region_include_region_rel WHERE territory_id = ANY(%(ids)s)
                   ) OR %(within)s AND outside.id = ANY(%(ids)s))
            """,
            ids=self.ids,
            within=within,
        ))
        return self.env["res.country"].browse(row[0] for row in rows)

    def _record_territory(self, removed, added):
        """Write in the journal what was taken from and put on the lists of these territories."""
        def by_territory(rows):
            lists = defaultdict(lambda: defaultdict(list))
            for fname, territory_id, listed_id in sorted(rows):
                lists[territory_id][fname].append(listed_id)
            return {territory.id: dict(lists[territory.id]) for territory in changed}

        changed = self.browse(sorted({territory_id for _fname, territory_id, _listed_id in removed | added}))
        self.env["channel.audit.entry"]._record(
            "region.territory", changed, before=by_territory(removed), after=by_territory(added)
        )

    def _tree_changed(self, countries=None, rows=()):
        """Forget what was known of the tree and have the partners concerned assigned again.

        Partners whose region stays the same are not touched: addresses are compared in one query.

        :param countries: the countries of the regions before the change, and of what territories include
        :param rows: lines of territories that came, went, or count no more (:meth:`_territory_rows`)
        """
        # record rules name the regions of users, and the index of addresses the whole tree
        self.env.registry.clear_cache()
        self.env["channel.segment"]._model_changed(self._name)
        countries = (countries or self.env["res.country"]) | self.country_id
        named = {listed_id for fname, _territory_id, listed_id in rows if fname.endswith("partner_ids")}
        # every partner is concerned, also those the user may not see
        partners = self.env["res.partner"].sudo().with_context(active_test=False)
        partners.flush_model(
            ["country_id", "state_id", "city", "type", "parent_id", "channel_region_id", "channel_region_manual_id"]
        )
        found = self.env.execute_query(
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
        asks = [
            ((partner_id, (country_id or False, state_id or False, city or False)), region_id or False)
            for country_id, state_id, city, region_id, partner_ids in found
            for partner_id in partner_ids
        ]
        regions = self._regions_of_partners(ask for ask, _region_id in asks)
        moved = {ask[0] for ask, region_id in asks if regions[ask] != region_id}
        # marks the partners and whoever takes the region from them
        partners.browse(sorted(moved | named)).modified(["channel_region_manual_id"])
