import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from lumi.server.local_authority import (
    allowed,
    authority_due,
    certificate_due,
    make_authority,
    make_certificate,
    make_key,
    proper,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("127.0.0.1", "192.168.1.20", "box", "box.local", "localhost")


@pytest.fixture(scope="module")
def made() -> tuple[str, str, str]:
    key = make_key()
    authority = make_authority(key, NAMES, NOW)
    return key, authority, make_certificate(authority, key, NAMES, NOW)


def test_names_are_those_that_a_certificate_can_carry():
    assert proper(["Box", "box", "::1", "0:0::1", "my_pc", "日本", "", "192.168.1.20"]) == (
        "192.168.1.20",
        "::1",
        "box",
    )


def test_the_authority_may_give_servers_certificates_for_ten_years_and_nothing_else(made):
    certificate = x509.load_pem_x509_certificate(made[1].encode())
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    assert certificate.extensions.get_extension_for_class(x509.NameConstraints).critical
    lasting = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert timedelta(days=3650) < lasting < timedelta(days=3660)


def test_a_servers_certificate_holds_for_as_long_as_browsers_take(made):
    certificate = x509.load_pem_x509_certificate(made[2].encode())
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == timedelta(days=397)
    assert certificate.not_valid_before_utc < NOW, "clocks may be slow"
    carried = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(name.value) for name in carried} == set(NAMES)
    certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(made[1].encode()))


def test_what_is_not_at_home_is_not_vouched_for(made):
    key, authority, _ = made
    strange = ("bank.example", "203.0.113.9", "2001:db8::1", "notlocal")
    assert allowed(authority, (*NAMES, *strange)) == NAMES
    pair = make_certificate(authority, key, (*NAMES, *strange), NOW)
    assert not certificate_due(pair, authority, NAMES, NOW)


def test_an_address_that_the_machine_has_from_the_start_is_vouched_for():
    authority = make_authority(make_key(), ("203.0.113.9", "box.example.org"), NOW)
    assert allowed(authority, ("203.0.113.9", "203.0.113.10", "box.example.org")) == (
        "203.0.113.9",
        "box.example.org",
    )


def test_openssl_takes_them_at_its_strictest(made, tmp_path):
    _, authority, pair = made
    (tmp_path / "pair").write_text(pair)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "pair")
    ssl.create_default_context(cadata=authority)


@pytest.mark.parametrize(
    ("after", "names", "due"),
    [
        (DAY, NAMES, False),
        (365 * DAY, NAMES, False),
        (367 * DAY, NAMES, True),
        (DAY, NAMES[1:], True),
        (DAY, (*NAMES, "192.168.1.21"), True),
        (DAY, (*NAMES, "bank.example"), False),
        (-2 * DAY, NAMES, True),
    ],
)
def test_a_certificate_is_due_before_it_expires_or_when_names_change(made, after, names, due):
    _, authority, pair = made
    assert certificate_due(pair, authority, names, NOW + after) is due


def test_a_certificate_of_another_authority_is_due_and_so_is_rubbish(made):
    other = make_authority(make_key(), NAMES, NOW)
    assert certificate_due(made[2], other, NAMES, NOW)
    assert certificate_due("rubbish", made[1], NAMES, NOW)


@pytest.mark.parametrize(("after", "due"), [(DAY, False), (3600 * DAY, False), (3640 * DAY, True)])
def test_an_authority_is_due_before_it_expires(made, after, due):
    assert authority_due(made[1], made[0], NOW + after) is due


def test_an_authority_is_due_when_it_is_another_keys_or_none(made):
    key, _, pair = made
    assert authority_due(made[1], make_key(), NOW)
    assert authority_due("", key, NOW)
    assert authority_due(pair, key, NOW), "a server's certificate is no authority"


def test_no_certificate_outlives_its_authority(made):
    key, authority, _ = made
    late = NOW + 3500 * DAY
    pair = x509.load_pem_x509_certificate(make_certificate(authority, key, NAMES, late).encode())
    assert pair.not_valid_after_utc == x509.load_pem_x509_certificate(authority.encode()).not_valid_after_utc
