import tempfile

from werkzeug.exceptions import NotFound
from werkzeug.wsgi import wrap_file

from odoo import fields, http
from odoo.http import content_disposition, request


class ChannelContractArchive(http.Controller):
    @http.route("/channel/contract/<int:contract_id>/archive.zip", type="http", auth="user")
    def channel_contract_archive(self, contract_id, **kwargs):
        """Everything about a contract, for who may take it along; the contract's own code decides who that is."""
        contract = request.env["channel.contract"].browse(contract_id).exists()
        if not contract or not contract.has_access("read"):
            raise NotFound()
        output = tempfile.TemporaryFile()  # noqa: SIM115  # closed by the server when it was sent
        contract._write_archive(output)
        size = output.tell()
        output.seek(0)
        day = fields.Date.to_string(contract.company_id._channel_today())
        name = f"{(contract.name or 'contract').replace('/', '-')}-{day}.zip"
        return request.make_response(
            wrap_file(request.httprequest.environ, output),
            headers=[
                ("Content-Type", "application/zip"),
                ("Content-Length", str(size)),
                ("Content-Disposition", content_disposition(name)),
                ("Cache-Control", "no-store"),
            ],
        )
