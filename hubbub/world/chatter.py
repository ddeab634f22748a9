"""Chatter: the unrelated posts that a story has to be told from.

Owns their wording and where they are posted. Must never know the stories.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

__all__ = ["CHATTER", "Corner", "openings"]


@dataclass(frozen=True, slots=True)
class Corner:
    """What people talk about in a place. ``community``: None is Hacker News; ``members``: of the subreddit.

    A title is a template of ``said`` with one of each list of ``words`` put in.
    """

    community: str | None
    members: int
    said: tuple[str, ...]
    words: tuple[tuple[str, ...], tuple[str, ...]]


CHATTER: tuple[Corner, ...] = (
    Corner(
        "Cooking",
        5_900_000,
        ("How do I keep {0} from turning soggy in {1}?", "My aunt's trick for {0}: {1}", "{0} with {1}, thoughts?"),
        (
            ("fried aubergine", "gnocchi", "tempura", "hash browns", "pie crust", "roast potatoes", "dumplings"),
            ("a cast iron pan", "the oven", "brown butter", "a humid kitchen", "buttermilk", "leftover stock"),
        ),
    ),
    Corner(
        "gardening",
        7_400_000,
        ("Something is eating my {0}, found {1} under the leaves", "{0} finally flowered after {1}"),
        (
            ("dahlias", "runner beans", "fig tree", "tomatoes", "hostas", "rhubarb", "quince"),
            ("earwigs", "three years", "tiny black beetles", "a late frost", "slug eggs", "moving it south"),
        ),
    ),
    Corner(
        "bicycling",
        1_200_000,
        ("Creaking noise from {0} only when {1}", "Rode 100 km on {0}, {1}"),
        (
            ("the bottom bracket", "a steel gravel bike", "my rear hub", "a borrowed tandem", "the seatpost"),
            ("climbing", "it rains", "no regrets", "my knees object", "standing on the pedals"),
        ),
    ),
    Corner(
        "AskHistorians",
        2_000_000,
        ("How did {0} get their news about {1}?", "Did {0} ever write down what they thought of {1}?"),
        (
            ("Hanseatic merchants", "Byzantine tax men", "lighthouse keepers", "Inca runners", "monks in Cluny"),
            ("distant wars", "the price of salt", "eclipses", "plague years", "new calendars"),
        ),
    ),
    Corner(
        "photography",
        5_300_000,
        ("Shooting {0} at night with {1}", "Is {1} worth it for {0}?"),
        (
            ("star trails", "street markets", "owls", "indoor handball", "old churches"),
            ("a 50mm f/1.8", "expired film", "a carbon tripod", "a second-hand flash", "manual lenses"),
        ),
    ),
    Corner(
        "personalfinance",
        20_500_000,
        ("Should I pay off {0} before {1}?", "{0} or {1} first with a small raise"),
        (
            ("my student loan", "the car", "a medical bill", "the mortgage", "my brother's debt"),
            ("moving abroad", "going part-time", "topping up the pension", "the wedding", "buying a boiler"),
        ),
    ),
    Corner(
        "soccer",
        8_600_000,
        ("Post-match thread: {0} 2-1 {1}", "{0} keeper saves two penalties against {1}", "{0} v {1} postponed, fog"),
        (
            ("Harbour Rovers", "Sporting Almera", "FK Dubrava", "Vale Athletic", "Union Brandt", "Real Castana"),
            ("Deportivo Luz", "Kirkby Town", "SV Nordheim", "Ajaccio B", "Olimpia Sul", "Granite United"),
        ),
    ),
    Corner(
        "gamedev",
        2_100_000,
        ("Procedural {0} in {1}, first month", "Why we cut {0} from our {1}"),
        (
            ("caves", "weather", "dialogue trees", "fishing", "ragdolls", "city traffic"),
            ("a roguelike", "farming sim", "platformer for two", "space trader", "game jam entry"),
        ),
    ),
    Corner(
        "woodworking",
        5_200_000,
        ("First attempt at {0} in {1}", "Finish for {0}? It is {1}"),
        (
            ("a dovetailed box", "a Windsor chair", "floating shelves", "a workbench", "a cutting board"),
            ("black walnut", "reclaimed oak", "cherry with knots", "wet ash", "birch ply"),
        ),
    ),
    Corner(
        "aww",
        36_000_000,
        ("{0} met {1} today", "{0} refuses to share the sofa with {1}"),
        (
            ("Our three-legged cat", "The neighbour's alpaca", "A very old dachshund", "My foster ferret", "A duck"),
            ("the postman", "a hedgehog", "her twin", "the vacuum cleaner", "a snowman"),
        ),
    ),
    Corner(
        "MachineLearning",
        3_000_000,
        ("[D] Anyone using {0} for {1}?", "[P] A small library for {1} with {0}"),
        (
            ("Gaussian processes", "state space layers", "conformal sets", "boosted trees", "sparse autoencoders"),
            ("tide forecasts", "bird song", "protein folding at home", "sensor drift", "handwritten ledgers"),
        ),
    ),
    Corner(
        "LocalLLaMA",
        520_000,
        ("What {0} do you run on {1}?", "{1} as a home for {0}: noise, heat, tokens per second"),
        (
            ("quantized LLM", "coding LLM", "tiny embedding model", "speech-to-text model"),
            ("two used 3090s", "a Mac mini", "an old mining rig", "a Raspberry Pi cluster", "a laptop from 2019"),
        ),
    ),
    Corner(
        "homebrewing",
        1_300_000,
        ("{0} stuck at 1.020 after {1}", "Blind tasting: {0} against {1}"),
        (
            ("My saison", "The oatmeal stout", "A spontaneous cider", "This mead", "The smoked lager"),
            ("a cold weekend", "dry hopping", "switching yeast", "a week on oak", "rinsing with sanitizer"),
        ),
    ),
    Corner(
        "astronomy",
        2_500_000,
        ("{0} through {1} from my balcony", "Will {0} be visible with {1}?"),
        (
            ("Saturn's rings", "The Orion nebula", "A faint comet", "Jupiter's moons", "The Perseids"),
            ("an 80mm refractor", "city lights", "binoculars", "a phone adapter", "a full moon up"),
        ),
    ),
    Corner(
        "Parenting",
        6_100_000,
        ("Our {0} year old will only sleep with {1}", "How did you explain {1} to a {0} year old?"),
        (
            ("two", "three", "four", "six", "nine"),
            ("a toy excavator", "the hallway light on", "grandpa's funeral", "where rain goes", "divorce"),
        ),
    ),
    Corner(
        "running",
        3_700_000,
        ("First {0} done, {1}", "{1} four weeks before my {0}, what now?"),
        (
            ("marathon", "trail ultra", "10k under fifty minutes", "half in the heat"),
            ("shin splints", "negative splits", "lost two toenails", "cramps at the end", "a twisted ankle"),
        ),
    ),
    Corner(
        "Aquariums",
        760_000,
        ("{0} hiding behind {1} since Tuesday", "Can {0} live with {1}?"),
        (
            ("My dwarf gourami", "The bristlenose pleco", "A betta", "Six neon tetras", "The kuhli loach"),
            ("the filter", "cherry shrimp", "driftwood", "nerite snails", "java fern"),
        ),
    ),
    Corner(
        "legaladvice",
        3_000_000,
        ("Landlord wants {0} because of {1}", "Neighbour's {1} damaged my {0}, who pays?"),
        (
            ("the deposit", "fence", "garage roof", "new carpet", "parking spot"),
            ("a leaking boiler", "oak tree", "drone", "trampoline", "moss"),
        ),
    ),
    Corner(
        "classicalmusic",
        2_200_000,
        ("Which recording of {0} has {1}?", "Heard {0} live with {1}, in tears"),
        (
            ("Mahler 9", "the Goldberg Variations", "Winterreise", "Sibelius 5", "the Rite of Spring"),
            ("gut strings", "the slowest adagio", "period horns", "a boys' choir", "an amateur orchestra"),
        ),
    ),
    Corner(
        "sewing",
        1_100_000,
        ("Made {0} from {1}, be kind", "Is {1} too heavy for {0}?"),
        (
            ("a pleated skirt", "a wool coat", "quilted curtains", "a linen shirt", "a costume for the school play"),
            ("a thrifted duvet", "waxed cotton", "my late aunt's stash", "upholstery velvet", "old sails"),
        ),
    ),
    Corner(
        "trains",
        340_000,
        ("{0} spotted at {1} this morning", "Night service on {1} returns with {0}"),
        (
            ("A steam special", "Two retired diesels", "Sleeper coaches", "A snow plough", "A freight of sugar beet"),
            ("the harbour branch", "platform nine", "the viaduct", "the border crossing", "Elm Junction"),
        ),
    ),
    Corner(
        "languagelearning",
        2_800_000,
        ("Two years of {0} by {1}, ask me anything", "Does {1} help with {0} verbs?"),
        (
            ("Finnish", "Swahili", "Welsh", "Korean", "Catalan", "Georgian"),
            ("reading comics", "singing along", "flash cards", "a pen friend", "radio plays"),
        ),
    ),
    Corner(
        "geology",
        420_000,
        ("Found {0} near {1}, what is it?", "{0} in {1}: how did it get there?"),
        (
            ("a banded pebble", "an ammonite", "purple crystals", "a hollow nodule", "a fulgurite"),
            ("a chalk cliff", "the quarry pond", "a desert road", "the glacier's edge", "my cellar wall"),
        ),
    ),
    Corner(
        None,
        0,
        ("Show HN: {0} written in {1}", "{0} in 500 lines of {1}", "A debugger for {0}, in {1}"),
        (
            ("A spreadsheet", "A tiny DNS server", "A terminal mail client", "A chess clock", "An SQL formatter"),
            ("Zig", "Rust", "OCaml", "plain C", "Elixir", "Forth"),
        ),
    ),
    Corner(
        None,
        0,
        ("{0} and the art of {1}", "The forgotten history of {1}: {0}", "What {0} taught me about {1}"),
        (
            ("Slide rules", "Bell Labs memos", "Paper maps", "Radio astronomy", "Weaving looms", "Lisp machines"),
            ("error correction", "naming things", "backups", "queueing", "typesetting", "good maintenance"),
        ),
    ),
    Corner(
        None,
        0,
        ("Ask HN: How do you handle {0} in {1}?", "Ask HN: Anyone moved away from {0} for {1}?"),
        (
            ("on-call rotation", "schema migrations", "feature flags", "invoice parsing", "flaky tests"),
            ("a team of three", "a regulated shop", "a hospital", "an old monolith", "a remote company"),
        ),
    ),
    Corner(
        None,
        0,
        ("Reverse engineering {0} with {1}", "{0} from 1983, restored with {1}"),
        (
            ("a dishwasher panel", "an arcade board", "a bus ticket machine", "a synthesizer", "a plotter"),
            ("a logic analyzer", "a soldering iron and patience", "an oscilloscope", "Ghidra", "a microscope"),
        ),
    ),
    Corner(
        None,
        0,
        ("How {0} keeps {1} running", "{1} in the age of {0}"),
        (
            ("a volunteer fire brigade", "one retired engineer", "cheap satellite time", "the postal union"),
            ("an island's power grid", "a village library", "lighthouse optics", "a seed bank", "tram signalling"),
        ),
    ),
)


def openings(rng: random.Random) -> Iterator[tuple[Corner, str]]:
    """Yield corners and titles in random order: each wording once, then again with a number, without end."""
    every = [
        (corner, said.format(*words)[:1].upper() + said.format(*words)[1:])
        for corner in CHATTER
        for said, *words in product(corner.said, *corner.words)
    ]
    part = 1
    while True:
        rng.shuffle(every)
        for corner, title in every:
            yield corner, title if part == 1 else f"{title} (part {part})"
        part += 1
