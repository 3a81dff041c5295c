from __future__ import annotations

from lumi.client.played_reports import MAX_DUE, PlayedReport, PlayedReports


def drain(reports: PlayedReports) -> list[tuple[float, bool]]:
    told = [(report.ms, report.final) for report in reports.due]
    reports.due.clear()
    return told


def test_every_300_ms_while_it_is_heard_and_once_at_the_end():
    reports = PlayedReports()
    reports.begin("t1")
    for tick in range(51):
        reports.heard(tick * 20.0, 5.0 + tick * 0.02)
    assert drain(reports) == [(320, False), (620, False), (920, False)]
    reports.end(1_000)
    reports.end(1_000)
    assert drain(reports) == [(1_000, True)]
    reports.heard(1_020, 7)
    assert drain(reports) == []


def test_what_ran_dry_is_told_at_once_and_the_same_not_twice():
    reports = PlayedReports()
    reports.begin("t1")
    reports.heard(0, 1.0, dry=True)
    assert drain(reports) == []
    reports.heard(120, 1.1, dry=True)
    reports.heard(120, 9.9, dry=True)
    assert drain(reports) == [(120, False)]


def test_it_never_goes_back():
    reports = PlayedReports()
    reports.begin("t1")
    reports.heard(500, 1.0, dry=True)
    reports.end(480)
    assert list(reports.due)[-1] == PlayedReport("t1", 500, final=True)


def test_a_turn_without_a_name_is_not_told():
    reports = PlayedReports()
    reports.begin(None)
    reports.heard(500, 1.0, dry=True)
    reports.end(500)
    assert not reports.due


def test_who_cannot_be_told_gets_the_newest():
    reports = PlayedReports()
    reports.begin("t1")
    for number in range(1, 100):
        reports.heard(number, number)
    assert len(reports.due) == MAX_DUE
    assert reports.due[-1].ms == 99
