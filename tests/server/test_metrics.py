from tests.server.doubles import counted

from lumi.server.metrics import Metrics


def test_counts_are_shown_as_prometheus_reads_them():
    metrics = Metrics()
    metrics.connections.inc()
    metrics.errors.labels("bad_json").inc(2)
    assert counted(metrics, "# TYPE lumi_connections_total counter")
    assert counted(metrics, "lumi_connections_total 1.0")
    assert counted(metrics, 'lumi_errors_total{error_code="bad_json"} 2.0')


def test_a_turn_counts_with_its_stages():
    metrics = Metrics()
    metrics.turn_ended("spoken", {"stt": 30.0, "tts": 700.0})
    assert counted(metrics, 'lumi_turns_total{kind="spoken"} 1.0')
    assert counted(metrics, 'lumi_stage_seconds_bucket{le="0.025",stage="stt"} 0.0')
    assert counted(metrics, 'lumi_stage_seconds_bucket{le="0.05",stage="stt"} 1.0')
    assert counted(metrics, 'lumi_stage_seconds_sum{stage="tts"} 0.7')


def test_a_number_of_others_is_read_when_it_is_asked_for():
    metrics, now = Metrics(), [1.0]
    metrics.watch("links", "Links now", lambda: now[0])
    now[0] = 3.0
    assert counted(metrics, "lumi_links 3.0")


def test_two_servers_do_not_count_together():
    one, other = Metrics(), Metrics()
    one.connections.inc()
    assert counted(other, "lumi_connections_total 0.0")
