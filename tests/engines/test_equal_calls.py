from lumi.engines.base import ToolCall
from lumi.engines.equal_calls import counted


def call(name: str, arguments: str) -> ToolCall:
    return ToolCall("", name, arguments)


def test_equal_calls_are_numbered_however_they_are_written():
    calls = [
        call("timer", '{"a": 1, "b": 2}'),
        call("timer", '{"b":2,"a":1}'),
        call("timer", '{"a": 1}'),
        call("other", '{"a": 1}'),
        call("timer", '{"a": 1, "b": 2}'),
    ]
    assert [one.nth for one in counted(calls)] == [0, 1, 0, 0, 2]
    assert [one.arguments for one in counted(calls)] == [one.arguments for one in calls]


def test_what_is_no_json_is_compared_as_it_stands():
    assert [one.nth for one in counted([call("t", "{"), call("t", "{ "), call("t", ""), call("t", "")])] == [
        0,
        1,
        0,
        1,
    ]


def test_who_counts_twice_gets_the_same():
    calls = counted([call("t", "{}"), call("t", "{}")])
    assert counted(calls) == calls
