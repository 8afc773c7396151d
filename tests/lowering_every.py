"""All cases of lower_mindir.py."""

import lowering_expressions  # noqa: F401  each adds to the cases
import lowering_layers  # noqa: F401
import lowering_mint  # noqa: F401
import lowering_numbers  # noqa: F401
import lowering_operators  # noqa: F401
import lowering_options  # noqa: F401
import lowering_results  # noqa: F401
import lowering_slices  # noqa: F401
from lowering_cases import CASES  # noqa: F401
