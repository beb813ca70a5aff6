"""The queries that ingest asks GitHub, held to GitHub's own schema where it is at hand."""

import re
from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema, build_schema, is_type_sub_type_of, parse, type_from_ast, validate
from graphql.language import parse_type

from laurel_ingest.application.history.github import Listing
from laurel_ingest.clients.github import queries
from tests.support.github.routes_graphql import SCHEMA
from tests.support.shared import shared_data

ASKED = queries.ALL | {"probe": queries.probe(["acme/anvil", "acme/vault"])[0]}


@pytest.fixture(scope="module")
def github_schema() -> GraphQLSchema:
    """GitHub's types that the queries touch, whole, and all others by their names.

    Building the whole of it takes ten seconds and finds nothing more.
    """
    text = shared_data("github-schema/schema.graphql").read_text()
    whole = []
    for kind, name, definition in _definitions(text):
        whole.append(definition if name in SCHEMA.type_map else _STUBS[kind].format(name=name))
    # GitHub publishes a field twice here and there.
    return build_schema("\n".join(whole), assume_valid=True, assume_valid_sdl=True)


_STUBS = {
    "type": "type {name} {{ stub: Int }}",
    "interface": "interface {name} {{ stub: Int }}",
    "union": "union {name} = Query",
    "enum": "enum {name} {{ STUB }}",
    "input": "input {name} {{ stub: Int }}",
    "scalar": "scalar {name}",
    "directive": "",
}


def _definitions(text: str) -> Iterator[tuple[str, str, str]]:
    """(kind, name, definition) of everything that a schema defines."""
    text = re.sub(r'"""(?:[^"]|"(?!""))*"""', "", text)
    starts = list(re.finditer(rf"^({'|'.join(_STUBS)}) @?(\w+)", text, re.MULTILINE))
    ends = [each.start() for each in starts[1:]] + [len(text)]
    for start, end in zip(starts, ends, strict=True):
        yield start[1], start[2], text[start.start() : end]


def test_every_list_has_its_query() -> None:
    assert set(queries.ALL) == set(Listing)


@pytest.mark.parametrize("name", ASKED)
def test_a_query_is_one_of_the_simulators_schema(name: str) -> None:
    assert validate(SCHEMA, parse(ASKED[name])) == []


def test_every_query_is_one_of_githubs_schema(github_schema: GraphQLSchema) -> None:
    faults = {name: validate(github_schema, parse(text)) for name, text in ASKED.items()}
    assert {name: found for name, found in faults.items() if found} == {}


def test_the_simulators_schema_is_a_part_of_githubs(github_schema: GraphQLSchema) -> None:
    strange = []
    for name, ours in SCHEMA.type_map.items():
        theirs = github_schema.type_map[name]
        for field, defined in getattr(ours, "fields", {}).items():
            known = theirs.fields.get(field)  # type: ignore[attr-defined]  # the same kind of type
            wanted = known and type_from_ast(SCHEMA, parse_type(str(known.type)))
            if not wanted or not is_type_sub_type_of(SCHEMA, defined.type, wanted):
                strange.append(f"{name}.{field}")
            strange += [
                f"{name}.{field}({argument})"
                for argument, value in getattr(defined, "args", {}).items()
                if argument not in known.args or str(known.args[argument].type) != str(value.type)
            ]
    assert strange == []


def test_a_probe_names_repositories_by_variables_alone() -> None:
    text, variables = queries.probe(['acme/"anvil', "acme/vault"])
    assert '"' not in text
    assert variables == {"o0": "acme", "n0": '"anvil', "o1": "acme", "n1": "vault"}
