"""Every text of the terminal app, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass

from lumi.client.error_handler import Language


@dataclass(frozen=True, slots=True)
class Words:
    """One text in both languages."""

    zh: str
    en: str

    def text(self, language: Language, **values: object) -> str:
        """The text in `language`, with its blanks filled."""
        words = self.zh if language == "zh" else self.en
        return words.format(**values) if values else words


def quote(text: str) -> Words:
    """What somebody said: the same in any language."""
    return Words(text, text)


YOU = Words("你", "You")
LUMI = Words("Lumi", "Lumi")
BELL = Words("提醒", "Bell")
NOTICE = Words("提示", "Note")
ERROR = Words("错误", "Error")

WAITING = Words("（待发）", "(waiting to be sent)")
UNSENT = Words("（未送达）", "(not delivered)")
NOTHING_HEARD = Words("（没有听清）", "(no words were understood)")

PLACEHOLDER = Words("输入文字，按回车发送", "Type something and press Enter")
WELCOME = Words("在下面输入文字，或按 ^t 说话。", "Type below and press Enter, or press ^t to talk.")

IDLE = Words("^t 说话 · ^o 免提", "^t to talk · ^o for hands-free")
HOLDING = Words("正在听，再按 ^t 结束", "listening, ^t again when you have finished")
HANDS_FREE = Words("免提：请说话", "hands-free: just speak")
PAUSED = Words("免提：等 Lumi 说完", "hands-free: until Lumi has finished")
SPEAKING = Words("Lumi 正在说话", "Lumi is speaking")

MICROPHONE = Words("麦克风", "Mic")
LOUDSPEAKER = Words("扬声器", "Speaker")
QUEUE = Words("待发 {count}", "queue {count}")
LATENCY = Words("上一轮 {ms} 毫秒", "last turn {ms} ms")
NO_LATENCY = Words("上一轮 –", "last turn –")
RETRY_IN = Words("{seconds} 秒后重连", "reconnecting in {seconds} s")
RETRY_BY_KEY = Words("按 ^r 重连", "press ^r to connect again")
RETRY_NOW = Words("^r 立即重连", "^r connects now")

NO_MICROPHONE = Words("没有麦克风，不能说话：", "You cannot talk: ")
NO_LOUDSPEAKER = Words("没有扬声器，回答只有文字：", "Answers come as text: ")
NOT_READY = Words(
    "还没有连接好，现在不能说话；文字会在连接后送出。",
    "Not connected yet, so you cannot talk; what you type is sent once the line is ready.",
)
FAREWELL = Words("服务器告别：{reason}", "The server says goodbye: {reason}")
TOO_BUSY = Words("按键太快，这一次没有执行。", "Too many keys at once: this one was not obeyed.")

TALK = Words("说话", "Talk")
FINISH = Words("说完", "Finish")
HANDS_FREE_ON = Words("免提", "Hands-free")
HANDS_FREE_OFF = Words("关闭免提", "Hands-free off")
INTERRUPT = Words("打断", "Interrupt")
OTHER_LANGUAGE = Words("English", "中文")
RECONNECT = Words("重连", "Reconnect")
LEAVE = Words("退出", "Quit")
