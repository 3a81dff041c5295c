"""A certificate authority of the household's own, and what it gives to this server. Pure: PEM in, PEM out, no file.

Whoever trusts the authority trusts it for home networks only: its certificate says so (name constraints, RFC 5280,
4.2.1.10), so that a stolen key is of no use for anybody's bank.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_FOR = timedelta(days=3652)
CERTIFICATE_FOR = timedelta(days=397)
"""Browsers take no server's certificate that is meant for longer than 398 days."""
RENEW_BEFORE = timedelta(days=30)
SLACK = timedelta(days=1)
"""Clocks of phones and boards may be so slow; part of the time above."""

HOME_NAMES = ("localhost", "local", "lan", "home", "home.arpa", "internal")
HOME_NETWORKS = (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def make_key() -> str:
    """A new private key (EC P-256), as PEM."""
    return (
        ec.generate_private_key(ec.SECP256R1())
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def proper(names: Iterable[str]) -> tuple[str, ...]:
    """Of names and addresses, those that a certificate can carry; each once, sorted."""
    found = set()
    for name in names:
        try:
            found.add(str(ipaddress.ip_address(name)))
        except ValueError:
            if HOST_NAME.fullmatch(name.lower()):
                found.add(name.lower())
    return tuple(sorted(found))


def make_authority(key: str, names: Sequence[str], now: datetime) -> str:
    """The authority's certificate, as PEM.

    Args:
        key: its private key.
        names: of this machine: it may vouch for these besides home networks' own.
        now: the time, with its zone.
    """
    private = _private(key)
    public = private.public_key()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Lumi"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Lumi at home"),
        ]
    )
    made = (
        _builder(subject, subject, public, now, AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(_allowed(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return _pem(made.sign(private, hashes.SHA256()))


def make_certificate(authority: str, authority_key: str, names: Sequence[str], now: datetime) -> str:
    """A new key and a certificate for it, one after the other as PEM; for those of `names` that are allowed."""
    issuer = x509.load_pem_x509_certificate(authority.encode())
    key = make_key()
    public = _private(key).public_key()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lumi server")])
    until = min(CERTIFICATE_FOR, issuer.not_valid_after_utc - (now - SLACK))
    made = (
        _builder(subject, issuer.subject, public, now, until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general(name) for name in allowed(authority, names)]),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(_private(authority_key).public_key()),
            critical=False,
        )
    )
    return key + _pem(made.sign(_private(authority_key), hashes.SHA256()))


def allowed(authority: str, names: Sequence[str]) -> tuple[str, ...]:
    """Of `names`, those that the authority may vouch for."""
    certificate = x509.load_pem_x509_certificate(authority.encode())
    permitted = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    rules = [general.value for general in permitted.permitted_subtrees or ()]
    return tuple(name for name in names if any(_covers(rule, name) for rule in rules))


def authority_due(authority: str, key: str, now: datetime) -> bool:
    """Whether a new certificate of the authority is wanted: it expires soon, is none, or is another key's."""
    try:
        certificate = x509.load_pem_x509_certificate(authority.encode())
        certificate.extensions.get_extension_for_class(x509.NameConstraints)
    except (ValueError, x509.ExtensionNotFound):
        return True
    own = certificate.public_key() == _private(key).public_key()
    return not own or certificate.not_valid_after_utc - now < RENEW_BEFORE


def certificate_due(pair: str, authority: str, names: Sequence[str], now: datetime) -> bool:
    """Whether a new server's certificate is wanted: it expires soon, is for other names, or somebody else's."""
    try:
        certificate = x509.load_pem_x509_certificate(pair.encode())
        carried = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):  # a new one mends it
        return True
    if {str(general.value) for general in carried} != set(allowed(authority, names)):
        return True
    return certificate.not_valid_after_utc - now < RENEW_BEFORE or certificate.not_valid_before_utc > now


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now: datetime,
    lasting: timedelta,
) -> x509.CertificateBuilder:
    since = now - SLACK
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + lasting)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _allowed(names: Sequence[str]) -> list[x509.GeneralName]:
    hosts, networks = set(HOME_NAMES), {ipaddress.ip_network(network) for network in HOME_NETWORKS}
    for name in names:
        try:
            networks.add(ipaddress.ip_network(name))
        except ValueError:
            hosts.add(name)
    return [
        *(x509.DNSName(host) for host in sorted(hosts)),
        *(x509.IPAddress(network) for network in sorted(networks, key=str)),
    ]


def _covers(rule: object, name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return isinstance(rule, str) and (name == rule or name.endswith(f".{rule}"))
    return isinstance(rule, ipaddress.IPv4Network | ipaddress.IPv6Network) and address in rule


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _private(key: str) -> ec.EllipticCurvePrivateKey:
    private = serialization.load_pem_private_key(key.encode(), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise ValueError("it is no EC key")  # noqa: TRY004 - a file's content, not a caller's mistake
    return private


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
