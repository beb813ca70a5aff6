"""What a query costs, by GitHub's rule: the requests that its connections would take, by 100."""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)


def cost_of(document: DocumentNode, variables: dict[str, Any]) -> int:
    """Points, one at least."""
    fragments = {
        each.name.value: each.selection_set
        for each in document.definitions
        if isinstance(each, FragmentDefinitionNode)
    }
    total = sum(
        _requests(each.selection_set, 1, fragments, variables)
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
    )
    return max(1, round(total / 100))


def _requests(
    selected: SelectionSetNode | None,
    times: int,
    fragments: dict[str, SelectionSetNode],
    variables: dict[str, Any],
) -> int:
    total = 0
    for each in selected.selections if selected else ():
        if isinstance(each, FragmentSpreadNode):
            total += _requests(fragments[each.name.value], times, fragments, variables)
            continue
        below = times
        if isinstance(each, FieldNode):
            size = _size(each, variables)
            if size is not None:
                total += times
                below = times * size
        if isinstance(each, FieldNode | InlineFragmentNode):
            total += _requests(each.selection_set, below, fragments, variables)
    return total


def _size(node: FieldNode, variables: dict[str, Any]) -> int | None:
    for argument in node.arguments or ():
        if argument.name.value in ("first", "last"):
            if isinstance(argument.value, VariableNode):
                return int(variables[argument.value.name.value])
            if isinstance(argument.value, IntValueNode):
                return int(argument.value.value)
    return None
