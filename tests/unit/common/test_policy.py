"""What a method declares, read from its descriptor."""

from types import SimpleNamespace

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor_pool import DescriptorPool

from laurel.common.v1 import policy_pb2
from laurel.common.v1.board_pb2 import Board
from laurel_common.auth import Principal, PrincipalKind
from laurel_common.rpc.policy import MethodRule, _installation_paths

FIELD = descriptor_pb2.FieldDescriptorProto


def message(name: str, *fields: tuple[str, str | None, bool]) -> descriptor_pb2.DescriptorProto:
    """A message of (name, message type or None for int64, repeated) fields."""
    built = descriptor_pb2.DescriptorProto(name=name)
    for number, (field, kind, repeated) in enumerate(fields, start=1):
        built.field.add(
            name=field,
            number=number,
            type=FIELD.TYPE_INT64 if kind is None else FIELD.TYPE_MESSAGE,
            type_name=None if kind is None else f".sample.{kind}",
            label=FIELD.LABEL_REPEATED if repeated else FIELD.LABEL_OPTIONAL,
        )
    return built


def paths_of(*fields: tuple[str, str | None, bool]) -> tuple[tuple[str, ...], ...]:
    file = descriptor_pb2.FileDescriptorProto(
        name="sample.proto", package="sample", syntax="proto3"
    )
    file.message_type.append(message("Header", ("installation_id", None, False)))
    file.message_type.append(message("Other", ("id", None, False)))
    file.message_type.append(message("Request", *fields))
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return _installation_paths(pool.FindMessageTypeByName("sample.Request"))


def test_an_installation_is_found_at_the_top_or_one_message_below() -> None:
    assert paths_of(("installation_id", None, False), ("h", "Header", False)) == (
        ("installation_id",),
    )
    assert paths_of(("h", "Header", False), ("o", "Other", False)) == (("h", "installation_id"),)
    assert paths_of(("hs", "Header", True), ("o", "Other", False)) == ()


def test_every_kind_of_caller_is_known() -> None:
    callers = set(policy_pb2.Caller.values()) - {policy_pb2.CALLER_UNSPECIFIED}
    # ADMIN is a user whose role the use case asks for.
    assert len(callers) == len(PrincipalKind) + 1


def test_who_declares_nothing_lets_nobody_in() -> None:
    for kind in PrincipalKind:
        assert not MethodRule("/s/M").allows(Principal(kind, "x", methods=("*",)))


def test_a_message_names_the_installations_that_are_set_on_it() -> None:
    board = Board(installation_id=7)
    one = MethodRule("/s/M", installation_paths=(("installation_id",),))
    deep = MethodRule("/s/M", installation_paths=(("board", "installation_id"),))
    two = MethodRule(
        "/s/M", installation_paths=(("a", "installation_id"), ("b", "installation_id"))
    )
    assert [*one.installations_in(board)] == [7]
    assert [*one.installations_in(Board())] == []
    assert [*deep.installations_in(SimpleNamespace(board=board))] == [7]
    assert [*two.installations_in(SimpleNamespace(a=board, b=Board()))] == [7]
    assert [*two.installations_in(SimpleNamespace(a=board, b=Board(installation_id=8)))] == [7, 8]
    assert [*MethodRule("/s/M").installations_in(board)] == []
