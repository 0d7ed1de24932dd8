from . import common
from . import test_price_import
from . import test_pricing_access
from . import test_pricing_order
from . import test_pricing_property
from . import test_pricing_quote
from . import test_rule_book
from . import test_stacking
