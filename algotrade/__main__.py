"""`python -m algotrade` is `algotrade`."""

import sys

from algotrade.cli.main import main

sys.exit(main())
