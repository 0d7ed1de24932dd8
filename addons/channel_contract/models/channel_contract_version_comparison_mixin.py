from difflib import SequenceMatcher

from odoo import api, models
from odoo.exceptions import UserError

from ..tools import word_diff


class ChannelContractVersionComparisonMixin(models.AbstractModel):
    """Two versions of a contract side by side: terms, lines, and clauses word by word.

    Inherited by ``channel.contract.version``.
    """

    _name = "channel.contract.version.comparison.mixin"
    _description = "Comparison of Contract Versions"

    @api.readonly
    def compare(self, other_id):
        """Compare this version with another one, which counts as the earlier.

        :param int other_id: of a ``channel.contract.version``
        :returns: ::

            {'before': {'id': int, 'number': int, 'name': str}, 'after': {the same},
             'terms': [{'path': str, 'label': str, 'before': value, 'after': value}],
             'clauses': [{'status': 'same' | 'changed' | 'inserted' | 'deleted', 'moved': bool,
                          'number_before': int | None, 'number_after': int | None,
                          'title': html, 'body': html, 'second_title': html, 'second_body': html}]}

            ``terms`` as ``difference()`` has them, with the lines that are not clauses. Clauses stand in the order of
            this version, those that were deleted where they stood. Their html has ``<del>`` and ``<ins>`` around the
            words that changed; it is empty for a clause that is the same.
        :raise AccessError: for versions that the user may not read
        """
        self.ensure_one()
        other = self.browse(other_id)
        (self | other).check_access("read")
        return {
            "before": other._comparison_head(),
            "after": self._comparison_head(),
            "terms": self._compare_terms(other),
            "clauses": self._compare_clauses(other.clause_ids, self.clause_ids),
        }

    def _comparison_head(self):
        return {"id": self.id, "number": self.number, "name": self.display_name}

    def _compare_terms(self, other):
        # sudo: names of what the terms point to (products, regions, price lists), of versions that the user may read;
        # terms that are not for the user are left out
        changes = self.sudo()._difference_from(
            other.sudo(), [name for name in self._version_line_fields if name != "clause_ids"]
        )
        return [change for change in changes if self._may_read_term(change["path"])]

    def _may_read_term(self, path):
        """Whether the user may read the field that a ``path`` of :meth:`difference` leads to."""
        name, _separator, rest = path.partition("[")
        field = self._fields[name]
        readable = self._has_field_access(field, "read")
        if readable and "]." in rest:
            lines = self.env[field.comodel_name]
            readable = lines._has_field_access(lines._fields[rest.rpartition("].")[2]], "read")
        return readable

    @api.model
    def _compare_clauses(self, old_lines, new_lines):
        # sudo: the lines are those of versions that the user may read; by which clause of the library two lines are
        # the same is found out, and not told
        old_lines, new_lines = old_lines.sudo(), new_lines.sudo()
        counterpart = self._match_clauses(old_lines, new_lines)
        stayed = self._stayed([new for new in new_lines if new in counterpart.values()], counterpart, old_lines)
        came_from = {new: old for old, new in counterpart.items()}
        # A deleted clause is shown after the clause that it followed
        deleted, anchor = {}, None
        for old in old_lines:
            if old in counterpart:
                anchor = counterpart[old]
            else:
                deleted.setdefault(anchor, []).append(self._compare_clause(old, None, False))
        rows = deleted.get(None, [])
        for new in new_lines:
            old = came_from.get(new)
            rows.append(self._compare_clause(old, new, old is not None and new not in stayed))
            rows += deleted.get(new, [])
        return rows

    @api.model
    def _match_clauses(self, old_lines, new_lines):
        """:returns: ``{line: line}`` of the same clause: by its key, else by the library, else by its title"""
        counterpart = {}
        for name in ("key", "clause_id", "title"):
            taken = set(counterpart.values())
            open_lines = {}
            for new in new_lines:
                if new[name] and new not in taken:
                    open_lines.setdefault(new[name], new)
            for old in old_lines:
                if old[name] and old not in counterpart and old[name] in open_lines:
                    counterpart[old] = open_lines.pop(old[name])
        return counterpart

    @api.model
    def _stayed(self, new_order, counterpart, old_lines):
        """:returns: the lines of the new version that follow each other as they did"""
        old_order = [counterpart[old] for old in old_lines if old in counterpart]
        matcher = SequenceMatcher(None, old_order, new_order, autojunk=False)
        return {line for block in matcher.get_matching_blocks() for line in new_order[block.b : block.b + block.size]}

    @api.model
    def _compare_clause(self, old, new, moved):
        before, after = self._clause_words(old), self._clause_words(new)
        if before and after:
            status = "same" if before == after else "changed"
        else:
            status = "inserted" if after else "deleted" if before else "same"
        clause = {
            "status": status,
            "moved": moved,
            "number_before": old.number if before else None,
            "number_after": new.number if after else None,
        }
        for name in ("title", "second_title"):
            clause[name] = word_diff.line_diff(before.get(name), after.get(name))
        for name in ("body", "second_body"):
            clause[name] = "" if status == "same" else word_diff.word_diff(before.get(name), after.get(name))
        return clause

    @api.model
    def _clause_words(self, line):
        """:returns: what is printed of a line, nothing of one that is left out"""
        if not line or line.omitted:
            return {}
        return {
            "title": line.title,
            "body": str(line.text or ""),
            "second_title": line.second_title or "",
            "second_body": str(line.second_text or ""),
        }

    def _difference_html(self):
        """The difference for the form, clauses word by word instead of twice in full."""
        previous = self._version_previous() if self.number else self.browse()
        if not previous:
            return ""
        comparison = self.compare(previous.id)
        if not comparison["terms"] and all(
            clause["status"] == "same" and not clause["moved"] for clause in comparison["clauses"]
        ):
            return ""
        return self.env["ir.qweb"]._render(
            "channel_contract.comparison", {"comparison": comparison, "only_changes": True}
        )

    # === ACTION METHODS ===#

    def action_compare(self):
        """Open the comparison with the version that this one was made from; two chosen in a list with each other."""
        if len(self) > 2:
            raise UserError(self.env._("Choose one version, or the two that are compared."))
        after = self.sorted("number")[-1:]
        before = (self - after) or after._version_previous()
        return self.env["channel.contract.comparison"]._open(after, before)
