from odoo import models


class ReportProductReportPricelist(models.AbstractModel):
    _inherit = "report.product.report_pricelist"

    def _get_report_data(self, data, report_type="html"):
        """The printed price list may be one member's, for one end customer: it says so, and has their prices."""
        member, customer = (
            self.env["res.partner"].browse(int(data.get(key) or 0)).exists()
            for key in ("channel_member_id", "channel_customer_id")
        )
        (member + customer).check_access("read")
        context = self.env["product.pricelist"]._channel_context(member, customer)
        values = super(ReportProductReportPricelist, self.with_context(**context))._get_report_data(data, report_type)
        return {**values, "channel_member": member, "channel_customer": customer}
