from . import test_scope
from . import test_version
from . import test_approval
from . import test_tours
from . import test_access
from . import test_gate_cost
from . import test_isolation
from . import test_signature_provider
