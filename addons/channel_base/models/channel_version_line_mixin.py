from odoo import api, models
from odoo.exceptions import UserError

from .channel_approval_mixin import _APPROVER
from .channel_version_mixin import _GUARD_FUNCTION, _readable, _text, create_guard


class ChannelVersionLineMixin(models.AbstractModel):
    """A child of a version: as fixed as the version itself.

    The model names the many2one to its version in :attr:`_version_field` (for a child of a child: a related
    field that leads to the version). Lines of two versions are told to be the same by
    :attr:`_version_key_fields`.
    """

    _name = "channel.version.line.mixin"
    _description = "Line of a Version"

    #: Name of the many2one (or related field) to the version.
    _version_field = None
    #: Names of the fields by which a line is found again in another version; the display name when empty.
    _version_key_fields = ()

    def init(self):
        super().init()
        if not self._auto or self._abstract or self._version_field not in self._fields:
            return
        field = self._fields[self._version_field]
        if field.column_type and getattr(self.env[field.comodel_name], "_version_guarded", False):
            terms = [name for name in self._version_terms() if self._fields[name].column_type]
            self.env.cr.execute(_GUARD_FUNCTION)
            create_guard(
                self.env.cr,
                self._table,
                "line",
                [self.env[field.comodel_name]._table, self._version_field, *sorted(terms)],
            )

    # === HOOKS === #

    def _version_terms(self):
        """Return the names of the fields that are terms: by default every stored one that is entered."""
        technical = set(models.MAGIC_COLUMNS) | {self._version_field, "display_name"}
        return [
            name
            for name, field in self._fields.items()
            if field.store
            and name not in technical
            and field.type != "one2many"
            and not (field.compute and field.readonly)
        ]

    # === CRUD === #

    @api.model_create_multi
    def create(self, vals_list):
        # Before anything is written: the database refuses lines of approved versions less politely
        named = {vals[self._version_field] for vals in vals_list if vals.get(self._version_field)}
        if named:
            self._check_versions_open(self.env[self._fields[self._version_field].comodel_name].browse(named))
        lines = super().create(vals_list)
        lines._check_version_open()
        return lines

    def write(self, vals):
        if not set(vals) & {*self._version_terms(), *self._structure_fields()}:
            return super().write(vals)
        # before the version is looked at, whose name is told in the refusal
        self.check_access("write")
        self._check_version_open()
        result = super().write(vals)
        self._check_version_open()
        return result

    def unlink(self):
        self.check_access("unlink")
        self._check_version_open()
        return super().unlink()

    @api.model
    def _structure_fields(self):
        """Return the names of the fields that place the line: its parent, and its own children."""
        return {
            name
            for name, field in self._fields.items()
            if name == self._version_field
            or field.type == "one2many"
            and field.comodel_name in self.env
            and hasattr(self.env[field.comodel_name], "_version_field")
        }

    def _check_version_open(self):
        """Refuse unless the versions are drafts that nobody reviews, and make the user their last editor."""
        # sudo: a version that the user may not see is closed all the same
        self._check_versions_open(self.sudo()[self._version_field])

    def _check_versions_open(self, versions):
        # sudo: as above; only the state is read, and the name of the user who edits it is written.
        versions = versions.sudo()
        for version in versions:
            if version[version._state_field] not in version._state_from:
                raise UserError(
                    self.env._(
                        "%(version)s is not a draft any more: its lines (%(lines)s) cannot be changed. "
                        "Make a new version.",
                        version=version.display_name,
                        lines=self._description,
                    )
                )
            own = version.with_user(self.env.user)
            if version.review_ids and not own._check_allow_write_under_validation(
                dict.fromkeys(version._version_line_fields)
            ):
                raise UserError(
                    self.env._(
                        "%(version)s is under validation: "
                        "restart the validation before its lines (%(lines)s) are changed.",
                        version=version.display_name,
                        lines=self._description,
                    )
                )
        edited = versions.filtered(lambda v: v.terms_editor_id.id != self.env.uid)
        if edited:
            _APPROVER.open(edited).write({"terms_editor_id": self.env.uid})

    # === DIFFERENCE === #

    def _by_key(self):
        """Return ``{key: line}``; lines with the same key are numbered."""
        lines = {}
        for line in self:
            key = line._version_key()
            number = 2
            unique = key
            while unique in lines:
                unique = f"{key} ({number})"
                number += 1
            lines[unique] = line
        return lines

    def _version_key(self):
        self.ensure_one()
        names = self._version_key_fields
        if not names:
            return self.display_name or ""
        return " / ".join(_text(_readable(self, name)) for name in names)

    def _summary(self):
        """Return the line's terms in one text, for a line that was added or removed."""
        return ", ".join(
            f"{self._label(name)}: {_text(self._readable(name))}"
            for name in self._version_terms()
            if name not in self._version_key_fields and self[name]
        )

    def _readable(self, name):
        return _readable(self, name)

    def _label(self, name):
        return self._fields[name]._description_string(self.env)
