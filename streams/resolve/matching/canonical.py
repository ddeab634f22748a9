"""Canonical links: all URLs of one page get one key.

Owns what is decoration in a URL: tracking parameters, AMP and mobile hosts, redirect wrappers, scheme, port, fragment.
Owns also which pages are too general to be evidence of a story: home pages, profiles, section fronts. Must never fetch
anything: a shortened link stays as it is unless the platform states its target.
"""

import re
from itertools import islice
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

MAX_URL_CHARS = 2_048
MAX_FIELDS = 64
"""Bounds the parameters read of a query; no page needs more to be named."""
MAX_UNWRAPPINGS = 4
"""Bounds wrappers around wrappers; honest links have at most two, and a loop must end."""

MIN_HEADLINE_WORDS = 3
"""A path with fewer words names a section of the site, not the subject of the page."""

# AdGuard's and ClearURLs' lists of tracking parameters, reduced to those seen on links that people post.
_is_tracking = re.compile(
    r"(?:amp;)*(?:utm_.*|(?:ga|mc|pk|mtm|itm|oly|vero|hsa|wt|at|ns|cm|stm|sc)[_.].*|[a-z]{0,5}clid|igshid?|si|spm|xtor|ncid|ocid|"
    r"s?cmpi?d?|cid|smid|smtyp|sr_share|shareid|share_id|sharetype|share|feature|ref|ref_.*|referr?er|source|src|"
    r"mod|via|partner|campaign.*|taid|guccounter|guce_.*|mbid|mkt_tok|trk.*|_hs.*|__twitter_impression|"
    r"amp|outputtype|sh|ir|emc|embed.*|intcmp|rss|feedtype|feedname|soc_.*|link_?copy|thx|sns|_r|fb_.*|gift|unlocked_article_code|"
    r"pgtype|usqp|context|utm|ftcamp|dicbo|xnpe_.*|triedredirect)",
    re.IGNORECASE,
).fullmatch

# Where a wrapper keeps the address it wraps: host (and its subdomains), start of the path, parameters to look at.
_WRAPPERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("google.", "/url", ("q", "url")),
    ("translate.google.", "/translate", ("u",)),
    ("facebook.com", "/l.php", ("u",)),
    ("facebook.com", "/sharer", ("u",)),
    ("instagram.com", "/", ("u",)),
    ("out.reddit.com", "/", ("url",)),
    ("reddit.com", "/media", ("url",)),
    ("youtube.com", "/redirect", ("q",)),
    ("linkedin.com", "/safety/go", ("url",)),
    ("linkedin.com", "/redir", ("url",)),
    ("duckduckgo.com", "/l/", ("uddg",)),
    ("t.umblr.com", "/redirect", ("z",)),
    ("slack-redir.net", "/link", ("url",)),
    ("vk.com", "/away.php", ("to",)),
    ("steamcommunity.com", "/linkfilter", ("u", "url")),
    ("go.redirectingat.com", "/", ("url",)),
    ("anrdoezrs.net", "/", ("url",)),
    ("safelinks.protection.outlook.com", "/", ("url",)),
    ("exit.sc", "/", ("url",)),
    ("href.li", "/", ()),
    ("12ft.io", "/", ()),
    ("web.archive.org", "/web/", ()),
)
_may_wrap = re.compile("|".join(sorted({re.escape(wrapper) for wrapper, _, _ in _WRAPPERS}))).search
_embedded = re.compile(r"https?:/{1,2}(?=[^/\s])", re.IGNORECASE).search
_amp_cdn = re.compile(r"(?:/[civ])?(?:/s)?/(?P<page>[^/]+\..+)").fullmatch
_decorated_host = re.compile(r"^(?:(?:www\d?|m|mobile|amp|wap|touch)\.)+(?=[^.]+\.)").sub
_wiki_mobile = re.compile(r"^(\w[\w-]*)\.m\.(wik\w+\.org)$").sub
_amp_path = re.compile(r"(?:/amp(?:\.html)?|\.amp(?:\.html)?|/index\.(?:html?|php|aspx?))/?$", re.IGNORECASE).sub
_is_plain = re.compile(r"[\w.~/!=:,;@+$&()*'-]*", re.ASCII).fullmatch
_slashes = re.compile(r"/{2,}").sub
_between_words = re.compile(r"[-_+ ]+").split
_url = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'「」【】（）]+", re.IGNORECASE).finditer

