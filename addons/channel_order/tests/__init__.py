from . import test_transfer
from . import test_transfer_concurrency
from . import test_transfer_portal
from . import test_transfer_property
from . import test_transfer_propose
from . import test_transfer_take_back
from . import test_transfer_tour
