// What the server's codes mean, in both languages: why somebody was refused, what the log complains of, and which trouble
// an engine has. Each with what to do; empty: nothing has to be done.

const REFUSALS = {
  pairing: [["Not let in yet", "Type the code that the device shows, above."], ["尚未获准加入", "请在上方输入设备显示的配对码。"]],
  bad_origin: [["A web page of another address", "If you trust that page, add its address to `server.origins`."], ["来自其他地址的网页", "如果信任该网页，请把它的地址加入 `server.origins`。"]],
  no_token: [["Showed no token", "Give the device a token, or let unknown devices ask to come in: `server.pairing = true`."], ["没有出示令牌", "请给设备一个令牌，或设置 `server.pairing = true`，让未知设备可以请求加入。"]],
  bad_token: [["Showed a wrong token", "If the device is yours, give it the token anew. If it is not, somebody is trying to come in."], ["令牌不正确", "如果是您的设备，请重新填写令牌；如果不是，则有人在试图进入。"]],
  expired_token: [["Its token has expired", "A device fetches a new one by itself when it starts; switch it off and on."], ["令牌已过期", "设备启动时会自动领取新令牌；请将设备重启。"]],
  revoked: [["It was shut out", "To let it in again, forget the device; it may ask to come in then."], ["该设备已被拒绝", "若要重新允许，请先删除该设备的登记，它便可以再次请求加入。"]],
  client_changed: [["Another installation (`Client-Id`) than the one that was let in", "If the device was set up anew, forget it and let it in again. If not, something else goes by its name."], ["与当初允许的安装（`Client-Id`）不同", "如果设备重新安装过，请删除其登记后重新允许；否则，有别的东西在冒用它的名字。"]],
  crowded: [["Too many wait to be let in", "Let in or forget those that wait, above."], ["等待加入的设备过多", "请在上方允许或删除正在等待的设备。"]],
  address_codes: [["Its address had its share of pairing codes for now; it will ask again by itself", "If many new devices share this address, let them in one after the other."], ["其地址的配对码配额暂已用完；设备稍后会自行重试", "如果有许多新设备共用此地址，请逐个允许。"]],
  overloaded: [["The server was full; it will come back by itself", "If this goes on, raise `limits.sessions`."], ["服务器已满；设备稍后会自行重试", "如果经常发生，请调高 `limits.sessions`。"]],
  rate_limited: [["It has too many sessions at once; it will come back by itself", "If this goes on, raise `limits.device_sessions`."], ["该设备同时的会话过多；稍后会自行重试", "如果经常发生，请调高 `limits.device_sessions`。"]],
  flood: [["Sent too much for too long, and was cut off", "If it is an honest device, raise `limits.messages_per_s` or `limits.audio_kib_per_s`."], ["长时间发送过多数据，已被断开", "如果设备没有问题，请调高 `limits.messages_per_s` 或 `limits.audio_kib_per_s`。"]],
  address_connections: [["Too many connections from one address", "If many devices share this address, raise `limits.address_connections`."], ["同一地址的连接过多", "如果有许多设备共用此地址，请调高 `limits.address_connections`。"]],
  bad_admin_token: [["A wrong admin token, or none", "`lumi token admin` prints the right one. If nobody of yours did this, somebody is trying to come in."], ["管理令牌不正确或缺失", "运行 `lumi token admin` 查看正确的令牌。如果不是您的人所为，则有人在试图进入。"]],
};

const TROUBLES = {
  failed: [["failed", ""], ["失败", ""]],
  unreachable: [["out of reach", "Is it running, and is its `base_url` right? `lumi doctor` looks."], ["无法连接", "它在运行吗，`base_url` 正确吗？运行 `lumi doctor` 检查。"]],
  key_refused: [["its key is refused", "Set its `api_key` anew, then `lumi reload`."], ["密钥被拒绝", "请重新设置 `api_key`，然后运行 `lumi reload`。"]],
  unknown_model: [["unknown model", "Set its `model` to one that the service has, then `lumi reload`."], ["未知模型", "请把 `model` 设为该服务已有的模型，然后运行 `lumi reload`。"]],
  no_credit: [["no credit left", "Top up the account that its `api_key` is of; it is tried again by itself."], ["余额不足", "请为 `api_key` 所属的账户充值；之后会自动重试。"]],
  busy: [["busy", "If this goes on, add a `fallback`, or raise the limit of your account with the service."], ["繁忙", "如果经常发生，请添加 `fallback`，或提高该服务账户的限额。"]],
  slow: [["too slow", "If this goes on, take a smaller model, or add a `fallback`."], ["太慢", "如果经常发生，请换用较小的模型，或添加 `fallback`。"]],
  garbled: [["answered what is no answer, or broke off", ""], ["应答异常或中断", ""]],
  refused: [["will not do what was asked", ""], ["拒绝了请求", ""]],
  spent: [["the device has had its engine time of this hour", "If that is too little, raise `limits.engine_minutes_per_hour`."], ["该设备本小时的引擎时间已用完", "如果不够用，请调高 `limits.engine_minutes_per_hour`。"]],
};

