from . import account_move_line
from . import channel_price_import
from . import channel_price_import_error
from . import channel_pricing
from . import product_pricelist
from . import product_pricelist_item
from . import sale_order
from . import sale_order_line
