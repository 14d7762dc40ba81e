"""Runs twine as if the index at an address were the main one.

    python known.py ADDRESS upload …

Twine takes --skip-existing for the indexes whose hosts are written into it and refuses it for all
others. With this it treats the stand-in as one of the former: the same code, another host.
"""

import sys

from twine import repository
from twine.__main__ import main

address = sys.argv.pop(1)
repository.WAREHOUSE = address
# Where it asks for what is there; not spelled like the other, to which uploads would be refused.
repository.LEGACY_PYPI = address.replace("http:", "HTTP:")
sys.exit(main())
