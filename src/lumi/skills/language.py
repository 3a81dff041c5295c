"""Which language a text is in, and the text as the matcher wants it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from lumi.engines.base import Language

_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")
_SPACE = re.compile(r"\s+")
_HAN_GAP = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")
_EDGE = re.compile(r"^[\s.,;:!?。、~…\"“”—]+|[\s.,;:!?。、~…\"“”—]+$")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'", "`": "'", "´": "'"})

_TRADITIONAL = (
    "現幾點鐘時間幫設個計鬧醒後開會掛過鈴響讓請問這裡條單購買數電視聽樂聞氣溫燈關風調聲靜講話說訴還記錄誰麼嗎為乘減"
    "於攝華氏錢萬億兩雙擲骰顆機隨從選總統圖畫書寫東項導輛車門窗廚臥廳廁飯烹煮雞蛋麵條貓魚鳥馬龍語國學習歲認識謝對"
    "歡樂無處務業產質量長寬體積極熱涼轉換當則應該種類紅綠藍黃銀歷史農曆禮週號節慶們來實與樣發動進離變達內須給確"
    "週鎊齊"
)
_SIMPLIFIED = (
    "现几点钟时间帮设个计闹醒后开会挂过铃响让请问这里条单购买数电视听乐闻气温灯关风调声静讲话说诉还记录谁么吗为乘减"
    "于摄华氏钱万亿两双掷骰颗机随从选总统图画书写东项导辆车门窗厨卧厅厕饭烹煮鸡蛋面条猫鱼鸟马龙语国学习岁认识谢对"
    "欢乐无处务业产质量长宽体积极热凉转换当则应该种类红绿蓝黄银历史农历礼周号节庆们来实与样发动进离变达内须给确"
    "周磅齐"
)
SIMPLIFY: Mapping[int, str] = MappingProxyType(
    {ord(old): new for old, new in zip(_TRADITIONAL, _SIMPLIFIED, strict=True)}
)
"""Traditional characters of the templates' words, one to one, so that a text keeps its length."""

_CONTRACTIONS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"\b{short}\b", re.IGNORECASE), long)
    for short, long in (
        ("what's", "what is"),
        ("whats", "what is"),
        ("who's", "who is"),
        ("how's", "how is"),
        ("where's", "where is"),
        ("it's", "it is"),
        ("that's", "that is"),
        ("there's", "there is"),
        ("i'm", "i am"),
        ("you're", "you are"),
        ("let's", "let us"),
        ("don't", "do not"),
        ("can't", "can not"),
        ("cannot", "can not"),
        ("i'd", "i would"),
        ("i've", "i have"),
    )
)
_POLITE_EN = re.compile(
    r"^(?:(?:hey|hi|hello|ok|okay)[\s,]+lumi\b|lumi\b|please|um+|uh+|so|well|now then|"
    r"(?:can|could|would|will) you(?: please)?(?= (?!do\b|help|hear|sing|dance|speak|understand|play|see|think|talk|feel))|"
    r"i would like you to|i want you to)[\s,]+",
    re.IGNORECASE,
)
_POLITE_EN_END = re.compile(r"[\s,]+(?:please|for me|lumi|thank you|thanks)$", re.IGNORECASE)
_POLITE_ZH = re.compile(
    r"^(?:(?:你好|嘿|嗨|喂)?[,,\s]*(?:lumi|露米|小露)[,,\s]*|请问一下|请问|麻烦你?|请你?|(?:你)?(?:能不能|可不可以|可以|能)?帮我|给我|那个|嗯+|呃+)[,,\s]*",
    re.IGNORECASE,
)
_POLITE_ZH_END = re.compile(r"(?:,?谢谢你?|好吗|好不好|行吗|可以吗|呗|啊|呀|吧|哦|呢|啦)$")


def language_of(text: str, preferred: str) -> Language:
    """`zh` where there is a Han character, `en` where there are other letters, else the preferred language."""
    if _HAN.search(text):
        return "zh"
    if _LETTER.search(text):
        return "en"
    return "zh" if preferred.lower().startswith("zh") else "en"


def tidy(text: str, language: Language) -> str:
    """The text in one spelling: full-width forms, apostrophes, gaps, contractions and edge punctuation made even.

    Letters keep their case, since a name or a list's item is said back as it was written.
    """
    even = unicodedata.normalize("NFKC", text.replace("…", " ")).translate(_APOSTROPHES)
    even = _SPACE.sub(" ", even)
    even = _EDGE.sub("", even)
    if language == "zh":
        return _HAN_GAP.sub("", even)
    for pattern, long in _CONTRACTIONS:
        if "'" in even or "what" in even or "cannot" in even:
            even = pattern.sub(long, even)
    return even


def without_courtesies(text: str, language: Language) -> str:
    """The text without what people say around a request (`could you … please`, `请问 …`); never empty."""
    start, end = (_POLITE_ZH, _POLITE_ZH_END) if language == "zh" else (_POLITE_EN, _POLITE_EN_END)
    while True:
        shorter = _EDGE.sub("", end.sub("", start.sub("", text)))
        if shorter in {"", text}:
            return text
        text = shorter
