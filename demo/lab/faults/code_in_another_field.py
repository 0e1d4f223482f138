"""Another exchange calls its code otherwise: the key has expired."""

from demo.lab.breaker import Breaker
from demo.lab.fault import Fault, Truth
from demo.lab.faults._lines import keep_failing


def strike(desk: Breaker) -> None:
    """Write what its client logs."""
    last = "OSError: {'retCode': 33004, 'retMsg': 'Your api key has expired.', 'result': {}, 'time': 1772000000123}"
    keep_failing(desk, last)


FAULT = Fault(
    name="code-in-another-field",
    story="Another exchange calls its code otherwise: the key has expired.",
    truth=Truth("credentials_refused", tolerated=("soft_pause",)),
    strike=strike,
)
