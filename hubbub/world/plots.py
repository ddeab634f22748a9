"""Plots: what the stories of a generated world are about.

Owns the wording: per plot the headlines that different people give the same event, sharing its names and its words.
Every one is recognisably about AI, so that a beat on AI takes in the whole story. Companies, people and products are
invented and filled in by the seed (``names.py``). Must never know when a story happens or how loud it gets.
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
            "'Surveillance': {org} employees on AI training with their recorded keystrokes",
            "{person}: keystrokes of {org} employees are 'essential' to train AI models",
            "Lawyers question {org} plan to record employee keystrokes for AI training",
        ),
    ),
    Plot(
        "model-release",
        0.62,
        0.12,
        0.93,
        (
            "{org} releases {product}, an open-weights LLM that writes code better than closed rivals",
            "{product} is out: {org} open-weights LLM is the new best at writing code",
            "{org} publishes open weights of {product}, an LLM for code, under Apache 2.0",
            "I ran {product} locally: {org} open-weights LLM writes code on a single GPU",
            "{product} by {org}: an LLM with open weights, 256k context, strong at code",
            "Open-weights {product} LLM from {org} passes {rival} at writing code",
            "{org} {product} LLM weights on Hugging Face, quantized versions are already up",
            "Why the open-weights {product} LLM matters: {org} release explained",
        ),
    ),
    Plot(
        "copyright",
        0.22,
        0.42,
        0.82,
        (
            "Novelists win copyright suit: {org} must pay for pirated books fed to its LLM",
            "Court rules {org} infringed novelists' copyright by feeding its LLM pirated books",
            "{org} must pay novelists for pirated books in its LLM training, judge rules",
            "Copyright ruling against {org}: LLMs, pirated books and what novelists won",
            "Judge sides with novelists in {org} LLM copyright case over pirated books",
            "{person} on pirated books: copyright ruling 'will break every LLM', {org} to appeal",
            "{org} loses LLM copyright case over pirated books, novelists to be paid",
            "Novelists v. {org}: the LLM copyright decision on pirated books, annotated",
        ),
    ),
    Plot(
        "breach",
        0.03,
        0.74,
        0.88,
        (
            "{org} left {n} private chat logs with its AI assistant open on the web",
            "Researchers find {n} {org} AI chat logs in an open storage bucket",
            "{org} data leak: private chats with AI assistant exposed for months",
            "Exposed {org} bucket held {n} private AI chats, names and phone numbers",
            "{org} confirms leak of AI chat logs, blames a misconfigured storage bucket",
            "Check whether your {org} AI chats were in the leak of {n} logs",
            "Regulator opens inquiry into {org} leak of private AI chat logs",
            "How we found the open bucket with {n} {org} AI chat logs",
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
            "{org} threatens to leave {place} over frontier licence in AI liability act",
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
            "{org} self-driving taxi hits a fire crew in {place}, robotaxi fleet suspended",
            "Self-driving fleet of {org} suspended in {place} after robotaxi hit fire engine",
            "{place} suspends {org} robotaxis: self-driving car ignored firefighters' cordon",
            "Video shows self-driving {org} robotaxi rolling over fire hoses in {place}",
            "{org} recalls self-driving software after robotaxi hit {place} fire engine",
            "Firefighters in {place} hurt by self-driving {org} robotaxi, permit under review",
            "{org} robotaxi crash in {place}: self-driving AI misread the cordon, says {person}",
            "After {place} fire crew crash, self-driving {org} robotaxi may lose permit",
        ),
    ),
    Plot(
        "outage",
        0.10,
        0.45,
        0.90,
        (
            "{org} AI assistant down worldwide, API returns errors for hours",
            "{org} outage: AI assistant and API down across regions",
            "Is {org} AI down? API outage breaks coding tools everywhere",
            "{org} AI API outage enters its third hour, status page says 'elevated errors'",
            "{org} outage explained: expired certificate took AI assistant and API down",
            "Postmortem of the {org} AI API outage: an expired certificate",
            "Half of our AI tools stopped working with the {org} API outage today",
            "{org} AI assistant back after outage, customers want credits for API downtime",
        ),
    ),
    Plot(
        "benchmark-scandal",
        0.06,
        0.60,
        0.86,
        (
            "{org} accused of training its AI model {product} on a benchmark's test set",
            "{product} scores in doubt: test set found in {org} AI training data",
            "Benchmark authors: {org} AI model {product} saw the test set in training",
            "{org} withdraws AI benchmark claims for {product} over test set contamination",
            "Contamination report: AI model {product} from {org} recites the test set",
            "{person} on {product} AI test set contamination: 'we should have checked'",
            "How the {org} AI test set contamination was found in {product}",
            "Without the test set in training, {org} AI model {product} drops nine points",
        ),
    ),
    Plot(
        "ousted",
        0.18,
        0.40,
        0.76,
        (
            "AI firm {org} ousts chief executive {person} over safety dispute",
            "{person} removed as CEO of AI firm {org}, board cites safety dispute",
            "{org} CEO {person} out: board lost confidence over shelved AI safety report",
            "Open letter to AI firm {org}: the board must reinstate {person} as CEO",
            "Who runs AI firm {org} now? Interim CEO named after {person} ousted",
            "AI investors push back on {org} board's ouster of CEO {person}",
            "The shelved AI safety report behind CEO {person}'s ouster from {org}",
            "{person} after {org} ouster: 'the board never read the AI safety report'",
        ),
    ),
    Plot(
        "datacenter",
        0.14,
        0.50,
        0.81,
        (
            "{org} AI data center in {place} to draw as much water as a city of {n}",
            "{place} farmers sue {org} over AI data center groundwater permit",
            "Groundwater fight: {org} AI data center in {place} faces lawsuit from farmers",
            "{org} wins water permit for {place} AI data center despite drought",
            "How much groundwater does the {org} AI data center in {place} need?",
            "{place} council pauses {org} AI data center over groundwater and power",
            "{org} promises air cooling for {place} AI data center after water protest",
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
            "{place} police investigate deepfake mayor made with {org} {product}",
            "How the {place} mayor deepfake was made with {product} in ten minutes",
            "{person}: {org} watermark failed to stop {place} mayor deepfake",
            "{place} court weighs election re-vote after {product} deepfake of mayor",
        ),
    ),
    Plot(
        "diagnosis",
        0.35,
        0.30,
        0.85,
        (
            "Hospitals in {place} pause {product} after the radiology AI missed {n} tumours",
            "{product} radiology AI missed {n} tumours, {place} hospitals pause its use",
            "{org} radiology AI under review: scans with tumours marked clear in {place}",
            "{place} hospitals re-read scans after {product} radiology AI misses tumours",
            "{org} says scanner update made radiology AI {product} miss tumours",
            "Radiologists in {place} had warned about AI {product} missing tumours",
            "Audit: {product} radiology AI missed {n} tumours in {place} hospitals",
            "What went wrong with {product}, the radiology AI that missed {n} tumours",
        ),
    ),
    Plot(
        "takeover",
        0.28,
        0.26,
        0.89,
        (
            "{org} to buy AI chip designer {rival} for ${n} million",
            "{org} acquires {rival}, maker of AI inference chips, for ${n} million",
            "AI chip maker {rival} sold to {org}: inference chips to go in-house",
            "Antitrust concern as {org} buys AI inference chip designer {rival}",
            "Why {org} wants {rival}: AI inference chips without Nvidia",
            "{rival} founders on {org} deal: 'our AI inference chips will reach everyone'",
            "{org} and {rival} agree on ${n} million AI chip deal, {person} to lead",
            "Analysts split on {org} paying ${n} million for AI chip designer {rival}",
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
            "{org} disables email agents after self-spreading prompt injection worm",
            "Anatomy of the {org} prompt injection worm: one email, no click",
            "Researchers on the prompt injection worm that hijacked {org} email agents",
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
            "Voice actors strike against {org} over AI clones of their voices in games",
            "{org} games halted: voice actors strike over AI voice clones",
            "Strike at {org}: voice actors refuse contracts that allow AI voice clones",
            "{org} used voice actor's AI clone after contract ended, guild says",
            "Voice actors' guild and {org} resume talks on AI clone pay",
            "{person}: 'no AI clone without consent', {org} voice actors' strike goes on",
            "Players back the voice actors in {org} AI clone strike",
            "What voice actors want from {org}: consent and pay for each AI clone",
        ),
    ),
)
