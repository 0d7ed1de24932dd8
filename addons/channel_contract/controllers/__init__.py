from . import portal
from . import signature