_TWINS = {
    twin: host
    for host, twins in {
        "x.com": "twitter.com fxtwitter.com vxtwitter.com fixupx.com nitter.net xcancel.com",
        "reddit.com": "old.reddit.com np.reddit.com new.reddit.com sh.reddit.com",
        "youtube.com": "music.youtube.com youtube-nocookie.com",
        "arxiv.org": "export.arxiv.org alphaxiv.org",
        "threadreaderapp.com": "thread.reader.com",
    }.items()
    for twin in twins.split()
}
_PROFILES = frozenset([
    "x.com", "facebook.com", "instagram.com", "youtube.com", "twitch.tv", "tiktok.com", "threads.net",
    "github.com", "patreon.com", "t.me", "linkedin.com", "medium.com", "substack.com", "bsky.app",
    "soundcloud.com", "open.spotify.com", "discord.gg", "discord.com",
])  # fmt: skip
"""Hosts where a path of one segment is a profile, which many unrelated posts link to."""

_SECTIONS = frozenset(f"/{section}" for section in [
    "about", "blog", "business", "economy", "en", "en-us", "entertainment", "feed", "health", "home", "index",
    "latest", "live", "login", "media", "money", "news", "newsletter", "opinion", "photos", "podcast",
    "politics", "posts", "science", "search", "sport", "sports", "subscribe", "tech", "technology", "topics",
    "uk", "us", "video", "videos", "watch", "world",
])  # fmt: skip

_PAGES: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("youtube.com", re.compile(r"/(?:shorts|embed|live|v)/([\w-]{6,})"), "youtube.com/watch?v={}"),
    ("youtu.be", re.compile(r"/([\w-]{6,})"), "youtube.com/watch?v={}"),
    ("x.com", re.compile(r"/[^/]+/status(?:es)?/(\d+)"), "x.com/status/{}"),
    ("x.com", re.compile(r"/i/web/status/(\d+)"), "x.com/status/{}"),
    ("reddit.com", re.compile(r"(?:/(?:r|u|user)/[^/]+)?/comments/([a-z0-9]+)", re.IGNORECASE), "redd.it/{}"),
    ("reddit.com", re.compile(r"/gallery/([a-z0-9]+)", re.IGNORECASE), "redd.it/{}"),
    ("redd.it", re.compile(r"/([a-z0-9]+)", re.IGNORECASE), "redd.it/{}"),
    (
        "arxiv.org",
        re.compile(r"/(?:abs|pdf|html|overview|format)/([a-z.-]*/?\d[\d.]*\d)(?:v\d+)?(?:\.pdf)?"),
        "arxiv.org/abs/{}",
    ),
    ("huggingface.co", re.compile(r"/papers/(\d{4}\.\d{4,5})"), "arxiv.org/abs/{}"),
    ("news.ycombinator.com", re.compile(r"/item\?id=(\d+)"), "news.ycombinator.com/item?id={}"),
)


def canonical(url: str) -> str | None:
    """Return the key of the page at ``url``: host, path and meaningful parameters, without a scheme.

    None if the link is no evidence that two posts share a subject: not http(s), unreadable, a home page, a section
    front, a profile.
    """
    parts = _unwrapped(url)
    if parts is None:
        return None
    host = host_of(parts)
    if not host:
        return None
    path = _slashes("/", parts.path)
    if (key := _known_page(host, path, parts.query)) is not None:
        return key
    path = _amp_path("", path).rstrip("/")
    if not _is_plain(path):
        path = quote(unquote(path), safe="/%!=:,;@~+$&()*'")
    query = ""
    if parts.query:
        query = urlencode(sorted((k, v) for k, v in _fields(parts.query) if not _is_tracking(k)))
    if not query and _is_general(host, path):
        return None
    return f"{host}{path}?{query}" if query else f"{host}{path}"


