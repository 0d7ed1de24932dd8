from . import test_boards
from . import test_reports
