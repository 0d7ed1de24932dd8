from odoo import models
from odoo.tools.translate import LazyTranslate

from odoo.addons.channel_base.tools.import_plan import ImportColumn

_lt = LazyTranslate(__name__)
SEVERAL = _lt("Several are separated by ; or a line break.")

COLUMNS = [
    ImportColumn("number", _lt("Letter Number"), example="AUTH/2026/00012",
                 help=_lt("Of an authorization that exists, or your own number; empty: given from the sequence.")),
    ImportColumn("member", _lt("Member"), "record", required=True, resolver="member", field="partner_id",
                 example="M00042", help=_lt("Code, identification number or name.")),
    ImportColumn("all_products", _lt("All Products"), "boolean", example="no"),
    ImportColumn("products", _lt("Products"), "records", resolver="product", field="product_ids", help=SEVERAL,
                 example="CATH-6F;CATH-8F"),
    ImportColumn("product_categories", _lt("Product Categories"), "records", resolver="product_category",
                 field="product_categ_ids", help=SEVERAL),
    ImportColumn("device_categories", _lt("Device Categories"), "records", resolver="device_category",
                 field="device_category_ids", help=_lt("Codes; where not unique with the catalogue: cn_2017/13."),
                 example="13;14"),
    ImportColumn("registrations", _lt("Registration Certificates"), "records", resolver="registration",
                 field="registration_ids", help=SEVERAL),
    ImportColumn("regions", _lt("Regions"), "records", resolver="region", field="region_ids", help=SEVERAL,
                 example="310000;320000"),
    ImportColumn("customers", _lt("End Customers"), "records", resolver="hospital", field="customer_ids", help=SEVERAL),
    ImportColumn("excluded_regions", _lt("Excluded Regions"), "records", resolver="region",
                 field="excluded_region_ids", help=SEVERAL),
    ImportColumn("excluded_customers", _lt("Excluded End Customers"), "records", resolver="hospital",
                 field="excluded_customer_ids", help=SEVERAL),
    ImportColumn("exclusive", _lt("Exclusive"), "boolean", example="no"),
    ImportColumn("date_from", _lt("Valid From"), "date", required=True, example="2026-01-01"),
    ImportColumn("date_to", _lt("Valid To"), "date", example="2026-12-31",
                 help=_lt("Last day; empty: until it is revoked.")),
    ImportColumn("note", _lt("Further Terms")),
]
PRODUCTS = ("all_products", "products", "product_categories", "device_categories", "registrations")


class ChannelAuthorizationImport(models.TransientModel):
    """Authorizations from a table, as drafts: somebody else approves them.

    A row is the authorization with its letter number; rows without one are the draft of the same member with the same
    first day and the same products and territory, so that importing a file twice makes no second draft.
    """

    _name = "channel.authorization.import"
    _description = "Import of Authorizations"
    _inherit = "channel.member.import.mixin"
    _import_model = "channel.authorization"

    def _import_columns(self):
        return COLUMNS

    def _resolve_product(self, texts):
        return self._resolve_by("product.product", texts, ("default_code", "barcode"))

    def _resolve_device_category(self, texts):
        found = self._resolve_by("channel.device.category", texts, ("code",))
        schemes = {text: text.split("/", 1) for text in texts if "/" in text}
        if schemes:
            named = self.env["channel.device.category"].search(
                [("code", "in", [code.strip() for _scheme, code in schemes.values()])]
            )
            by_scheme = {(category.scheme, category.code): category for category in named}
            for text, (scheme, code) in schemes.items():
                category = by_scheme.get((scheme.strip(), code.strip()))
                if category:
                    found[text] = category
        return found

    def _resolve_registration(self, texts):
        return self._resolve_by("channel.registration", texts, ("number",), [("state", "!=", "draft")])

    def _import_key(self, values):
        if values.get("number"):
            return "number", self._fold(values["number"])
        if "member" not in values or "date_from" not in values:
            return None
        return self._content_key(
            values["member"].id, values["date_from"], bool(values.get("all_products")),
            {column.field: values[column.name].ids for column in COLUMNS
             if column.kind == "records" and column.name in values},
        )

    def _content_key(self, member_id, date_from, all_products, ids_by_field):
        return "content", member_id, date_from, all_products, tuple(
            (column.field, tuple(sorted(ids_by_field.get(column.field, ())))) for column in COLUMNS
            if column.kind == "records"
        )

    def _import_existing(self, entries):
        authorizations = self.env["channel.authorization"]
        numbers = {entry.values["number"] for entry in entries if entry.values.get("number")}
        by_content = [entry for entry in entries if entry.key and entry.key[0] == "content"]
        result = {}
        for record in authorizations.search([("number", "in", list(numbers))]) if numbers else ():
            result["number", self._fold(record.number)] = record
        drafts = authorizations.search([
            ("company_id", "=", self.env.company.id), ("state", "!=", "cancelled"),
            ("partner_id", "in", list({entry.values["member"].id for entry in by_content})),
            ("date_from", "in", list({entry.values["date_from"] for entry in by_content})),
        ]) if by_content else ()
        for record in drafts:
            key = self._content_key(
                record.partner_id.id, record.date_from, record.all_products,
                {column.field: record[column.field].ids for column in COLUMNS if column.kind == "records"},
            )
            # of several equal ones the first: which of them is meant makes no difference
            result.setdefault(key, record)
        return result

    def _import_check(self, entries):
        problems = []
        for entry in entries:
            values, record = entry.values, entry.record
            start = values.get("date_from") or record and record.date_from
            if values.get("date_to") and start and values["date_to"] < start:
                problems.append(self._problem(
                    entry, "date_to", "dates_reversed", self.env._("lies before the first day"),
                    self.env._("Correct one of the two dates."),
                ))
            if not record and not any(values.get(name) for name in PRODUCTS):
                problems.append(self._problem(
                    entry, "products", "no_products", self.env._("names no product"),
                    self.env._("Name products, categories or certificates, or write yes under All Products."),
                ))
            if not record and not values.get("regions") and not values.get("customers"):
                problems.append(self._problem(
                    entry, "regions", "no_territory", self.env._("names no territory"),
                    self.env._("Name regions or end customers."),
                ))
            if record and record.state != "draft" and self._differences(record, self._import_vals(entry)):
                problems.append(self._problem(
                    entry, "number", "decided", self.env._("has been decided already and does not change"),
                    self.env._("Revoke it, and import the new one under another number."), value=record.number,
                ))
        return problems

    def _import_vals(self, entry):
        vals = super()._import_vals(entry)
        if entry.record:
            # what found it is not changed by it
            vals.pop("number", None)
        else:
            vals["company_id"] = self.env.company.id
        return vals

    def _import_summary(self, entry):
        return " ".join(filter(None, (entry.values.get("number"), entry.values["member"].display_name)))

    def _import_create(self, entries):
        self.env["channel.authorization"].with_context(tracking_disable=True).create([entry.vals for entry in entries])
