"""Every error in words for a person, Chinese or English: what happened, whether to try again, what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lumi import errors
from lumi.client.reconnection import is_retryable
from lumi.protocol.messages import ErrorCode

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Wording:
    """What an error is called, and what helps. `mend_en` is empty where the error's own text says it."""

    zh: str
    mend_zh: str
    en: str
    mend_en: str = ""
    told: bool = False
    """The server says itself what helps; the words for it here are for one that says nothing."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One error, explained."""

    message: str
    mend: str
    retryable: bool

    @property
    def line(self) -> str:
        """All in one line."""
        return f"{self.message} — {self.mend}" if self.mend else self.message


_CHECK_AUDIO_ZH = "请使用 16 位 PCM 的 WAV 文件，或检查文件路径"

WORDINGS: dict[type[errors.LumiError], Wording] = {
    errors.LumiError: Wording(
        "出错了",
        "请重试；若仍失败，请运行 lumi doctor",
        "something went wrong",
        "try again, or run lumi doctor",
    ),
    errors.ConfigError: Wording("设置有误", "请改正这项设置", "a setting is wrong"),
    errors.AudioError: Wording("声音无法使用", _CHECK_AUDIO_ZH, "this sound cannot be used"),
    errors.OpusUnavailable: Wording(
        "找不到 Opus 音频库", "请安装系统的 libopus，或安装 Python 包 av", "no Opus library"
    ),
    errors.CorruptAudio: Wording("音频数据已损坏", "请重试", "broken audio"),
    errors.AudioFileError: Wording(
        "音频文件无法读取或写入", _CHECK_AUDIO_ZH, "the sound file cannot be used"
    ),
    errors.AudioDeviceError: Wording(
        "麦克风或扬声器不可用",
        "请检查声卡，并安装：pip install 'lumi-assistant[mic]'",
        "no microphone or loudspeaker",
    ),
    errors.ProtocolError: Wording(
        "收到无法理解的消息", "请检查两端的版本", "the peer's message makes no sense"
    ),
    errors.FrameError: Wording(
        "收到无法理解的音频帧", "请检查两端的版本", "the peer's audio frame makes no sense"
    ),
    errors.LocalProtocolError: Wording(
        "消息发送失败", "此时不能发送这条消息", "the message could not be sent"
    ),
    errors.NetworkError: Wording("网络错误", "请检查网络", "network error"),
    errors.NetworkUnavailable: Wording("网络不可用", "请检查网络连接", "network unavailable"),
    errors.ConnectFailed: Wording("连接失败", "请检查地址和端口，或先运行 lumi serve", "connection failed"),
    errors.ConnectionRefused: Wording(
        "服务器拒绝连接", "请用 --token 提供有效的令牌", "the server refused the connection"
    ),
    errors.ConnectionLost: Wording("连接已断开", "请重新连接", "connection lost", "connect again"),
    errors.ReplyTimeout: Wording("等待回复超时", "请重试", "no reply in time", "try again"),
    errors.NotConnected: Wording(
        "消息发送失败：未连接", "请先连接服务器", "the message could not be sent", "connect first"
    ),
    errors.HandshakeError: Wording("握手失败", "请检查地址是否为 Lumi 服务器", "handshake failed"),
    errors.MissingSessionId: Wording(
        "握手失败：服务器响应中缺少session_id",
        "请检查地址是否为 Lumi 服务器",
        "handshake failed",
        "is it a Lumi server?",
    ),
    errors.HandshakeTimeout: Wording(
        "握手失败：服务器没有及时响应",
        "请检查地址是否为 Lumi 服务器",
        "handshake failed",
        "is it a Lumi server?",
    ),
    errors.ServerError: Wording("服务器返回错误", "请按提示修改后重试", "the server answered with an error"),
    errors.RequestRefused: Wording("无法完成", "请按提示修改后重试", "that cannot be done"),
    errors.EngineError: Wording(
        "语音引擎出错", "请重试，或运行 lumi doctor", "an engine failed", "try again, or run lumi doctor"
    ),
    errors.EngineTimeSpent: Wording(
        "这台设备这个小时的使用时间已用完",
        "请稍后再试",
        "this device has had its engine time",
        "try again later",
    ),
    errors.EngineUnavailable: Wording("语音引擎不可用", "请按提示安装", "an engine cannot start"),
    errors.ToolError: Wording("工具无法使用", "请按提示修改后重试", "a tool could not be used"),
    errors.ToolUnanswered: Wording(
        "工具没有回应",
        "请先查看是否已经完成，再决定是否重试",
        "a tool did not answer",
        "see whether it was done before you try again",
    ),
    errors.ModelError: Wording("模型不可用", "请按提示处理", "no model"),
    errors.StoreError: Wording("数据无法读取或保存", "请检查数据目录的权限和磁盘空间", "the store failed"),
    errors.RateLimited: Wording("请求过于频繁", "请稍后再试", "too many requests", "try again in a while"),
    errors.Overloaded: Wording("系统繁忙", "请稍后再试", "too much at once", "try again in a while"),
}


