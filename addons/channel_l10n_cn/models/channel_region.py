import csv

from odoo import api, models
from odoo.tools import file_open
from odoo.tools.translate import TranslationImporter

REGION_FILE = "channel_l10n_cn/data/cn_regions.csv"
COUNTY_FILE = "channel_l10n_cn/data/cn_counties.csv"
LEVELS = ("country", "area", "province", "prefecture", "county")
MODULE = "channel_l10n_cn"


class ChannelRegion(models.Model):
    _inherit = "channel.region"

    @api.model
    def _l10n_cn_load(self, counties=False):
        """Create the regions of China that are missing, and bring the standard's facts up to date.

        Runs at installation and at each update. What GB/T 2260 says (name, level, state) follows the file; what
        people decide stays theirs: the parent of a province (its sales area), the people in charge, whether
        a region is active, spellings that were added. A region with the same code that somebody made by hand is
        adopted, not doubled. Codes that leave the standard stay, since documents point to them.

        Records carry external ids (``channel_l10n_cn.cn_330100``) that Odoo's update does not touch.

        :param bool counties: load counties and districts too (2,942); once loaded they are always kept up to date
        :return: the regions that were created
        """
        rows = self._l10n_cn_rows(REGION_FILE)
        if counties or self._l10n_cn_counties_loaded():
            rows += self._l10n_cn_rows(COUNTY_FILE)
        for row in rows:
            for name in ("country_id", "state_id"):
                # Not env.ref, which asks the database each time whether the record still exists.
                row[name] = row[f"{name}/id"] and self.env["ir.model.data"]._xmlid_to_res_id(row[f"{name}/id"])
        known = self._l10n_cn_known(rows)
        created = self.browse()
        for level in LEVELS:  # parents before children
            of_level = [row for row in rows if row["level"] == level]
            new = [row for row in of_level if row["id"] not in known]
            data_list = [
                {"xml_id": f"{MODULE}.{row['id']}", "values": self._l10n_cn_vals(row, known), "noupdate": True}
                for row in new
            ]
            records = self._load_records(data_list) if data_list else self.browse()
            known.update(zip((row["id"] for row in new), records, strict=True))
            created |= records
        self._l10n_cn_refresh(rows, known, created)
        self._l10n_cn_translate(rows)
        return created

    @api.model
    def _l10n_cn_counties_loaded(self):
        """Whether :meth:`_l10n_cn_load` has loaded counties before."""
        return bool(self.env.ref(f"{MODULE}.cn_110101", raise_if_not_found=False))

    @api.model
    def _l10n_cn_rows(self, path):
        with file_open(path, "r") as file:
            return list(csv.DictReader(file))

    @api.model
    def _l10n_cn_known(self, rows):
        """``{name of external id: region}`` of the rows that are there already; adopts those made by hand."""
        data = self.env["ir.model.data"].search([("module", "=", MODULE), ("model", "=", self._name)])
        regions = self.with_context(active_test=False)
        existing = regions.search([("id", "in", data.mapped("res_id"))])
        by_id = {region.id: region for region in existing.with_env(self.env)}  # read in one go later
        known = {item.name: by_id[item.res_id] for item in data if item.res_id in by_id}
        missing = {row["code"]: row["id"] for row in rows if row["id"] not in known}
        same_code = regions.search([("code", "in", list(missing)), ("country_id", "=", self.env.ref("base.cn").id)])
        adopted = [
            {"xml_id": f"{MODULE}.{missing[region.code]}", "record": region, "noupdate": True} for region in same_code
        ]
        self.env["ir.model.data"]._update_xmlids(adopted)
        known.update((missing[region.code], region.with_env(self.env)) for region in same_code)
        return known

    @api.model
    def _l10n_cn_vals(self, row, known):
        parent = known[row["parent_id/id"]] if row["parent_id/id"] else self.browse()
        return {
            # Where somebody has archived a region, what lies in it is not wanted either.
            "active": not parent or parent.active,
            "name": row["name"],
            "code": row["code"],
            "level": row["level"],
            "parent_id": parent.id,
            "country_id": row["country_id"],
            "state_id": row["state_id"] or False,
            "match_names": row["match_names"] or False,
        }

    @api.model
    def _l10n_cn_refresh(self, rows, known, created):
        """Write what the standard has changed since the regions were loaded; no write when nothing has."""
        fresh = set(created._ids)
        older = [(row, known[row["id"]].id) for row in rows if known[row["id"]].id not in fresh]
        source = self.with_context(lang="en_US").browse([region_id for _row, region_id in older])
        for (row, _region_id), region in zip(older, source, strict=True):
            spellings = (region.match_names or "").splitlines()
            spellings += [name for name in row["match_names"].splitlines() if name not in spellings]
            vals = {
                "name": row["name"],
                "level": row["level"],
                "match_names": "\n".join(spellings) or False,
                "state_id": row["state_id"] or False,
            }
            vals = {
                name: value
                for name, value in vals.items()
                if region._fields[name].convert_to_write(region[name], region) != value
            }
            if vals:
                region.write(vals)

    @api.model
    def _l10n_cn_translate(self, rows=None, overwrite=False):
        """Give the regions their Chinese names, in every installed Chinese of the mainland.

        :param bool overwrite: also where somebody has changed the Chinese name
        """
        if not self.env["res.lang"]._lang_get("zh_CN"):
            return
        if rows is None:
            rows = self._l10n_cn_rows(REGION_FILE)
            if self._l10n_cn_counties_loaded():
                rows += self._l10n_cn_rows(COUNTY_FILE)
        importer = TranslationImporter(self.env.cr, verbose=False)
        for row in rows:
            importer.model_translations[self._name]["name"][f"{MODULE}.{row['id']}"]["zh_CN"] = row["name@zh_CN"]
        importer.save(force_overwrite=overwrite)
        self.invalidate_model(["name", "complete_name"])
        # Addresses are matched by the names in all languages.
        self.env.registry.clear_cache()
