from . import special_price
from . import portal
