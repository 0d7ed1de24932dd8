from markupsafe import Markup

from odoo import api, models

from ..tools.admission import DEVICE_CLASSES, PARTICULARS


class ChannelAdmissionChangeMixin(models.AbstractModel):
    """Particulars before and after: what a re-audit or a change takes from the member, and what it would change.

    Inherited by ``channel.admission``.
    """

    _name = "channel.admission.change.mixin"
    _description = "Particulars That an Admission Changes"

    @api.depends("before_values", *PARTICULARS, "bank_name")
    def _compute_difference_html(self):
        for admission in self:
            changes = admission._difference()
            rows = Markup().join(
                Markup("<tr><td>%s</td><td class='text-muted'><del>%s</del></td><td>%s</td></tr>")
                % (change["label"], change["before"] or "", change["after"] or "")
                for change in changes
            )
            admission.difference_html = changes and Markup(
                "<div class='table-responsive'><table class='table table-sm'>"
                "<thead><tr><th>%s</th><th>%s</th><th>%s</th></tr></thead><tbody>%s</tbody></table></div>"
            ) % (self.env._("Particular"), self.env._("Before"), self.env._("After"), rows)

    @api.model
    def _particulars(self, partner):
        """Particulars of a member as plain JSON: ``{field of the admission: value}``, ids for relations."""
        values = {}
        for name, partner_field in PARTICULARS.items():
            value = partner[partner_field]
            values[name] = (value.id if partner._fields[partner_field].type == "many2one" else value) or False
        bank = partner.bank_ids[:1]
        return {**values, "bank_account": bank.acc_number or False, "bank_name": bank.bank_id.name or False}

    @api.model
    def _member_vals(self, partner):
        """Values of a re-audit or a change, prefilled from the member."""
        contact = partner.child_ids.filtered(lambda child: child.type == "contact" and child.email)[:1]
        values = self._particulars(partner)
        scope_types = partner.channel_qualification_ids.filtered(lambda q: q.state == "verified").type_id
        return {
            **values,
            "contact_name": contact.name or partner.name,
            "email": contact.email or partner.email,
            "grade_id": partner.grade_id.id,
            **{
                field: any(scope_types.filtered("mandatory").mapped(field))
                for field in DEVICE_CLASSES.values()
            },
        }

    def _difference(self):
        """What a change of particulars changes: ``[{"field", "label", "before", "after"}]``, as a person reads it."""
        self.ensure_one()
        # sudo: account numbers are compared for everybody and shown masked
        admission = self.sudo()
        if admission.kind == "new" or not admission.before_values:
            return []
        changes = []
        for name in (*PARTICULARS, "bank_name", "bank_account"):
            before = admission.before_values.get(name) or False
            value = admission[name]
            after = (value.id if self._fields[name].type == "many2one" else value) or False
            if before == after:
                continue
            changes.append({
                "field": name,
                "label": self._fields[name]._description_string(self.env),
                "before": self._readable(name, before),
                "after": self._readable(name, after),
            })
        return changes

    def _readable(self, name, value):
        field = self._fields[name]
        if not value:
            return ""
        if name == "bank_account":
            return self._masked(value)
        if field.type == "many2one":
            # sudo: a name only, of what the reader's own document points to
            return self.env[field.comodel_name].sudo().browse(value).exists().display_name or ""
        if field.type == "selection":
            return dict(field._description_selection(self.env)).get(value, value)
        return str(value)

    @api.model
    def _masked(self, account):
        """The last four characters of an account number, enough to recognise it."""
        return f"…{account[-4:]}" if account else None