const EVENTS = {
  refused: [["Somebody was refused", ""], ["有人被拒绝", ""]],
  "cards not shown": [["Timers and lists are not shown on a device", ""], ["设备上未能显示计时器和清单", ""]],
  "chat not answered": [["A typed question got no answer", ""], ["文字提问没有得到回答", ""]],
  "chat failed": [["A typed question failed by a mistake in the server", "Please report it, with the lines of the log."], ["服务器出错，文字提问失败", "请附上日志反馈此问题。"]],
  "device lists too many tools": [["A device lists too many tools; the last are left out", ""], ["设备列出的工具过多，超出部分已忽略", ""]],
  "no tools from this device": [["A device did not say which tools it has", ""], ["设备没有告知它有哪些工具", ""]],
  "engine failed": [["An engine failed", ""], ["引擎失败", ""]],
  "event not safe": [["An event could not be kept in the store; a crash would lose it", "Is the disk full, or the data directory not writable?"], ["事件未能保存，若崩溃将会丢失", "磁盘是否已满，数据目录是否可写？"]],
  "dialogue not safe": [["A conversation could not be kept in the store; a crash would lose it", "Is the disk full, or the data directory not writable?"], ["对话未能保存，若崩溃将会丢失", "磁盘是否已满，数据目录是否可写？"]],
  "links left over": [["Connections were still open when the server stopped", ""], ["服务器停止时仍有未关闭的连接", ""]],
  "the recording has gaps": [["A recording has gaps: the disk was too slow", "Put `recorder.folder` on a faster disk, or record fewer devices."], ["录音有缺失：磁盘太慢", "请把 `recorder.folder` 放到更快的磁盘上，或减少录音的设备。"]],
  "recording full": [["A recording is full; what comes after is not recorded", "Longer ones: raise `recorder.file_mb`."], ["录音文件已满，之后的内容不再录制", "如需更长，请调高 `recorder.file_mb`。"]],
  "recording ended": [["A recording ended: it could not be written", "Is the disk full, or `recorder.folder` not writable?"], ["录音中止：无法写入", "磁盘是否已满，`recorder.folder` 是否可写？"]],
  "no device token can be checked": [["No device's token can be checked, so none of them comes in", "The data directory must be readable for the server; `lumi doctor` looks."], ["无法核对设备令牌，设备都无法进入", "服务器必须能读取数据目录；运行 `lumi doctor` 检查。"]],
  "devices not brought up to date": [["The list of devices could not be read anew", "Is the disk full, or the data directory not writable?"], ["未能更新设备列表", "磁盘是否已满，数据目录是否可写？"]],
  "settings not reloaded": [["The settings were not read anew; the old ones hold", "Mend the setting that is named, then `lumi reload`."], ["设置未能重新读取，仍使用原来的设置", "请修正所指出的设置，然后运行 `lumi reload`。"]],
  "engine not available": [["An engine cannot run here, so the server is not ready", "`lumi doctor` says what is missing."], ["引擎在此无法运行，服务器未就绪", "运行 `lumi doctor` 查看缺少什么。"]],
  "not spoken: too much waits": [["An answer was written but not spoken: too much waits for the voice", ""], ["回答只以文字给出：等待朗读的内容过多", ""]],
  "session not restored": [["A session of before the restart could not be restored; its client begins anew", ""], ["重启前的会话未能恢复，客户端将重新开始", ""]],
  "old sessions stay": [["Sessions that are over could not be deleted from the store", "Is the disk full, or the data directory not writable?"], ["未能删除已结束的会话", "磁盘是否已满，数据目录是否可写？"]],
  "turn failed": [["A turn failed by a mistake in the server", "Please report it, with the lines of the log."], ["服务器出错，一轮对话失败", "请附上日志反馈此问题。"]],
  "certificate not renewed": [["The certificate was not renewed; the present one still holds", "Mend what is named before the present one expires."], ["证书未能更新，仍使用现有证书", "请在现有证书过期前解决所指出的问题。"]],
  "stage failed": [["A stage of a turn failed, and the user was told", ""], ["对话的一个阶段失败，已告知用户", ""]],
  "picture not explained": [["A picture was not looked at", ""], ["图片未能识别", ""]],
  "a Wyoming request failed": [["A request by Wyoming (e.g. Home Assistant) failed", ""], ["Wyoming 请求（如 Home Assistant）失败", ""]],
  "a Wyoming connection failed": [["A Wyoming connection failed by a mistake in the server", "Please report it, with the lines of the log."], ["服务器出错，Wyoming 连接失败", "请附上日志反馈此问题。"]],
  "tool cannot be loaded: it is left out": [["A tool cannot be loaded and is left out", "Mend or uninstall the package that is named, then restart."], ["工具无法加载，已忽略", "请修复或卸载所指出的软件包，然后重启。"]],
  "act not kept": [["What a tool did could not be kept; asked again, it might do it twice", "Is the disk full, or the data directory not writable?"], ["工具的操作未能记录，再次请求时可能重复执行", "磁盘是否已满，数据目录是否可写？"]],
  "too many tools: the last are left out": [["There are more tools than a model is told of; the last are left out", "Raise `tools.most`, or offer fewer."], ["工具数量超过可告知模型的上限，超出部分已忽略", "请调高 `tools.most`，或减少工具。"]],
  "tool too slow": [["A tool took too long", "If it needs so long, raise `tools.timeout_s`."], ["工具耗时过长", "如果确实需要这么久，请调高 `tools.timeout_s`。"]],
  "tool failed": [["A tool failed", ""], ["工具失败", ""]],
  "tool broke": [["A tool broke by a mistake in it", "Mend the tool; the log has the whole of the mistake."], ["工具自身出错", "请修复该工具；日志中有完整的错误信息。"]],
  "tools not there": [["A source of tools cannot be reached", "Is it running, and is its address in the settings right? `lumi doctor` looks."], ["无法连接工具来源", "它在运行吗，设置中的地址正确吗？运行 `lumi doctor` 检查。"]],
  "TLS handshake broke": [["An encrypted connection failed by a mistake in the server", "Please report it, with the lines of the log."], ["服务器出错，加密连接失败", "请附上日志反馈此问题。"]],
  "a timer is lost": [["A timer that could not be said could not be kept either: it is lost", "Is the disk full, or the data directory not writable?"], ["计时器未能播报，也未能保存，已丢失", "磁盘是否已满，数据目录是否可写？"]],
  "message failed": [["A client's message failed by a mistake in the server", "Please report it, with the lines of the log."], ["服务器出错，未能处理客户端的消息", "请附上日志反馈此问题。"]],
  "no pass for pictures": [["Devices cannot send pictures: their pass cannot be made", "The data directory must be readable for the server; `lumi doctor` looks."], ["无法为设备签发图片通行证，设备不能发送图片", "服务器必须能读取数据目录；运行 `lumi doctor` 检查。"]],
  "no token and no code": [["A device that asked got neither a token nor a code", "The data directory must be readable for the server; `lumi doctor` looks."], ["设备请求时未能得到令牌或配对码", "服务器必须能读取数据目录；运行 `lumi doctor` 检查。"]],
  "old answers stay": [["Old answers and conversations could not be deleted", "Is the disk full, or the data directory not writable?"], ["未能删除旧的回答和对话", "磁盘是否已满，数据目录是否可写？"]],
  "old log stays": [["An old log file could not be deleted", "Is the log directory not writable?"], ["未能删除旧的日志文件", "日志目录是否可写？"]],
  "outcome not written": [["The settings were read anew, but `lumi reload` could not be told how that went", "Is the disk full, or the data directory not writable?"], ["设置已重新读取，但无法把结果告知 `lumi reload`", "磁盘是否已满，数据目录是否可写？"]],
  "session broke": [["A session broke by a mistake in the server; its client connects anew", "Please report it, with the lines of the log."], ["服务器出错，会话中断，客户端会重新连接", "请附上日志反馈此问题。"]],
  "the admin token cannot be used": [["The admin token cannot be used, so the console and the commands for devices stay shut", "The data directory must be readable for the server; `lumi doctor` looks."], ["管理令牌无法使用，控制台和设备命令都无法进入", "服务器必须能读取数据目录；运行 `lumi doctor` 检查。"]],
  "writing failed": [["A client could not be written to, by a mistake in the server; it connects anew", "Please report it, with the lines of the log."], ["服务器出错，无法向客户端发送，客户端会重新连接", "请附上日志反馈此问题。"]],
};

export const REASONS = { refusal: REFUSALS, trouble: TROUBLES, event: EVENTS };
const LANGUAGES = ["en", "zh"];

// What a code means and what to do, in a language; null: it is none of those that are known.
export function meaning(kind, code, language) {
  const said = Object.hasOwn(REASONS[kind], code) ? REASONS[kind][code][LANGUAGES.indexOf(language)] : null;
  return said && { what: said[0], mend: said[1] };
}
