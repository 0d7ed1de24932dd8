from . import fields
from . import formula
