from . import common
from . import test_contract
from . import test_contract_access
from . import test_contract_gate
from . import test_contract_order
from . import test_contract_portal
from . import test_contract_report
from . import test_contract_terms
