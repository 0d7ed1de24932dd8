from . import clause_text
from . import pdf_seal
from . import signature
from . import word_diff
