from . import account_invoice_report
from . import sale_report
from . import channel_report_coverage
from . import channel_report_stock
from . import channel_report_risk