SERVER_WORDINGS: dict[str, Wording] = {
    ErrorCode.BAD_JSON: Wording("消息格式错误", "请检查客户端的版本", "the server could not read a message"),
    ErrorCode.BAD_MESSAGE: Wording(
        "消息内容有误", "请按提示修改后重试", "the server could not use a message"
    ),
    ErrorCode.UNKNOWN_TYPE: Wording(
        "服务器不认识这种消息", "请检查两端的版本", "the server does not know this kind of message"
    ),
    ErrorCode.NOT_READY: Wording("尚未握手", "请等待连接就绪后再发送", "the server is not ready for this"),
    ErrorCode.UNAUTHORIZED: Wording("未获授权", "请用 --token 提供有效的令牌", "not authorised"),
    ErrorCode.UNSUPPORTED_VERSION: Wording(
        "协议版本不受支持", "请更新客户端或服务器", "the server does not speak this version"
    ),
    ErrorCode.UNSUPPORTED_AUDIO: Wording(
        "音频格式不受支持", "请改用提示中的格式", "the server does not take this audio"
    ),
    ErrorCode.RATE_LIMITED: Wording(
        "发送过于频繁", "请稍后再试", "too many messages", "try again in a while"
    ),
    ErrorCode.OVERLOADED: Wording("服务器繁忙", "请稍后再试", "the server is busy", "try again in a while"),
    ErrorCode.TOO_LARGE: Wording("消息太长", "请缩短，或分成几条发送", "the message is too long"),
    ErrorCode.STT_FAILED: Wording(
        "语音识别失败", "请重试", "the speech could not be recognised", "try again", told=True
    ),
    ErrorCode.LLM_FAILED: Wording(
        "回复生成失败", "请重试", "the answer could not be made", "try again", told=True
    ),
    ErrorCode.TTS_FAILED: Wording(
        "语音合成失败", "请重试", "the answer could not be spoken", "try again", told=True
    ),
    ErrorCode.INTERNAL: Wording(
        "服务器内部错误", "请重试，或查看服务器日志", "the server made a mistake", "try again"
    ),
}
"""What the server says of a message, by its `error_code`."""


def wording(error: BaseException) -> Wording:
    """The words for the nearest kind of error in the tree."""
    if isinstance(error, errors.ServerError) and error.code in SERVER_WORDINGS:
        return SERVER_WORDINGS[error.code]
    for kind in type(error).__mro__:
        if kind in WORDINGS:
            return WORDINGS[kind]
    return WORDINGS[errors.LumiError]


def explain(error: BaseException, language: Language = "en") -> Advice:
    """What to tell a person about `error`."""
    words = wording(error)
    detail = " ".join(str(error).split())
    retryable = isinstance(error, errors.LumiError) and is_retryable(error)
    if words.told and detail:
        told = f"{words.zh}：{detail}" if language == "zh" else f"{words.en}: {detail}"
        return Advice(told, "", retryable)
    if language == "zh":
        return Advice(words.zh, f"{words.mend_zh}（{detail}）" if detail else words.mend_zh, retryable)
    return Advice(f"{words.en}: {detail}" if detail else words.en, words.mend_en, retryable)
