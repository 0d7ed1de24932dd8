from . import portal
from . import verify
from . import portal_qualification
from . import admission
from . import member_home
