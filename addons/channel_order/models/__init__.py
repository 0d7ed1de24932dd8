from . import channel_order_input_mixin  # first: the orders inherit it
from . import channel_order_cart_mixin
from . import channel_order
from . import channel_order_transfer_proposal_mixin  # first: the transfer inherits it
from . import channel_order_transfer
from . import channel_order_transfer_line
from . import sale_order
from . import sale_order_line
from . import product_template
from . import res_company
from . import sale_order_dealer
