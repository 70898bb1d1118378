"""What becomes of calls, told to whoever counts them; defined where counters may see it too."""

from mymozhem.observability.calls import CallObserver, CallResult, Observed

__all__ = ["CallObserver", "CallResult", "Observed"]
