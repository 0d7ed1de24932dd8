from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain


class ChannelVersionedBaseMixin(models.AbstractModel):
    """What a versioned document can do, without any field: for models of Odoo, whose fields need a prefix.

    The model names the one2many to its versions in :attr:`_versions_field`.
    """

    _name = "channel.versioned.base.mixin"
    _description = "Versioned Document (Methods)"

    #: Name of the one2many to a model that inherits ``channel.version.mixin``.
    _versions_field = "version_ids"

    @api.ondelete(at_uninstall=False)
    def _unlink_except_approved_version(self):
        version = self._version_model()
        # sudo: a version that the user cannot see is in force all the same
        kept = version.sudo().search(
            [
                (version._version_identity, "in", self.ids),
                ("state", "in", ("approved", "superseded")),
            ],
            limit=1,
        )
        if kept:
            raise UserError(
                self.env._(
                    "%s has been approved and cannot be deleted: archive or end the document instead.",
                    kept.display_name,
                )
            )

    # === BUSINESS === #

    @api.model
    def _version_model(self):
        """Return the model of the versions, empty."""
        return self.env[self._fields[self._versions_field].comodel_name]

    def _version_counts(self):
        """Return ``{document: number of its versions}``; documents without any are missing."""
        version = self._version_model()
        return dict(
            version._read_group([(version._version_identity, "in", self.ids)], [version._version_identity], ["__count"])
        )

    def _version_at(self, date):
        """Return the version in force on a date, or an empty recordset.

        :param date: a date, or its ISO text
        """
        self.ensure_one()
        return self._versions_at(date)[self.id]

    def _versions_at(self, date):
        """Return the versions in force on a date, for any number of documents in one query.

        :param date: a date, or its ISO text
        :return: ``{document_id: version}``, an empty version where none is in force
        """
        version = self._version_model()
        in_force = version.search(
            version._version_standing_domain()
            & Domain(version._version_identity, "in", self.ids)
            & Domain("valid_from", "<=", date)
            & (Domain("valid_to", "=", False) | Domain("valid_to", ">=", date))
        )
        by_document = in_force.grouped(version._version_identity)
        return {document.id: by_document.get(document, version) for document in self}

    def action_new_version(self):
        """Open a draft of the next version: a copy of the one in force, or of the latest one approved.

        A draft that exists already is opened instead of a second one.

        :return: the action of the draft's form
        """
        self.ensure_one()
        version = self._version_model()
        identity = version._version_identity
        draft = version.search([(identity, "=", self.id), ("state", "=", "draft")], limit=1)
        action = {
            "type": "ir.actions.act_window",
            "res_model": version._name,
            "view_mode": "form",
            "views": [(False, "form")],
        }
        if not draft:
            source = version._version_base(self)[self.id]
            if not source:
                # Nothing to copy: the form asks for what a first version needs.
                return {
                    **action,
                    "context": {
                        f"default_{identity}": self.id,
                        "default_valid_from": fields.Date.context_today(self),
                    },
                }
            draft = source._version_copy()
        return {**action, "res_id": draft.id}
