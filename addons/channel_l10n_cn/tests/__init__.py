from . import test_document_reader
from . import test_data_files
from . import test_fapiao
from . import test_laws
from . import test_numbers
from . import test_qualification_types
from . import test_regions
from . import test_working_days
