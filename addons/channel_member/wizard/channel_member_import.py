from odoo import models
from odoo.fields import Command
from odoo.tools import split_every
from odoo.tools.translate import LazyTranslate

from odoo.addons.channel_base.models.channel_import_mixin import BATCH
from odoo.addons.channel_base.tools.import_plan import ImportColumn

from ..models.res_partner import GOVERNED_FIELDS

_lt = LazyTranslate(__name__)

COLUMNS = [
    ImportColumn(
        "channel_code", _lt("Member Code"), example="M00042",
        help=_lt("Of a member that exists, or one of your own; empty: given from the sequence."),
    ),
    ImportColumn("name", _lt("Name"), required=True, example="Sunrise Medical Ltd"),
    ImportColumn("channel_role", _lt("Role"), "selection", required=True, example="distributor"),
    ImportColumn("vat", _lt("Identification Number"), example="91310000MA1FL8888T"),
    ImportColumn("country", _lt("Country"), "record", resolver="country", example="CN", field="country_id",
                 help=_lt("Code or name; empty: the country of your company.")),
    ImportColumn("state", _lt("Province"), "record", example="上海市", field="state_id",
                 help=_lt("Code or name, in the country of the row.")),
    ImportColumn("city", _lt("City"), example="Shanghai"),
    ImportColumn("street", _lt("Street")),
    ImportColumn("region", _lt("Region Set by Hand"), "record", resolver="region", field="channel_region_manual_id",
                 help=_lt("Code or name; empty: the region that the address names.")),
    ImportColumn("grade", _lt("Tier"), "record", resolver="grade", field="grade_id", help=_lt("Name of the tier.")),
    ImportColumn("parent", _lt("Parent Member"), "record", field="channel_parent_id",
                 help=_lt("Code, identification number or name of a member, or of another row of the file.")),
    ImportColumn("hospital_grade", _lt("Hospital Grade"), "record", resolver="hospital_grade",
                 field="channel_hospital_grade_id", help=_lt("Code or name of the grade.")),
    ImportColumn("channel_hospital_kind", _lt("Hospital Kind"), "selection"),
    ImportColumn("email", _lt("E-mail"), example="office@sunrise.example"),
    ImportColumn("phone", _lt("Phone")),
    ImportColumn("contact_name", _lt("Contact Person"), example="Li Wei"),
    ImportColumn("contact_email", _lt("Contact's E-mail"), example="li.wei@sunrise.example"),
]


