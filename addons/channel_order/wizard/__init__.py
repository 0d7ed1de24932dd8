from . import channel_account_statement_batch
from . import channel_order_transfer_decision
