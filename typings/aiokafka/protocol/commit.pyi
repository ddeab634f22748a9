from collections.abc import Sequence

from aiokafka.protocol.api import Request, RequestStruct

class OffsetFetchRequest(Request[RequestStruct]):
    def __init__(self, consumer_group: str, partitions: Sequence[tuple[str, Sequence[int]]] | None) -> None: ...
