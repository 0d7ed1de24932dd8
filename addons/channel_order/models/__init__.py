from . import channel_order_transfer_proposal_mixin  # first: the transfer inherits it
from . import channel_order_transfer
from . import channel_order_transfer_line
from . import sale_order
from . import sale_order_line
