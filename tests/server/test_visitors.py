from lumi.server.visitors import MOST, Visitors


def test_the_latest_to_come_stand_first_and_the_list_does_not_grow_for_ever():
    visitors = Visitors()
    for name in ("a", "b", "a"):
        visitors.note(name)
    assert list(visitors) == ["a", "b"]
    for number in range(MOST):
        visitors.note(str(number))
    assert len(list(visitors)) == MOST
    assert next(iter(visitors)) == str(MOST - 1)
    assert "a" not in visitors
