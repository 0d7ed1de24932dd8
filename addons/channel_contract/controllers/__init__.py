from . import archive
from . import portal
from . import signature
from . import verify
