from . import test_gate
from . import test_region
from . import test_segment