def headline_in(key: str) -> str:
    """Return the headline spelled out in the path of a canonical link, in lower case; "" if there is none."""
    headline: list[str] = []
    for segment in key.partition("?")[0].split("/")[1:]:
        name, _, ending = segment.rpartition(".")
        said = [
            word for word in _between_words(unquote(name if name and len(ending) <= 5 else segment)) if word.isalpha()
        ]
        if len(said) >= max(MIN_HEADLINE_WORDS, len(headline)):
            headline = said
    return " ".join(headline).lower()


def host_of(parts: SplitResult) -> str:
    """Return the host in ``parts``, in lower case, without port, mobile or AMP prefix; "" if there is none."""
    host = (parts.hostname or "").rstrip(".")
    host = _wiki_mobile(r"\1.\2", _decorated_host("", host))
    return _TWINS.get(host, host) if "." in host else ""


def links_in(text: str) -> list[str]:
    """Return the first 8 links written out in ``text``, without trailing punctuation."""
    return [match[0].rstrip(".,;:!?…)]}'\"”’»") for match in islice(_url(text), 8)]


def _unwrapped(url: str) -> SplitResult | None:
    """Split ``url`` without its wrappers (redirects, AMP caches, archives); None if it is not a web URL."""
    url = url.strip().replace("&amp;", "&")
    for _ in range(MAX_UNWRAPPINGS):
        if len(url) > MAX_URL_CHARS:
            return None
        if "://" not in url:
            url = f"https://{url.removeprefix('//')}"
        try:
            parts = urlsplit(url)
            host = parts.hostname or ""
            inner = _wrapped(host, parts)
        except ValueError:  # a bracketed host that is no IPv6 address, a port that is no number
            return None
        if parts.scheme.lower() not in {"http", "https"}:
            return None
        if inner is None:
            return parts
        url = inner
    return parts


def _wrapped(host: str, parts: SplitResult) -> str | None:
    """Return the URL that ``parts`` only wraps, or None."""
    if host.endswith(".cdn.ampproject.org") and (page := _amp_cdn(parts.path)):
        return page["page"] + (f"?{parts.query}" if parts.query else "")
    if parts.path.startswith("/amp/") and "google." in host and (page := _amp_cdn(parts.path[4:])):
        return page["page"]
    if not _may_wrap(host):
        return None
    for wrapper, path, names in _WRAPPERS:
        known = f".{wrapper}" in f".{host}" if wrapper.endswith(".") else f".{host}".endswith(f".{wrapper}")
        if not known or not parts.path.startswith(path or "/"):
            continue
        if names:
            given = dict(_fields(parts.query))
            for name in names:
                if _embedded(given.get(name, "")):
                    return given[name]
        else:
            rest = f"{parts.path}?{parts.query}" if parts.query else parts.path
            if start := _embedded(rest):
                return rest[start.start() :].replace(":/", "://").replace(":///", "://")
    return None


def _known_page(host: str, path: str, query: str) -> str | None:
    """Return the key of a page whose site is known to give it several URLs, or None."""
    if host == "youtube.com" and path == "/watch":
        video = dict(_fields(query)).get("v")
        return f"youtube.com/watch?v={video}" if video else None
    for site, page, key in _PAGES:
        if host == site and (match := page.match(f"{path}?{query}" if "\\?" in page.pattern else path)):
            return key.format(match[1])
    return None


def _fields(query: str) -> list[tuple[str, str]]:
    """Return the first fields of a query."""
    return parse_qsl("&".join(query.split("&", MAX_FIELDS)[:MAX_FIELDS]))


def _is_general(host: str, path: str) -> bool:
    """Return whether posts on any subject link to the page: a home page, a section front, a profile."""
    if not path or path.lower() in _SECTIONS:
        return True
    return host in _PROFILES and path.count("/") == 1
