from collections.abc import Sequence

from aiokafka.protocol.api import Request, RequestStruct

class ProduceRequest(Request[RequestStruct]):
    _topics: Sequence[tuple[str, Sequence[tuple[int, bytes]]]]
