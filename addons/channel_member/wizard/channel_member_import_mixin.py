from odoo import api, models


class ChannelMemberImportMixin(models.AbstractModel):
    """What the imports of the channel look up: members, regions, and what hangs on them."""

    _name = "channel.member.import.mixin"
    _description = "Import about Members"
    _inherit = "channel.import.mixin"

    def _resolve_member(self, texts):
        """Members by code, identification number or exact name, among those that the user may see."""
        return self._resolve_by("res.partner", texts, ("channel_code", "vat", "name"), [("channel_role", "!=", False)])

    def _resolve_hospital(self, texts):
        return self._resolve_by(
            "res.partner", texts, ("channel_code", "vat", "name"), [("channel_role", "=", "hospital")]
        )

    def _resolve_region(self, texts):
        return self._resolve_by("channel.region", texts, ("code", "name"))

    def _resolve_country(self, texts):
        return self._resolve_by("res.country", texts, ("code", "name"))

    def _resolve_product_category(self, texts):
        categories = self.env["product.category"]
        found = self._resolve_by("product.category", texts, ("name",))
        # a path tells categories of one name apart
        paths = {text for text in texts if "/" in text}
        if paths:
            ends = {self._fold(text.rsplit("/", 1)[1]) for text in paths}
            named = categories.search([("name", "in", [text.rsplit("/", 1)[1].strip() for text in paths])])
            by_path = {
                self._fold("/".join(part.strip() for part in category.complete_name.split("/"))): category
                for category in named if self._fold(category.name) in ends
            }
            for text in paths:
                category = by_path.get(self._fold("/".join(part.strip() for part in text.split("/"))))
                if category:
                    found[text] = category
        return found

    @api.model
    def _own_regions(self):
        """Return the ids of the regions that a regional user works in, None for everybody else."""
        user = self.env.user
        if not user.channel_is_regional:
            return None
        return set(self.env["channel.region"].search([("id", "child_of", user.channel_region_ids.ids)]).ids)
