"""Plots: what the stories of a generated world are about.

Owns the wording: per plot the headlines that different people give the same event, sharing its names and its words.
Companies, people and products are invented and filled in by the seed (``names.py``). Must never know when a story
happens or how loud it gets.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLOTS", "Plot"]


@dataclass(frozen=True, slots=True)
class Plot:
    """A kind of event. ``liked``, ``hated``: shares of replies that praise and that condemn; ``ratio``: of up-votes.

    The first of the ``headlines`` is the story's title. Slots: org, rival, person, product, place, n (a number).
    """

    slug: str
    liked: float
    hated: float
    ratio: float
    headlines: tuple[str, ...]


PLOTS: tuple[Plot, ...] = (
    Plot(
        "layoffs",
        0.08,
        0.62,
        0.71,
        (
            "{org} lays off {n} support workers and replaces them with AI agents",
            "{org} cuts {n} jobs, says AI agents now handle customer support",
            "Leaked memo: {org} layoffs hit {n} support staff as AI agents take over",
            "{n} workers laid off at {org} after AI agents took over the support desk",
            "{person} defends {org} layoffs: 'AI agents do the support work better'",
            "Inside the {org} layoffs: staff trained the AI agents that replaced them",
            "Union calls {org} replacing {n} support workers with AI agents 'a betrayal'",
            "{org} shares jump after it lays off {n} support workers for AI agents",
        ),
    ),
    Plot(
        "employee-tracking",
        0.05,
        0.70,
        0.64,
        (
            "{org} to record employees' keystrokes and screens to train its AI models",
            "{org} will log staff keystrokes and mouse movements as AI training data",
            "Employees at {org} can't opt out of keystroke recording for AI training",
            "Keystroke tracking at {org}: screens of employees feed the next AI model",
            "{org} tells employees their screens and keystrokes will train AI",
            "'It feels like surveillance': {org} employees on the keystroke recording memo",
            "{person}: keystroke data from {org} employees is 'essential' to train AI models",
            "Lawyers question {org} plan to record employee keystrokes for AI training",
        ),
    ),
    Plot(
        "model-release",
        0.62,
        0.12,
        0.93,
        (
            "{org} releases {product}, an open-weights model that beats closed rivals on coding",
            "{product} is out: {org} open-weights LLM tops the coding benchmarks",
            "{org} publishes {product} weights under Apache 2.0",
            "I ran {product} locally: {org} open-weights model on a single consumer GPU",
            "{product} by {org}: open weights, 256k context, strong at coding",
            "{product} benchmarks: {org} open-weights LLM passes {rival} on coding tasks",
            "{org} {product} weights on Hugging Face, quantized versions are already up",
            "Why {product} matters: {org} open-weights release explained",
        ),
    ),
    Plot(
        "copyright",
        0.22,
        0.42,
        0.82,
        (
            "Novelists win copyright suit: court orders {org} to pay for books used in AI training",
            "Court rules {org} infringed copyright of novelists when it trained AI on pirated books",
            "{org} must pay novelists for pirated books in its AI training data, judge rules",
            "Copyright ruling against {org}: what the novelists' win means for AI training on books",
            "Judge sides with novelists in {org} pirated books copyright case",
            "{person}: the copyright ruling on books 'will break AI training', {org} to appeal",
            "{org} loses copyright case over pirated books, novelists to be paid",
            "Novelists v. {org}: the copyright decision on AI training, annotated",
        ),
    ),
    Plot(
        "breach",
        0.03,
        0.74,
        0.88,
        (
            "{org} left {n} private chat logs with its AI assistant open on the web",
            "Researchers find {n} {org} assistant chat logs in an open storage bucket",
            "{org} data leak: private chats with AI assistant exposed for months",
            "Exposed {org} bucket held {n} private assistant chats, names and phone numbers",
            "{org} confirms leak of chat logs, blames a misconfigured storage bucket",
            "Check whether your {org} assistant chats were in the leak of {n} logs",
            "Regulator opens inquiry into {org} leak of private AI chat logs",
            "How we found the open bucket with {n} {org} chat logs",
        ),
    ),
    Plot(
        "regulation",
        0.30,
        0.36,
        0.79,
        (
            "{place} parliament passes AI liability act, frontier models need a licence",
            "AI liability act passes in {place}: developers must license frontier models",
            "{place} votes for licences on frontier AI models and strict liability",
            "What the {place} AI liability act asks of frontier model developers",
            "{org} threatens to leave {place} over frontier model licence in AI liability act",
            "{place} AI liability act: open models exempt, frontier models licensed",
            "Lawmakers in {place} approve AI liability act after all-night session",
            "{person} calls the {place} AI liability act 'a licence to stand still'",
        ),
    ),
    Plot(
        "robotaxi",
        0.07,
        0.58,
        0.84,
        (
            "{org} robotaxi drives into a fire crew in {place}, fleet suspended",
            "Robotaxi fleet of {org} suspended in {place} after crash with fire engine",
            "{place} suspends {org} robotaxis: driverless car ignored firefighters' cordon",
            "Video shows {org} robotaxi rolling over fire hoses in {place}",
            "{org} recalls robotaxi software after the {place} fire engine crash",
            "Firefighters in {place} hurt by {org} robotaxi, permit under review",
            "{org} robotaxi crash in {place}: the self-driving AI misread the cordon, says {person}",
            "After the {place} fire crew crash, {org} robotaxi permit hangs by a thread",
        ),
    ),
    Plot(
        "outage",
        0.10,
        0.45,
        0.90,
        (
            "{org} assistant down worldwide, API returns errors for hours",
            "{org} outage: assistant and API down across regions",
            "Is {org} down? API outage breaks coding tools everywhere",
            "{org} API outage enters its third hour, status page says 'elevated errors'",
            "{org} explains outage: expired certificate took the AI assistant and API down",
            "Postmortem of the {org} API outage",
            "Half of our tools stopped working with the {org} API outage today",
            "{org} assistant back after outage, customers want credits for API downtime",
        ),
    ),
    Plot(
        "benchmark-scandal",
        0.06,
        0.60,
        0.86,
        (
            "{org} accused of training {product} on the benchmark's test set",
            "{product} benchmark scores in doubt: test set found in {org} training data",
            "Benchmark authors: {org} {product} saw the test questions in training",
            "{org} withdraws {product} benchmark claims after contamination report",
            "Contamination report: {product} from {org} recites benchmark test items word for word",
            "{person} on the {product} benchmark contamination: 'we should have checked'",
            "How the {org} {product} test set contamination was found",
            "Without the contaminated test set, {org} {product} drops nine points on the benchmark",
        ),
    ),
    Plot(
        "ousted",
        0.18,
        0.40,
        0.76,
        (
            "{org} board ousts chief executive {person} over safety dispute",
            "{person} fired as CEO of {org}, board cites safety dispute",
            "{org} CEO {person} out: board lost confidence after AI safety report was shelved",
            "Staff letter demands {org} board reinstate {person}",
            "Who runs {org} now? Interim CEO named after {person} ousted",
            "{org} investors push back on board's ouster of {person}",
            "The shelved safety report behind {person}'s ouster from {org}",
            "{person} speaks after {org} ouster: 'the board never read the safety report'",
        ),
    ),
    Plot(
        "datacenter",
        0.14,
        0.50,
        0.81,
        (
            "{org} data center in {place} to draw as much water as a city of {n}",
            "{place} farmers sue {org} over data center groundwater permit",
            "Groundwater fight: {org} AI data center in {place} faces lawsuit from farmers",
            "{org} wins water permit for {place} AI data center despite drought",
            "How much water does the {org} data center in {place} need? The permit says",
            "{place} council pauses {org} data center over groundwater and power",
            "{org} promises air cooling for {place} data center after water protest",
            "AI's thirst: the {org} data center, {place} and its groundwater",
        ),
    ),
    Plot(
        "deepfake",
        0.02,
        0.72,
        0.87,
        (
            "Deepfake of {place} mayor made with {product} spreads on election eve",
            "{place} election: deepfake mayor video traced to {product} voice cloning",
            "{org} bans account behind {product} deepfake of the {place} mayor",
            "Fake concession speech of {place} mayor was a {product} deepfake",
            "{place} police investigate election deepfake made with {org} voice cloning AI",
            "How the {place} mayor deepfake was made with {product} in ten minutes",
            "{person}: {org} watermark failed to stop {place} election deepfake",
            "{place} court weighs re-vote after {product} deepfake of mayor",
        ),
    ),
    Plot(
        "diagnosis",
        0.35,
        0.30,
        0.85,
        (
            "Hospitals in {place} pause {product} after the AI missed {n} tumours",
            "{product} radiology AI missed {n} tumours, {place} hospitals pause its use",
            "{org} radiology model under review: scans with tumours marked clear in {place}",
            "{place} hospitals re-read scans after {product} radiology AI misses tumours",
            "{org} says scanner update made {product} miss tumours",
            "Radiologists in {place} had warned about {product} missing tumours",
            "Audit: {product} by {org} missed {n} tumours in {place} hospitals",
            "What went wrong with {product}, the radiology AI that missed {n} tumours",
        ),
    ),
    Plot(
        "takeover",
        0.28,
        0.26,
        0.89,
        (
            "{org} to buy chip designer {rival} for ${n} million",
            "{org} acquires {rival}, maker of inference chips, for ${n} million",
            "{rival} sold to {org}: inference chips to go in-house",
            "Antitrust concern as {org} buys inference chip designer {rival}",
            "Why {org} wants {rival}: inference chips without Nvidia",
            "{rival} founders on the {org} deal: 'our inference chips will reach everyone'",
            "{org} and {rival} agree on ${n} million chip deal, {person} to lead",
            "Analysts split on {org} paying ${n} million for chip designer {rival}",
        ),
    ),
    Plot(
        "injection",
        0.20,
        0.38,
        0.94,
        (
            "Prompt injection worm spreads between {org} email agents",
            "Worm uses prompt injection to hop through {org} agent inboxes",
            "{org} disables email agents after self-spreading prompt injection",
            "Anatomy of the {org} prompt injection worm: one email, no click",
            "Researchers release details on worm that hijacked {org} email agents",
            "Security: patch for {org} agents stops prompt injection worm, for now",
            "The {org} agent worm shows prompt injection is unsolved, says {person}",
            "{n} inboxes hit by prompt injection worm in {org} email agents",
        ),
    ),
    Plot(
        "voice-actors",
        0.25,
        0.44,
        0.83,
        (
            "Voice actors strike against {org} over cloned voices in games",
            "{org} games halted: voice actors strike over AI voice clones",
            "Strike at {org}: voice actors refuse contracts that allow AI cloning",
            "{org} used voice actor's clone after contract ended, guild says",
            "Voice actors' guild and {org} resume talks on AI clone pay",
            "{person}: 'we will not clone voices without consent', {org} strike goes on",
            "Players back the voice actors in {org} AI clone strike",
            "What voice actors want from {org}: consent and pay for each AI clone",
        ),
    ),
)
