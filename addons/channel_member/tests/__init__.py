from . import test_access
from . import test_alert
from . import test_authorization
from . import test_gate
from . import test_member
from . import test_portal
from . import test_qualification
from . import test_qualification_type
