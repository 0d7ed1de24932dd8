from . import channel_order_transfer_decision
