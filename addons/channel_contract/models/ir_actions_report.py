import io

from pypdf import PdfReader, PdfWriter
from reportlab.pdfgen import canvas

from odoo import models

#: Reports whose pages are numbered, and what the number of a page is preceded by
_NUMBERED = {
    "channel_contract.report_contract": lambda version: f"{version.contract_id.name} v{version.number}",
    "channel_contract.report_evidence": lambda request: f"{request.contract_id.name} v{request.version_id.number}",
    "channel_contract.report_worksheet": lambda contract: contract.name,
    "channel_contract.report_comparison": lambda wizard: wizard.after_id.contract_id.name,
}


class IrActionsReport(models.Model):
    _inherit = "ir.actions.report"

    def _render_qweb_pdf_prepare_streams(self, report_ref, data, res_ids=None):
        """Number the pages of contracts: a page must not be exchanged, and not every PDF engine prints footers."""
        streams = super()._render_qweb_pdf_prepare_streams(report_ref, data, res_ids=res_ids)
        report = self._get_report(report_ref)
        label = _NUMBERED.get(report.report_name)
        if label and res_ids:
            for document in self.env[report.model].browse(res_ids):
                entry = streams.get(document.id)
                # What comes from an attachment was numbered when it was made, and may be sealed
                if entry and entry["stream"] and not entry["attachment"]:
                    entry["stream"] = number_pages(entry["stream"], label(document) or "")
        return streams


def number_pages(stream, label):
    """:returns: the PDF with ``label · page / pages`` at the bottom of every page"""
    writer = PdfWriter(clone_from=PdfReader(stream))
    # The fonts that every reader of PDF has know Latin letters only
    label = label if label.isascii() else ""
    total = len(writer.pages)
    for place, page in enumerate(writer.pages, 1):
        width, height = float(page.mediabox.width), float(page.mediabox.height)
        buffer = io.BytesIO()
        footer = canvas.Canvas(buffer, pagesize=(width, height))
        footer.setFont("Helvetica", 8)
        footer.setFillGray(0.4)
        footer.drawCentredString(width / 2, 26, " · ".join(filter(None, (label, f"{place} / {total}"))))
        footer.save()
        page.merge_page(PdfReader(buffer).pages[0])
    numbered = io.BytesIO()
    writer.write(numbered)
    return numbered
