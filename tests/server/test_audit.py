from tests.server.doubles import counted

from lumi.server.audit import KEPT, AuditLog
from lumi.server.auth import Verdict
from lumi.server.metrics import Metrics
from lumi.transport.base import LinkInfo


def test_refusals_are_counted_kept_and_hold_no_secret():
    metrics = Metrics()
    audit = AuditLog(metrics, lambda: 5.0)
    secret = "s3cret-token"
    info = LinkInfo(
        path="/xiaozhi/v1/\n",
        headers={"authorization": f"Bearer {secret}", "origin": "http://a"},
        query={"authorization": secret},
        remote="192.0.2.7",
    )
    audit.refused(Verdict.BAD_TOKEN, info, "aa:bb")
    (refusal,) = audit.latest
    assert (refusal.at, refusal.reason, refusal.where) == (5.0, "bad_token", "/xiaozhi/v1/")
    assert (refusal.remote, refusal.device_id, refusal.origin) == ("192.0.2.7", "aa:bb", "http://a")
    assert secret not in repr(refusal)
    assert counted(metrics, 'lumi_refused_total{reason="bad_token"} 1.0')


def test_only_the_last_are_kept_newest_first():
    audit = AuditLog(Metrics(), lambda: 0.0)
    for number in range(KEPT + 3):
        audit.refused(Verdict.NO_TOKEN, LinkInfo(remote=str(number)))
    assert len(audit.latest) == KEPT
    assert audit.latest[0].remote == str(KEPT + 2)
