from __future__ import annotations

import platform
from pathlib import Path

import pytest

from lumi.client.device_info import describe_device, device_id, locale_name, timezone_name


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "de_DE@euro"}, "de_DE"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh_TW"),
        ({"LANG": "C.UTF-8"}, None),
        ({"LC_ALL": "POSIX", "LANG": "zh_CN"}, None),
    ],
)
def test_the_locale_is_what_the_environment_says(environ, name):
    assert locale_name(environ) == name


@pytest.mark.skipif(platform.system() == "Windows", reason="Windows knows a locale without an environment")
def test_no_locale_where_the_environment_says_nothing():
    assert locale_name({}) is None


def test_the_time_zone_is_the_environment_s_or_the_machine_s(tmp_path: Path):
    zone = tmp_path / "zoneinfo" / "Asia" / "Shanghai"
    zone.parent.mkdir(parents=True)
    zone.touch()
    localtime = tmp_path / "localtime"
    localtime.symlink_to(zone)
    assert timezone_name({"TZ": ":Europe/Berlin"}, localtime) == "Europe/Berlin"
    assert timezone_name({}, localtime) == "Asia/Shanghai"
    assert timezone_name({"TZ": "/etc/odd"}, localtime) == "Asia/Shanghai"
    assert timezone_name({}, tmp_path / "none") is None


def test_the_description_names_the_machine(tmp_path: Path):
    device = describe_device({"LANG": "zh_CN.UTF-8", "TZ": "Asia/Shanghai"}, tmp_path)
    assert device.platform == platform.system().lower()
    assert device.model == platform.machine()
    assert device.os_version == platform.release()
    assert (device.locale, device.timezone) == ("zh_CN", "Asia/Shanghai")


def test_the_id_is_made_once_and_kept(tmp_path: Path):
    first = device_id(tmp_path / "new" / "directory")
    assert first.startswith("lumi-")
    assert device_id(tmp_path / "new" / "directory") == first
    assert device_id(tmp_path / "other") != first


def test_where_nothing_can_be_kept_the_id_is_still_one(tmp_path: Path):
    blocked = tmp_path / "file"
    blocked.write_text("not a directory")
    assert device_id(blocked / "below") != device_id(blocked / "below")


def test_a_file_that_is_no_text_is_replaced(tmp_path: Path):
    (tmp_path / "device-id").write_bytes(b"\xff\xfe\x00")
    made = device_id(tmp_path)
    assert made.startswith("lumi-")
    assert device_id(tmp_path) == made
