"""A simulated world that knows its own truth, and servers that speak the platforms' protocols for it."""

from hubbub.world.faults import Fault, Faults, Kind
from hubbub.world.generated import Size, generate
from hubbub.world.recorded import read_recording
from hubbub.world.servers import Platforms
from hubbub.world.truth import truth
from hubbub.world.world import World

__all__ = ["Fault", "Faults", "Kind", "Platforms", "Size", "World", "generate", "read_recording", "truth"]
