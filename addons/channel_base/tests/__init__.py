from . import test_gate
from . import test_region
from . import test_region_territory
from . import test_segment
from . import test_roles
from . import test_alert
from . import test_audit
from . import test_xmlrpc_nil
