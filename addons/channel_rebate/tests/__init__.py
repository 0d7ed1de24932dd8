from . import test_access
from . import test_accrual
from . import test_engine
from . import test_identity
from . import test_portal
from . import test_settlement
from . import test_statement
