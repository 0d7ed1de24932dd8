import re

from odoo import models
from odoo.fields import Command, Domain
from odoo.tools.mail import email_normalize

from ..tools.admission import APPLICANT_FIELDS, DEVICE_CLASSES, MAX_CHAR, AdmissionError

#: Longest text of several lines that an applicant may give.
MAX_TEXT = 4000
EMAIL_PATTERN = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class ChannelAdmissionApplicantMixin(models.AbstractModel):
    """What an applicant sent, by the portal or the API, checked value by value before anything is stored.

    Inherited by ``channel.admission``; the entry is :meth:`_applicant_vals`.
    """

    _name = "channel.admission.applicant.mixin"
    _description = "Values That an Applicant Gave"

    def _applicant_vals(self, values):
        """Values for create or write from what an applicant sent, checked one by one."""
        vals, errors = {}, []

        def error(field, value, message, remedy=""):
            errors.append({"field": field, "value": value, "message": message, "remedy": remedy})

        aliases = {"country", "state", "device_classes", "regions", "product_categories", "hospitals"}
        allowed = {*APPLICANT_FIELDS, *aliases, "source", "external_id", "company_id"}
        for name in values.keys() - allowed:
            error(name, values[name], self.env._("“%s” is not a field of an application.", name),
                  self.env._("Leave it out."))
        for name in APPLICANT_FIELDS:
            if name in values and not self._fields[name].relational:
                try:
                    vals[name] = self._applicant_value(name, values[name])
                except ValueError as problem:
                    error(name, values[name], *problem.args)
        self._applicant_places(values, vals, error)
        self._applicant_wishes(values, vals, error)
        if errors:
            raise AdmissionError(errors)
        return vals

    def _applicant_value(self, name, value):
        """One plain value, checked.

        :raise ValueError: with message and remedy
        """
        field = self._fields[name]
        if field.type == "boolean":
            return value in (True, 1, "1", "on", "true", "True")
        if value in (None, False, ""):
            return False
        if field.type == "selection":
            keys = dict(field._description_selection(self.env))
            if value not in keys:
                raise ValueError(
                    self.env._("“%s” is not known.", value), self.env._("Use one of: %s.", ", ".join(keys))
                )
            return value
        text = str(value).strip()
        limit = MAX_TEXT if field.type == "text" else MAX_CHAR
        if len(text) > limit:
            raise ValueError(self.env._("The text is too long."), self.env._("Use %s characters at most.", limit))
        if name == "email" and not (email_normalize(text) and EMAIL_PATTERN.fullmatch(text)):
            raise ValueError(
                self.env._("“%s” is not an e-mail address.", text), self.env._("Write it as name@company.com.")
            )
        return text

    def _applicant_places(self, values, vals, error):
        """Country and province, by code, name or id."""
        # sudo: names of countries are no secret
        countries, states = self.env["res.country"].sudo(), self.env["res.country.state"].sudo()
        country = self.country_id.sudo()
        if "country" in values or "country_id" in values:
            value = values.get("country", values.get("country_id"))
            country = (
                countries.search([("code", "=", value.strip().upper())])
                if isinstance(value, str) and not value.strip().isdigit()
                else countries.browse(int(value or 0)).exists()
            )
            if value and not country:
                error("country", value, self.env._("There is no country “%s”.", value),
                      self.env._("Use the two letters of ISO 3166."))
            vals["country_id"] = country.id
        if "state" in values or "state_id" in values:
            value = values.get("state", values.get("state_id"))
            if isinstance(value, str) and not value.strip().isdigit():
                value = value.strip()
                state = states.search([
                    ("country_id", "=", country.id), "|", ("code", "=", value), ("name", "=ilike", value),
                ], limit=1)
            else:
                state = states.browse(int(value or 0)).exists()
            if value and (not state or state.country_id != country):
                error("state", value, self.env._("“%(state)s” is not a province of %(country)s.", state=value,
                                                 country=country.name or ""),
                      self.env._("Use its code or its name."))
            vals["state_id"] = state.id

    def _applicant_wishes(self, values, vals, error):
        """Device classes, regions, products and hospitals, by code, name or id."""
        if "device_classes" in values:
            wanted = values["device_classes"] or []
            for value in set(wanted) - set(DEVICE_CLASSES):
                error("device_classes", value, self.env._("There is no device class “%s”.", value),
                      self.env._("Use I, II and III."))
            vals.update({name: device_class in wanted for device_class, name in DEVICE_CLASSES.items()})
        for alias, name, by in (
            ("regions", "region_ids", "code"),
            ("product_categories", "product_categ_ids", "complete_name"),
            ("hospitals", "customer_ids", "channel_code"),
        ):
            if alias not in values and name not in values:
                continue
            wanted = list(values.get(alias, values.get(name)) or [])
            # sudo: an applicant names what it wants; what is found here is not shown to it.
            model = self.env[self._fields[name].comodel_name].sudo()
            domain = Domain("channel_role", "=", "hospital") if name == "customer_ids" else Domain.TRUE
            ids = [int(value) for value in wanted if isinstance(value, int) or str(value).isdigit()]
            codes = [str(value) for value in wanted]
            found = model.search(domain & (Domain("id", "in", ids) | Domain(by, "in", codes))) if wanted else model
            by_code = {record[by]: record for record in found}
            by_id = {record.id: record for record in found}
            records = model
            for value in wanted:
                # A code may be all digits: it goes before the id when codes were asked for.
                keys = (by_code.get(str(value)), by_id.get(int(value)) if str(value).isdigit() else None)
                record = next(filter(None, keys if alias in values else reversed(keys)), None)
                if record is None:
                    error(alias, value, self.env._("“%s” was not found.", value),
                          self.env._("Use a code of the list, or its id."))
                else:
                    records |= record
            vals[name] = [Command.set(records.ids)]
