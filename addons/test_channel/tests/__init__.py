from . import test_scope
