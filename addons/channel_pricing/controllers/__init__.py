from . import special_price
