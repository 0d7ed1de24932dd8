from . import order_rows
