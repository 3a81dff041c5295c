"""Figures, times, dates and units in a Chinese text, as they are said in Mandarin."""

from __future__ import annotations

import re
from collections.abc import Callable

DIGITS = "零一二三四五六七八九"
_GROUPS = ("", "万", "亿", "万亿")
_LARGEST = 10**16
_MEASURES = "个只位名岁年天周次点分秒块元条张本台件杯碗瓶双种遍倍百千万亿小度米公升盒页人斤"
_UNITS = {
    "km/h": "公里每小时",
    "m/s": "米每秒",
    "kWh": "千瓦时",
    "km": "公里",
    "cm": "厘米",
    "mm": "毫米",
    "kg": "公斤",
    "mg": "毫克",
    "ml": "毫升",
    "mL": "毫升",
    "m": "米",
    "g": "克",
    "L": "升",
}
_MONEY = {"¥": "元", "￥": "元", "$": "美元", "€": "欧元", "£": "英镑"}
_SCALES = {"C": "摄氏度", "F": "华氏度", "": "度"}
_SIGNS = {
    "×": "乘以",
    "*": "乘以",
    "÷": "除以",
    "/": "除以",
    "+": "加",
    "-": "减",
    "=": "等于",
    "≈": "约等于",
}


def digits(number: str) -> str:
    """One by one: years, telephone numbers."""
    return "".join(DIGITS[int(digit)] for digit in number)


def cardinal(number: int) -> str:
    """As it is counted: 110 is 一百一十, 10 is 十, 2000 is 两千, 20005 is 两万零五."""
    if number >= _LARGEST:
        return digits(str(number))
    said, place, higher = "", len(_GROUPS) - 1, False
    while place >= 0:
        group = number // 10_000**place % 10_000
        if group:
            zero = "零" if said and (higher or group < 1000) else ""
            said += (
                zero + ("两" if group == 2 and place else _group(group, leading=not said)) + _GROUPS[place]
            )
        higher = bool(said) and not group  # a group of noughts before the next figure is said as one
        place -= 1
    return said.removeprefix("一") if said.startswith("一十") else said or DIGITS[0]


def _group(number: int, *, leading: bool) -> str:
    """1 … 9999."""
    said, gap = "", False
    for place, unit in ((3, "千"), (2, "百"), (1, "十"), (0, "")):
        digit = number // 10**place % 10
        if digit == 0:
            gap = bool(said)
            continue
        pair = digit == 2 and (place == 3 or (place == 2 and leading and not said))
        said += ("零" if gap else "") + ("两" if pair else DIGITS[digit]) + unit
        gap = False
    return said


def quantity(text: str) -> str:
    """A number as written: sign, thousands separators, decimals. Codes (a leading nought, over ten digits) one by one."""
    whole, _, decimals = text.lstrip("-").replace(",", "").partition(".")
    code = len(whole) > 10 or (len(whole) > 1 and whole.startswith("0"))
    said = digits(whole) if code else cardinal(int(whole))
    return ("负" if text.startswith("-") else "") + said + ("点" + digits(decimals) if decimals else "")


def _counted(match: re.Match[str]) -> str:
    """Two of something is 两, not 二."""
    return ("两" if match[1] == "2" else quantity(match[1])) + match[2]


def _date(match: re.Match[str]) -> str:
    return f"{digits(match[1])}年{cardinal(int(match[2]))}月{cardinal(int(match[3]))}日"


def _clock(match: re.Match[str]) -> str:
    """3:05 is 三点零五分, 10:00 is 十点整."""
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    said = ("两" if hour == 2 else cardinal(hour)) + "点"
    if not minute and not second:
        return said + "整"
    said += ("零" if minute < 10 else "") + cardinal(minute) + "分"
    return said + (cardinal(second) + "秒" if second else "")


def _temperature(match: re.Match[str]) -> str:
    below = "零下" if match[1].startswith("-") else ""
    return below + quantity(match[1].lstrip("-")) + _SCALES[match[2]]


def _sign(match: re.Match[str]) -> str:
    return _SIGNS[match[1]]


_WHOLE = r"\d{1,3}(?:,\d{3})+(?!\d)|\d+"
_N = rf"((?:(?<![A-Za-z\d.)）])-)?(?:{_WHOLE})(?:\.\d+)?)"
_UNIT = "|".join(re.escape(unit) for unit in _UNITS)
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(?<!\d)(\d{4})[-/.](1[0-2]|0?[1-9])[-/.]([12]\d|3[01]|0?[1-9])(?!\d)"), _date),
    (re.compile(r"(?<!\d)([12]\d{3})(?=\s*年(?![前后间内来多]))"), lambda m: digits(m[1])),
    (re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?::([0-5]\d))?(?![\d:])"), _clock),
    (re.compile(_N + r"\s*%"), lambda m: "百分之" + quantity(m[1])),
    (re.compile(_N + r"\s*°\s*([CF]?)(?![A-Za-z])"), _temperature),
    (re.compile(r"([¥￥$€£])\s*" + _N), lambda m: quantity(m[2]) + _MONEY[m[1]]),
    (
        re.compile(r"(?<![\d/.])(\d{1,2})/(\d{1,3})(?![\d/.])"),
        lambda m: f"{quantity(m[2])}分之{quantity(m[1])}",
    ),
    (re.compile(r"(?<=\d)\s*[~–—]\s*(?=\d)"), lambda _: "到"),
    (re.compile(r"(?<=\d)-(?=\d+(?:\.\d+)?\s*[^\d\s=\-])"), lambda _: "到"),
    (re.compile(_N + rf"\s*({_UNIT})(?![A-Za-z])"), lambda m: _counted(m).removesuffix(m[2]) + _UNITS[m[2]]),
    (re.compile(r"(?<=[\d)）])\s*([×*÷/+\-=≈])\s*(?=[\d(（\-?？])"), _sign),
    (re.compile(r"([×÷=≈])"), _sign),
    (re.compile(r"(?<=第)\s*" + _N), lambda m: quantity(m[1])),
    (re.compile(rf"(?<![\d.,])(2)\s*([{_MEASURES}])"), _counted),
    (re.compile(_N), lambda m: quantity(m[1])),
)


def chinese(text: str) -> str:
    """The text with all figures put into characters."""
    for pattern, spoken in _RULES:
        text = pattern.sub(spoken, text)
    return text
