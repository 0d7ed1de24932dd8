from . import portal_account
from . import portal_order
from . import portal_acceptance
