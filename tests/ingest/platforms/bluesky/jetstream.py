"""A Jetstream host and an AppView on loopback, scripted by a test."""

from __future__ import annotations

from datetime import UTC, datetime

from aiohttp import WSMsgType, web

from tests.ingest.sites import NOW_MS, Site, Thing

POSTS, REPOSTS = "app.bsky.feed.post", "app.bsky.feed.repost"
NSID = "network.bsky.jetstream.subscribeEvents"
NOW_US = NOW_MS * 1_000
ALICE, BOB, CAROL = (f"did:plc:{name * 5:y<24.24}" for name in ("alice", "bobby", "carol"))
TIME_CURSOR = 10**15
BYSTANDER = "did:plc:bystanderbystanderbystan"


def uri(did: str, rkey: str) -> str:
    return f"at://{did}/{POSTS}/{rkey}"


def ref(target: str) -> Thing:
    """Return a reference to the post ``did/rkey``."""
    did, _, rkey = target.partition("/")
    return {"uri": uri(did, rkey), "cid": "bafy"}


def commit(did: str, rkey: str, record: Thing | None, collection: str = POSTS, operation: str = "create") -> Thing:
    """Return what both wires say of a commit."""
    happened: Thing = {"did": did, "rev": rkey, "operation": operation, "collection": collection, "rkey": rkey}
    return happened if record is None else happened | {"record": record, "cid": "bafy"}


def post(did: str, rkey: str, text: str = "Well.", **record: object) -> Thing:
    return commit(did, rkey, {"$type": POSTS, "createdAt": iso(NOW_US), "text": text, **record})


def reply(did: str, rkey: str, root: str, text: str = "Well.", **record: object) -> Thing:
    return post(did, rkey, text, reply={"root": ref(root), "parent": ref(root)}, **record)


def repost(did: str, rkey: str, of: str) -> Thing:
    return commit(did, rkey, {"$type": REPOSTS, "createdAt": iso(NOW_US), "subject": ref(of)}, REPOSTS)


def delete(did: str, rkey: str, collection: str = POSTS) -> Thing:
    return commit(did, rkey, None, collection, "delete")


def account(did: str, *, active: bool, status: str | None = None) -> Thing:
    return {"did": did, "account": {"did": did, "active": active, "status": status, "seq": 1, "time": iso(NOW_US)}}


def identity(did: str, handle: str) -> Thing:
    return {"did": did, "identity": {"did": did, "handle": handle, "seq": 1, "time": iso(NOW_US)}}


def iso(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def v1(happened: Thing, at_us: int) -> Thing:
    """Return an event as the first wire has it."""
    for kind in ("account", "identity"):
        if kind in happened:
            return {"did": happened["did"], "time_us": at_us, "kind": kind, kind: happened[kind]}
    body = {key: value for key, value in happened.items() if key != "did"}
    return {"did": happened["did"], "time_us": at_us, "kind": "commit", "commit": body}


def v2(happened: Thing, at_us: int, seq: int) -> Thing:
    """Return a frame as the second wire has it."""
    kind = next((kind for kind in ("account", "identity") if kind in happened), "commit")
    return {"$type": "message", "payload": {"$type": f"{NSID}#{kind}", "seq": seq, "time": iso(at_us), **happened}}


class BlueskySite(Site):
    """``events``: what happened, each with its time, on the network; numbers on this host begin at ``first_seq``.

    ``instead``: raw frames that are sent after the events of a connection; then the host closes it if ``ends``.
    """

    def __init__(self, first_seq: int = 1) -> None:
        super().__init__()
        self.events: list[tuple[int, Thing]] = []
        self.first_seq = first_seq
        self.first: list[Thing] = []
        self.instead: list[str] = []
        self.ends = False
        self.views: dict[str, Thing] = {}
        self.profiles: dict[str, Thing] = {}

    def happens(self, *happened: Thing, at_us: int | None = None) -> None:
        """Add events, a millisecond apart from ten seconds ago on, or all at ``at_us``."""
        for one in happened:
            self.events.append((NOW_US - 10_000_000 + 1_000 * len(self.events) if at_us is None else at_us, one))

    def shows(self, did: str, rkey: str, text: str = "Well.", **counts: object) -> None:
        """Let the AppView show a post."""
        record = {"$type": POSTS, "createdAt": iso(NOW_US), "text": text}
        author = {"did": did, "handle": "somebody.example"}
        view = {"uri": uri(did, rkey), "cid": "bafy", "author": author, "record": record, "indexedAt": iso(NOW_US)}
        self.views[uri(did, rkey)] = view | counts

    @property
    def streams(self) -> list[str]:
        """The path and query of each stream that was asked for."""
        return [request.path_qs for request in self.requests if "subscribe" in request.path]

    def cursor(self, connection: int = -1) -> int:
        """Return the cursor with which a stream was asked for."""
        return int(self.streams[connection].rpartition("cursor=")[2])

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("getPosts"):
            uris = request.query.getall("uris")
            assert 0 < len(uris) <= 25
            return web.json_response({"posts": [self.views[one] for one in uris if one in self.views]})
        if request.path.endswith("getProfiles"):
            actors = request.query.getall("actors")
            assert 0 < len(actors) <= 25
            return web.json_response({"profiles": [self.profiles[one] for one in actors if one in self.profiles]})
        return await self._stream(request, second=request.path.endswith(NSID))

    async def _stream(self, request: web.Request, *, second: bool) -> web.StreamResponse:
        cursor = int(request.query["cursor"])
        socket = web.WebSocketResponse(protocols=("xrpc.v1.json",))
        await socket.prepare(request)
        for frame in self.first:
            await socket.send_json(frame)
        by_time = not second or cursor >= TIME_CURSOR
        sent = 0
        while True:
            for number, (at_us, happened) in list(enumerate(self.events))[sent:]:
                seq = self.first_seq + number
                sent = number + 1
                if (at_us if by_time else seq) >= cursor:
                    await socket.send_json(v2(happened, at_us, seq) if second else v1(happened, at_us))
            for text in self.instead:
                await socket.send_str(text)
            if self.ends:
                await socket.close()
                return socket
            self.instead = []
            if sent:  # the network is never silent; this says nothing new
                at_us, seq = self.events[sent - 1][0], self.first_seq + sent - 1
                other = account(BYSTANDER, active=True)
                await socket.send_json(v2(other, at_us, seq) if second else v1(other, at_us))
            try:
                message = await socket.receive(timeout=0.005)
            except TimeoutError:
                continue
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                return socket
