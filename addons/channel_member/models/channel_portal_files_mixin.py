from odoo import models


class ChannelPortalFilesMixin(models.AbstractModel):
    """Files that a member sends with a document on the portal, such as a request or an appeal.

    What a company's people sent is theirs to see again; what we add to the same document stays with us.
    """

    _name = "channel.portal.files.mixin"
    _description = "Files Sent on the Portal"

    def _portal_attach(self, files):
        """Keep files with the document.

        :param list files: ``[(name, content in bytes)]``
        :return: ``ir.attachment``
        :raise UserError: a file that is empty, too big or of a kind that is not accepted; none is kept then
        """
        self.ensure_one()
        self.check_access("read")
        for name, content in files:
            self.env["channel.qualification"]._check_upload(name, content, self.env._("Files"))
        # sudo: members may not write the document; it is one that the user reads, the files are as sent
        return self.env["ir.attachment"].sudo().create([
            {"name": name, "raw": content, "res_model": self._name, "res_id": self.id} for name, content in files
        ])

    def _portal_files(self):
        """The files that the user's own company sent."""
        if not self:
            return self.env["ir.attachment"]
        self.ensure_one()
        self.check_access("read")
        # sudo: attachments of a document that the user reads, of these only the ones of the own company
        return self.env["ir.attachment"].sudo().search([
            ("res_model", "=", self._name), ("res_id", "=", self.id), ("res_field", "=", False),
            ("create_uid.partner_id", "child_of", self.env.user.commercial_partner_id.id),
        ])
