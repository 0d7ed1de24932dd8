from odoo import models


class ChannelPriceRequestPortalMixin(models.AbstractModel):
    """Files that a dealer sends with a special price request on the portal. Inherited by ``channel.price.request``."""

    _name = "channel.price.request.portal.mixin"
    _description = "Files of Special Price Requests on the Portal"

    def _portal_attach(self, files):
        """Keep files with the request, for its approvers.

        :param list files: ``[(name, content in bytes)]``
        :return: ``ir.attachment``
        :raise UserError: a file that is empty, too big or of a kind that is not accepted; none is kept then
        """
        self.ensure_one()
        self.check_access("read")
        for name, content in files:
            self.env["channel.qualification"]._check_upload(name, content, self.env._("Files"))
        # sudo: dealers may not write requests; the request is one that the user reads, the files are as sent
        return self.env["ir.attachment"].sudo().create([
            {"name": name, "raw": content, "res_model": self._name, "res_id": self.id} for name, content in files
        ])

    def _portal_files(self):
        """The files that the user's own company sent with the request; what approvers add stays with them."""
        if not self:
            return self.env["ir.attachment"]
        self.ensure_one()
        self.check_access("read")
        # sudo: attachments of a request that the user reads, of these only the ones of the own company
        return self.env["ir.attachment"].sudo().search([
            ("res_model", "=", self._name), ("res_id", "=", self.id), ("res_field", "=", False),
            ("create_uid.partner_id", "child_of", self.env.user.commercial_partner_id.id),
        ])
