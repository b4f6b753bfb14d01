"""What is wrong with a text that is not YAML, in words that say what to change; never those of the parser."""

import re

import yaml

_SAID = (
    (r"mapping values are not allowed", "a second `key:` on this line: quote the text, or check the indentation"),
    (r"character '\\t'", "a tab: YAML is indented with spaces"),
    (r"found character", "text cannot begin with this character: put it in quotes"),
    (
        r"could not find expected ':'",
        "a key without its colon, or a line that is not indented like its text",
    ),
    (r"expected ',' or '\}'", "a { is not closed, or a comma is missing"),
    (r"expected ',' or '\]'", "a [ is not closed, or a comma is missing"),
    (r"expected the node content", "something is missing here: a value, or the end of a [ or {"),
    (r"expected <block end>|expected '<document start>'|unindent", "the indentation does not fit the lines above"),
    (r"block sequence entries are not allowed", "a list cannot begin on the line of its key"),
    (r"sequence entries are not allowed", "a list cannot begin here: check the indentation"),
    (r"undefined alias", "an alias (*name) of an anchor (&name) that is not there"),
    (r"unexpected end of stream", "a quote is not closed"),
    (r"unexpected document separator", "a quote is not closed before the next document (---)"),
    (r"unknown escape character", "an unknown escape: write \\\\ for a backslash, or use single quotes"),
    (r"recursive node", "an alias that refers to what it stands in"),
    (r"duplicate anchor|second occurrence", "the same anchor (&name) twice"),
    (r"%YAML|directive", "a % at the beginning of a line: put it in quotes"),
    (r"merge", "<< must refer to an object or a list of objects"),
)


def told(error: yaml.MarkedYAMLError) -> str:
    """The mistake, and the way out."""
    raw = f"{error.context or ''} {error.problem or ''}"
    return f"not YAML: {next((said for pattern, said in _SAID if re.search(pattern, raw)), 'this is not understood')}"