class ChannelMemberImport(models.TransientModel):
    """Members from a table.

    A row is the member that has its code, else its identification number, else (when it has neither) its name. New ones
    begin as applicants: admission stays a decision. A parent may stand in the same file, before or after its members.
    """

    _name = "channel.member.import"
    _description = "Import of Members"
    _inherit = "channel.member.import.mixin"
    _import_model = "res.partner"

    # === WHAT THE FILE SAYS === #

    def _import_columns(self):
        return COLUMNS

    def _header_required(self):
        return ["name"]

    def _resolve_grade(self, texts):
        return self._resolve_by(
            "res.partner.grade", texts, ("name",), [("company_id", "in", [False, *self.env.companies.ids])]
        )

    def _resolve_hospital_grade(self, texts):
        return self._resolve_by("channel.hospital.grade", texts, ("code", "name"))

    def _import_key(self, values):
        for name, key in (("channel_code", "code"), ("vat", "vat"), ("name", "name")):
            if values.get(name):
                return key, self._fold(values[name])
        return None

    def _import_existing(self, entries):
        result = {}
        members = self.env["res.partner"].with_context(active_test=False)
        for kind, field in (("code", "channel_code"), ("vat", "vat"), ("name", "name")):
            texts = {entry.values[field] for entry in entries if entry.key and entry.key[0] == kind}
            spellings = {spelling for text in texts for spelling in (text, text.upper(), self._fold(text))}
            found = members.search_fetch(
                [(field, "in", list(spellings)), ("channel_role", "!=", False)], [field]
            ) if texts else members
            for record in found:
                key = kind, self._fold(record[field])
                result[key] = result.get(key, members.browse()) | record
        return result

    # === CHECK === #

    def _import_check(self, entries):
        problems = [*self._check_state(entries), *self._check_numbers(entries), *self._check_regions(entries)]
        problems += self._check_parents(entries, {problem.row for problem in problems})
        return problems + self._check_governed(entries)

    def _country(self, entry):
        return (
            entry.values.get("country") or entry.record and entry.record.country_id or self.env.company.country_id
        )

    def _check_state(self, entries):
        """Provinces are found within the country of their row."""
        asked = [entry for entry in entries if "state" in entry.values]
        texts = {entry.values["state"] for entry in asked}
        states = self.env["res.country.state"].search(
            [("country_id", "in", list({self._country(entry).id for entry in asked}))]
        ) if texts else self.env["res.country.state"]
        index = {}
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for language in languages:
            for state in states.with_context(lang=language):
                for text in (state.name, state.code):
                    index[state.country_id.id, self._fold(text)] = states.browse(state.id)
        problems = []
        for entry in asked:
            text = entry.values.pop("state")
            country = self._country(entry)
            state = index.get((country.id, self._fold(text)))
            if state:
                entry.values["state"] = state
            else:
                problems.append(self._problem(
                    entry, "state", "unknown", self.env._("is no province of %s", country.name or "–"),
                    self.env._("Correct the province, or the country."),
                ))
        return problems

    def _check_numbers(self, entries):
        """Identification numbers: well-formed, and of nobody else, also outside the user's regions."""
        partners = self.env["res.partner"]
        numbers = {entry.values["vat"] for entry in entries if entry.values.get("vat")}
        codes = {entry.values["channel_code"] for entry in entries if entry.values.get("channel_code")}
        # sudo: that a number is taken must be known also when its member lies in another region; no more is said
        others = partners.sudo().with_context(active_test=False).search_fetch(
            [("channel_role", "!=", False), "|", ("vat", "in", list(numbers)), ("channel_code", "in", list(codes))],
            ["vat", "channel_code"],
        ) if numbers or codes else partners
        by_vat, by_code = others.grouped("vat"), others.grouped("channel_code")
        problems = []
        for entry in entries:
            vat, code, own = entry.values.get("vat"), entry.values.get("channel_code"), entry.record
            country = self._country(entry)
            if vat and country and not partners._channel_vat_fits(country, vat):
                problems.append(self._problem(
                    entry, "vat", "number_invalid",
                    self.env._("is no valid identification number in %s", country.name),
                    self.env._("Correct the number: its length, parts or check digit do not fit."),
                ))
            for column, value, index in (("vat", vat, by_vat), ("channel_code", code, by_code)):
                taken = value and index.get(value)
                if taken and taken.ids != (own.ids if own else []):
                    problems.append(self._problem(
                        entry, column, "taken", self.env._("belongs to another member"),
                        self.env._("Name that member by its code, or correct the number."),
                    ))
        return problems

    def _check_regions(self, entries):
        """A regional user enters members of the own regions only."""
        own = self._own_regions()
        if own is None:
            return []
        addresses = {}
        for entry in entries:
            record = entry.record or self.env["res.partner"]
            manual = entry.values.get("region") or record.channel_region_manual_id
            addresses[entry.number] = manual.id or (
                record.id,
                (
                    self._country(entry).id,
                    (entry.values.get("state") or record.state_id).id,
                    entry.values.get("city") or record.city or False,
                ),
            )
        regions = self.env["channel.region"]._regions_of_partners(
            {address for address in addresses.values() if isinstance(address, tuple)}
        )
        return [
            self._problem(
                entry, "region", "foreign_region", self.env._("lies outside your regions"),
                self.env._("Leave the member to whoever is in charge of its region."),
            )
            for entry in entries
            if regions.get(addresses[entry.number], addresses[entry.number]) not in own
        ]

    def _check_governed(self, entries):
        """What only those who admit members may change of an admitted one."""
        if self.env["res.partner"]._channel_may_govern():
            return []
        problems = []
        for entry in entries:
            if entry.record and entry.record.channel_state not in (False, "applicant"):
                changed = GOVERNED_FIELDS & self._differences(entry.record, self._import_vals(entry)).keys()
                problems += [
                    self._problem(
                        entry, "", "governed",
                        self.env._("the member is admitted: you may not change %s", self._field_label(name)),
                        self.env._("Leave the change to Channel Manager or Compliance."),
                    )
                    for name in sorted(changed)
                ]
        return problems

    def _field_label(self, name):
        return self.env["res.partner"]._fields[name]._description_string(self.env)

    def _check_parents(self, entries, rejected):
        """Find the members above: in the database, else among the rows that are in order.

        A row whose parent's row is rejected is rejected with it.
        """
        asked = [entry for entry in entries if "parent" in entry.values]
        found = self._resolve_member({entry.values["parent"] for entry in asked}) if asked else {}
        rows = {}
        for entry in entries:
            for name in ("channel_code", "vat", "name"):
                if entry.values.get(name):
                    rows.setdefault((name, self._fold(entry.values[name])), []).append(entry)
        problems, waiting = [], []
        for entry in asked:
            text = entry.values.pop("parent")
            records = found.get(text)
            if records and len(records) == 1:
                entry.values["parent"] = records
                continue
            same = next(
                (rows[name, self._fold(text)] for name in ("channel_code", "vat", "name")
                 if (name, self._fold(text)) in rows), [],
            )
            if records or len(same) > 1:
                problems.append(self._problem(
                    entry, "parent", "ambiguous", self.env._("stands for several members"), self.env._("Use the code.")
                ))
            elif not same or same[0] is entry:
                problems.append(self._problem(
                    entry, "parent", "unknown", self.env._("is no member, and no other row that is in order"),
                    self.env._("Correct it, or add the parent to the file."),
                ))
            else:
                waiting.append((entry, same[0]))
                entry.values["parent_row"] = same[0]
        rejected = rejected | {problem.row for problem in problems}
        while refused := [pair for pair in waiting if pair[1].number in rejected]:
            waiting = [pair for pair in waiting if pair[1].number not in rejected]
            problems += [
                self._problem(
                    entry, "parent", "parent_rejected", self.env._("is row %s, which is not in order", parent.number),
                    self.env._("Correct that row first."), value="",
                )
                for entry, parent in refused
            ]
            rejected |= {entry.number for entry, _parent in refused}
        return problems

    # === WRITE === #

    def _import_vals(self, entry):
        vals = super()._import_vals(entry)
        name, email = vals.pop("contact_name", None), vals.pop("contact_email", None)
        if not entry.record:
            vals = {"is_company": True, "country_id": self._country(entry).id, **vals}
        if (name or email) and not self._has_contact(entry, name, email):
            vals["child_ids"] = [Command.create({"name": name or email, "email": email or False})]
        return vals

    def _has_contact(self, entry, name, email):
        contacts = entry.record.child_ids if entry.record else ()
        return any(
            contact.email == email if email else contact.name == name for contact in contacts
        )

    def _import_summary(self, entry):
        return " ".join(filter(None, (entry.values.get("channel_code"), entry.values["name"])))

    def _import_create(self, entries):
        for entry in entries:
            entry.record = None
        # No log "created" for each of thousands; the journal has the file, and changes are tracked from here on.
        partners = self.env["res.partner"].with_context(tracking_disable=True).create(
            [{name: value for name, value in entry.vals.items() if name != "child_ids"} for entry in entries]
        )
        for entry, partner in zip(entries, partners.with_context(tracking_disable=False), strict=True):
            entry.record = partner

    def _write_all(self, entries, write):
        refused = super()._write_all(entries, write)
        if write == self._import_create:
            for entry in entries:
                if entry.number in {problem.row for problem in refused}:
                    entry.record = None
        return refused

    def _import_done(self, entries):
        """Put members under those that came with the same file, then add the contacts of new ones.

        In this order and in batches, because every write on a company is handed down to its contacts.
        """
        problems = []
        below = [entry for entry in entries if entry.record and "parent_row" in entry.values]
        for batch in split_every(BATCH, below, list):
            problems += self._write_batch(batch, self._link_parents)
        with_contact = [entry for entry in self._created(entries) if "child_ids" in entry.vals]
        for batch in split_every(BATCH, with_contact, list):
            problems += self._write_batch(batch, self._create_contacts)
        return problems

    def _created(self, entries):
        return [entry for entry in entries if entry.record and "is_company" in entry.vals]

    def _create_contacts(self, entries):
        self.env["res.partner"].with_context(tracking_disable=True).create([
            {**command[2], "parent_id": entry.record.id, "type": "contact"}
            for entry in entries
            for command in entry.vals["child_ids"]
        ])

    def _link_parents(self, entries):
        children = {}
        for entry in entries:
            parent = entry.values["parent_row"].record
            if parent and entry.record.channel_parent_id != parent:
                children.setdefault(parent.id, []).append(entry.record.id)
        for parent_id, child_ids in children.items():
            self.env["res.partner"].browse(child_ids).write({"channel_parent_id": parent_id})
