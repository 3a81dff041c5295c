from lumi.engines.base import Speaker
from lumi.server.notices import Notice, Notices


def test_what_waits_comes_in_order_and_what_was_not_said_is_given_back_if_anybody_asks_for_it():
    unsaid: list[str] = []
    notices = Notices(unsaid.append)
    for name in ("a", "", "b"):
        notices.add(Notice(f"say {name}", Speaker(), id=name))
    assert len(notices) == 3
    first = notices.take()
    assert (first.text, len(notices)) == ("say a", 2)
    notices.clear()
    assert (len(notices), unsaid) == (0, ["b"])
    notices.give_back(first)
    notices.give_back(None)
    assert unsaid == ["b", "a"]


def test_what_was_heard_to_its_end_is_not_given_back():
    unsaid: list[str] = []
    notices = Notices(unsaid.append)
    notice = Notice("One. \n Two.", Speaker(), id="a")
    notices.give_back(notice, "One. Two.")
    assert unsaid == []
    notices.give_back(notice, "One. Tw")
    assert unsaid == ["a"]
