import sys
from pathlib import Path

# Run as a folder (`python3 tools`), the first entry of the path is the folder itself; its parent is wanted.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from tools.cli import main  # noqa: E402  (the path must be set first)

sys.exit(main())
