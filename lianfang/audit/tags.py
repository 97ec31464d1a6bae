"""Every kind of ledger entry: `domain:subject:verb`, with what was done in both languages.

The sentence continues "<actor> …" and names no person and no content. Keep the list sorted by value; a value that was
once written to a ledger is never reused for anything else: `tests/audit/tags.txt` holds all there ever were.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from lianfang.kernel.text import Bilingual


class Tag(StrEnum):
    """What an entry records."""

    words: Bilingual

    def __new__(cls, value: str, zh: str, en: str) -> Self:
        """Make a member from its value and its sentence in both languages."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.words = Bilingual(zh=zh, en=en)
        return member

    ACCOUNTS_AFFILIATION_CHANGE_ROLE = (
        "accounts:affiliation:change_role",
        "變更一位人員的角色",
        "changed a person's role",
    )
    ACCOUNTS_AFFILIATION_LEAVE = (
        "accounts:affiliation:leave",
        "登記一位人員離開組織",
        "recorded that a person left the organisation",
    )
    ACCOUNTS_AFFILIATION_START = (
        "accounts:affiliation:start",
        "登記一位人員代表組織",
        "recorded that a person acts for an organisation",
    )
    ACCOUNTS_ALLIANCE_BOOTSTRAP = (
        "accounts:alliance:bootstrap",
        "在空的資料庫設立最初兩位職務核派人",
        "made the first two duty granters of an empty database",
    )
    ACCOUNTS_DUTY_DECLINE = "accounts:duty:decline", "不同意一項職務的提議", "declined a proposed duty"
    ACCOUNTS_DUTY_END = "accounts:duty:end", "結束一項職務", "ended a duty"
    ACCOUNTS_DUTY_GRANT = "accounts:duty:grant", "授予一項職務", "granted a duty"
    ACCOUNTS_DUTY_PROPOSE = "accounts:duty:propose", "提議一項職務", "proposed a duty"
    ACCOUNTS_DUTY_SEAL = "accounts:duty:seal", "封存各項職務的理由", "sealed the reasons of duties"
    ACCOUNTS_FACTOR_ADD = "accounts:factor:add", "新增一個第二道驗證", "added a second factor"
    ACCOUNTS_FACTOR_CONFIRM = "accounts:factor:confirm", "以第二道驗證簽署", "signed with the second factor"
    ACCOUNTS_FACTOR_REMOVE = "accounts:factor:remove", "移除一個第二道驗證", "removed a second factor"
    ACCOUNTS_FACTOR_RESET_ASK = "accounts:factor_reset:ask", "提出遺失第二道驗證", "reported a lost second factor"
    ACCOUNTS_FACTOR_RESET_CONFIRM = (
        "accounts:factor_reset:confirm",
        "確認身分並重設第二道驗證",
        "confirmed an identity and reset the second factor",
    )
    ACCOUNTS_FACTOR_RESET_DECLINE = (
        "accounts:factor_reset:decline",
        "不同意重設第二道驗證",
        "declined to reset a second factor",
    )
    ACCOUNTS_FACTOR_RESET_VOUCH = (
        "accounts:factor_reset:vouch",
        "為遺失第二道驗證的人作保",
        "vouched for somebody who lost the second factor",
    )
    ACCOUNTS_HOLD_LIFT = "accounts:hold:lift", "解除一項安全保全", "lifted a security hold"
    ACCOUNTS_HOLD_PLACE = "accounts:hold:place", "設下一項安全保全", "placed a security hold"
    ACCOUNTS_INVITATION_ACCEPT = "accounts:invitation:accept", "接受邀請", "accepted an invitation"
    ACCOUNTS_INVITATION_RESEND = "accounts:invitation:resend", "重寄一份邀請", "sent an invitation again"
    ACCOUNTS_INVITATION_SEND = "accounts:invitation:send", "寄出一份邀請", "sent an invitation"
    ACCOUNTS_ORGANIZATION_CREATE = "accounts:organization:create", "登記一個組織", "entered an organisation"
    ACCOUNTS_PASSWORD_CHANGE = "accounts:password:change", "變更密碼", "changed the password"
    ACCOUNTS_PERSON_ENTER = "accounts:person:enter", "登記一位人員", "entered a person"
    ACCOUNTS_PROVIDER_EMERGENCY = (
        "accounts:provider:emergency",
        "指定可在本站登入的管理員",
        "named administrators for emergencies",
    )
    ACCOUNTS_PROVIDER_LINK = (
        "accounts:provider:link",
        "把身分提供者的身分連結到帳號",
        "linked an account with an identity of the provider",
    )
    ACCOUNTS_PROVIDER_REFUSE = (
        "accounts:provider:refuse",
        "拒絕身分提供者的一次回覆",
        "refused an answer of an identity provider",
    )
    ACCOUNTS_PROVIDER_SET = (
        "accounts:provider:set",
        "設定組織的身分提供者",
        "set up the organisation's identity provider",
    )
    ACCOUNTS_PROVIDER_TRY = "accounts:provider:try", "以身分提供者試登入", "tried the identity provider"
    ACCOUNTS_PROVIDER_TURN_OFF = "accounts:provider:turn_off", "停用身分提供者", "switched the identity provider off"
    ACCOUNTS_PROVIDER_TURN_ON = "accounts:provider:turn_on", "啟用身分提供者", "switched the identity provider on"
    ACCOUNTS_PROVIDER_UNLINK = (
        "accounts:provider:unlink",
        "解除帳號與身分提供者的連結",
        "ended the link of an account with the provider",
    )
    ACCOUNTS_SESSION_END = "accounts:session:end", "結束登入中的裝置", "ended sessions"
    ACCOUNTS_SESSION_OPEN = "accounts:session:open", "登入", "signed in"
    ACCOUNTS_SETTING_APPROVE = "accounts:setting:approve", "核定一項設定", "approved a setting"
    ACCOUNTS_SETTING_DECLINE = "accounts:setting:decline", "不同意一項設定", "declined a setting"
    ACCOUNTS_SETTING_PROPOSE = "accounts:setting:propose", "提議一項設定", "proposed a setting"
    ACCOUNTS_TOKEN_MAKE = "accounts:token:make", "建立一把金鑰", "made a token"
    ACCOUNTS_TOKEN_REVOKE = "accounts:token:revoke", "撤銷一把金鑰", "revoked a token"
    ACCOUNTS_TOKEN_ROTATE = "accounts:token:rotate", "更換一把金鑰", "rotated a token"
    ACCOUNTS_TOKEN_WARN = "accounts:token:warn", "提醒金鑰即將到期", "reminded an owner that a token ends"
    AUDIT_LEDGER_ACKNOWLEDGE = "audit:ledger:acknowledge", "確認已知悉紀錄異常", "acknowledged a fault in the ledger"
    AUDIT_LEDGER_VERIFY = "audit:ledger:verify", "驗證了全部紀錄", "verified the whole ledger"
    AUDIT_RECEIPTS_BATCH = "audit:receipts:batch", "將一批收件紀錄納入紀錄樹", "put a batch of receipts into the tree"
    CHARTER_ACCEPTANCE_GIVE = (
        "charter:acceptance:give",
        "接受規章與個人資料告知",
        "accepted the charter and the privacy notice",
    )
    CHARTER_AMENDMENT_APPROVE = "charter:amendment:approve", "核准文件的修訂", "approved an amendment"
    CHARTER_AMENDMENT_BEGIN = "charter:amendment:begin", "開始修訂文件", "began an amendment"
    CHARTER_AMENDMENT_DISCARD = "charter:amendment:discard", "捨棄修訂草稿", "discarded an amendment"
    CHARTER_AMENDMENT_ISSUE = "charter:amendment:issue", "下令公告修訂", "ordered an amendment to be published"
    CHARTER_AMENDMENT_PROPOSE = "charter:amendment:propose", "送修訂核准", "sent an amendment for approval"
    CHARTER_AMENDMENT_RETURN = "charter:amendment:return", "退回修訂草稿", "sent an amendment back"
    CHARTER_AMENDMENT_SAVE = "charter:amendment:save", "儲存修訂草稿", "saved an amendment"
    CHARTER_AMENDMENT_WEBSITE = (
        "charter:amendment:website",
        "登錄官網公告",
        "recorded the publication on the website",
    )
    CHARTER_DOCUMENT_IMPORT = (
        "charter:document:import",
        "匯入平台啟用前施行的文件",
        "imported a document that was in force before",
    )
    CHARTER_DOCUMENT_LOAD = "charter:document:load", "載入一份文件的版本", "loaded a version of a document"
    CHARTER_DOCUMENT_PUBLISH = (
        "charter:document:publish",
        "公告新版文件並寄給所有會員",
        "published a version and mailed it to every member",
    )
    CHARTER_DUTY_ACKNOWLEDGE = "charter:duty:acknowledge", "確認保密義務", "acknowledged the duty of confidentiality"
    CHARTER_TOLD_ANOTHER = "charter:told:another", "改寄公告給會員的另一人", "mailed a version to somebody else"
    CHARTER_TOLD_POST = "charter:told:post", "以掛號郵寄公告", "told a member by registered post"
    CHARTER_TOLD_RESEND = "charter:told:resend", "重寄公告", "mailed a version again"
    EXCHANGE_PROFILE_DIVIDE = (
        "exchange:profile:divide",
        "把機器分享的設定分到各個集合",
        "divided what was decided for machines among the collections",
    )
    EXCHANGE_PROFILE_SET = (
        "exchange:profile:set",
        "決定機器分享情資時的標示",
        "decided under what label machines share",
    )
    INTEL_EMBARGO_OPEN = "intel:embargo:open", "延後時間到，開放一批情資", "opened intelligence whose embargo had ended"
    INTEL_ITEM_RECALL = "intel:item:recall", "召回一則情資", "recalled an item"
    INTEL_ITEM_RELABEL = "intel:item:relabel", "改了一則情資的標示", "changed the label of an item"
    INTEL_ITEM_RELAY = "intel:item:relay", "將一則情資轉送內部成員", "relayed an item to the constituents"
    INTEL_ITEM_RELEASE = "intel:item:release", "將一則情資移出隔離", "released an item from quarantine"
    INTEL_ITEM_UNRELAY = "intel:item:unrelay", "撤回一則情資的轉送", "withdrew the relay of an item"
    INTEL_LOG_DIVIDE = (
        "intel:log:divide",
        "把交換紀錄依標示分到各個集合",
        "divided the exchange log among the collections",
    )
    INTEL_STOP_ALARM = "intel:stop:alarm", "停止揭露逾時未確認，發出警示", "raised the alarm over an unconfirmed stop"
    INTEL_STOP_ASK = "intel:stop:ask", "提議結束停止揭露", "asked to end the stop of disclosure"
    INTEL_STOP_CONFIRM = "intel:stop:confirm", "確認停止揭露", "confirmed the stop of disclosure"
    INTEL_STOP_END = "intel:stop:end", "結束停止揭露", "ended the stop of disclosure"
    INTEL_STOP_START = "intel:stop:start", "啟動停止揭露", "started the stop of disclosure"
    INTEL_SUBMISSION_ACCEPT = "intel:submission:accept", "收下一批情資", "took in a submission of intelligence"
    INTEL_SUBMISSION_REPEAT = (
        "intel:submission:repeat",
        "同一批情資再送一次，沒有重複收",
        "saw a submission again and kept the first",
    )
    INTEL_TELLING_END = "intel:telling:end", "寫信通知了所有相關的人", "wrote to everybody concerned"
    MAILROOM_MAIL_PLACE = "mailroom:mail:place", "把一封來信歸入案件", "laid a mail to a case"
    MAILROOM_MAIL_READ = "mailroom:mail:read", "打開一封來信的檔案", "opened a file of a mail that came in"
    MAILROOM_MAIL_REJECT = "mailroom:mail:reject", "不受理一封來信", "rejected a mail that came in"
    MAILROOM_MAIL_REOPEN = "mailroom:mail:reopen", "把一封來信退回待分派", "put a mail back to be sorted"
    MAILROOM_MAIL_SETTLE = "mailroom:mail:settle", "登記一封來信已處理", "settled a mail that came in"
    MAILROOM_MAIL_TAKE = "mailroom:mail:take", "收下一封來信", "took a mail in"
    MAILROOM_PLACEMENT_READ = (
        "mailroom:placement:read",
        "登記案件的來信已讀",
        "recorded that the mails of a case were read",
    )
    MEMBERS_APPEAL_DENY = "members:appeal:deny", "決定申訴不成立", "denied an appeal"
    MEMBERS_APPEAL_FILE = "members:appeal:file", "提出申訴", "filed an appeal"
    MEMBERS_APPEAL_GRANT = (
        "members:appeal:grant",
        "決定申訴成立並恢復會籍",
        "granted an appeal and restored the membership",
    )
    MEMBERS_APPEAL_RECOMMEND = "members:appeal:recommend", "再次審查申訴，送交決定", "sent an appeal for decision"
    MEMBERS_APPLICATION_ANSWER = "members:application:answer", "送出補正", "answered a correction"
    MEMBERS_APPLICATION_APPROVE = (
        "members:application:approve",
        "核准申請，會籍開始",
        "approved an application; the membership began",
    )
    MEMBERS_APPLICATION_CORRECT = "members:application:correct", "要求補正", "requested a correction"
    MEMBERS_APPLICATION_ERASE = "members:application:erase", "過期的申請草稿已刪除", "erased a draft that had expired"
    MEMBERS_APPLICATION_FIRST = (
        "members:application:first",
        "第一位核准人同意",
        "gave the first of two approvals of an application",
    )
    MEMBERS_APPLICATION_LINK = "members:application:link", "寄出續填連結", "sent the link to a draft"
    MEMBERS_APPLICATION_PROVE = (
        "members:application:prove",
        "確認申請人的電子郵件",
        "proved an applicant's e-mail address",
    )
    MEMBERS_APPLICATION_RECOMMEND = "members:application:recommend", "建議核准或退回", "recommended a decision"
    MEMBERS_APPLICATION_REJECT = "members:application:reject", "退回申請", "rejected an application"
    MEMBERS_APPLICATION_RETURN = "members:application:return", "退還審查", "sent a case back to review"
    MEMBERS_APPLICATION_SAVE = "members:application:save", "儲存申請草稿", "saved a draft"
    MEMBERS_APPLICATION_START = "members:application:start", "開始一份申請", "began an application"
    MEMBERS_APPLICATION_SUBMIT = "members:application:submit", "送出申請", "submitted an application"
    MEMBERS_APPLICATION_TAKE_UP = "members:application:take_up", "開始審查", "took up an application"
    MEMBERS_APPLICATION_WITHDRAW = "members:application:withdraw", "撤回申請", "withdrew an application"
    MEMBERS_ARRIVAL_OPEN = "members:arrival:open", "在離會專區開啟信函", "opened a letter on the exit page"
    MEMBERS_ARRIVAL_POST = "members:arrival:post", "登記信函掛號送達", "entered the arrival of a letter by post"
    MEMBERS_ATTACHMENT_ADD = "members:attachment:add", "上傳附件", "added an attachment"
    MEMBERS_ATTACHMENT_MASK = (
        "members:attachment:mask",
        "遮蔽附件圖片，原檔已刪除",
        "masked a picture and erased the original",
    )
    MEMBERS_ATTACHMENT_READ = "members:attachment:read", "開啟附件", "opened an attachment"
    MEMBERS_ATTACHMENT_REMOVE = "members:attachment:remove", "移除附件", "removed an attachment"
    MEMBERS_AUTHORITY_CHECK = "members:authority:check", "記下代表權限的查證", "recorded how authority was checked"
    MEMBERS_CALENDAR_IMPORT = "members:calendar:import", "匯入辦公日曆", "imported an office calendar"
    MEMBERS_CASE_NOTE = "members:case:note", "在案件加註記或留言", "added a note or message to a case"
    MEMBERS_CASE_READ_OUT = "members:case:read_out", "把一個案件讀出成簽章檔", "read a case out into a signed file"
    MEMBERS_CHANGE_APPLY = "members:change:apply", "套用異動", "applied a change of a member's data"
    MEMBERS_CHANGE_ASK = "members:change:ask", "寄出異動確認連結", "sent the link that confirms a change"
    MEMBERS_CHANGE_AUTHORITY = (
        "members:change:authority",
        "記下異動切結權限的查證",
        "recorded how the authority behind a change was checked",
    )
    MEMBERS_CHANGE_CONFIRM = (
        "members:change:confirm",
        "由信箱確認或否認異動",
        "answered for a mailbox whether a change is right",
    )
    MEMBERS_CHANGE_FILE = "members:change:file", "提出異動申請", "filed a change of a member's data"
    MEMBERS_CHANGE_RECOMMEND = "members:change:recommend", "建議套用或退回異動", "recommended what to do with a change"
    MEMBERS_CHANGE_REJECT = "members:change:reject", "退回異動", "rejected a change"
    MEMBERS_CHANGE_RETURN = "members:change:return", "退還審查異動", "sent a change back to review"
    MEMBERS_CHANGE_SCREEN = (
        "members:change:screen",
        "記下異動列的陸資檢核結果",
        "recorded screening findings for a change",
    )
    MEMBERS_CHANGE_TAKE_UP = "members:change:take_up", "開始審查異動", "took up a change"
    MEMBERS_CHANGE_WITHDRAW = "members:change:withdraw", "撤回異動", "withdrew a change"
    MEMBERS_CONFLICT_DECLARE = (
        "members:conflict:declare",
        "聲明利害關係",
        "declared whether there is a conflict of interest",
    )
    MEMBERS_CONTACT_ANSWER = "members:contact:answer", "確認聯絡資料的答覆", "answered whether contact data are right"
    MEMBERS_CONTACT_ASK = "members:contact:ask", "請聯絡人確認資料", "asked a contact to confirm the data"
    MEMBERS_CONTACT_MISS = "members:contact:miss", "聯絡人沒有回應", "found a contact silent or unreachable"
    MEMBERS_CONTACT_REMIND = "members:contact:remind", "再次請聯絡人確認資料", "reminded a contact"
    MEMBERS_CONTACT_SETTLE = "members:contact:settle", "處理完一件聯絡資料待辦", "settled a task about contact data"
    MEMBERS_DIRECTORY_SET = "members:directory:set", "選擇會員名錄中顯示什麼", "chose what the directory shows"
    MEMBERS_FEED_END = "members:feed:end", "停用期限日曆連結", "ended the link to the calendar of limits"
    MEMBERS_FEED_MAKE = "members:feed:make", "建立期限日曆連結", "made a link to the calendar of limits"
    MEMBERS_FINDING_RECORD = "members:finding:record", "記下陸資檢核結果", "recorded screening findings"
    MEMBERS_HOLD_LIFT = "members:hold:lift", "解除案件保全", "lifted a legal hold"
    MEMBERS_HOLD_PLACE = "members:hold:place", "保全案件", "placed a legal hold"
    MEMBERS_LIST_DISCARD = "members:list:discard", "放棄一份讀進的名單", "discarded a list that was read"
    MEMBERS_LIST_IMPORT = "members:list:import", "匯入一版官方名單", "imported an edition of an official list"
    MEMBERS_LIST_READ = "members:list:read", "讀進一份名單並比對差異", "read a list and compared it with the last one"
    MEMBERS_LIST_CASE_CLOSE = "members:list_case:close", "對名單案件作成判斷", "judged a case that a list had opened"
    MEMBERS_LIST_CASE_OPEN = "members:list_case:open", "依名單開立一件案件", "opened a case because of a list"
    MEMBERS_OWNERSHIP_STATE = "members:ownership:state", "記下申報的持股", "recorded declared holdings"
    MEMBERS_PARTICIPATION_ANSWER = (
        "members:participation:answer",
        "回覆對參與紀錄的異議",
        "answered an objection to a record of participation",
    )
    MEMBERS_PARTICIPATION_CORRECT = (
        "members:participation:correct",
        "更正一筆參與紀錄",
        "corrected an entry of participation by a later one",
    )
    MEMBERS_PARTICIPATION_ENTER = "members:participation:enter", "登記一筆參與紀錄", "entered a fact of participation"
    MEMBERS_PARTICIPATION_FORGET = (
        "members:participation:forget",
        "刪除未匯入的參與紀錄檔案",
        "erased a file of participation that was not imported",
    )
    MEMBERS_PARTICIPATION_IMPORT = "members:participation:import", "匯入參與紀錄", "imported facts of participation"
    MEMBERS_PARTICIPATION_OBJECT = (
        "members:participation:object",
        "對參與紀錄提出異議",
        "objected to an entry of participation",
    )
    MEMBERS_PARTICIPATION_READ = "members:participation:read", "讀取參與紀錄檔案", "read a file of participation"
    MEMBERS_PARTICIPATION_REVIEW = (
        "members:participation:review",
        "依參與紀錄開立審查",
        "opened a review with the record of participation attached",
    )
    MEMBERS_PARTICIPATION_SUPPLY = (
        "members:participation:supply",
        "收錄系統提供的參與紀錄",
        "took in facts of participation that an app supplied",
    )
    MEMBERS_PROCEDURE_APPROVE = (
        "members:procedure:approve",
        "第一位核准人同意新版作業程序",
        "gave the first of two approvals of a procedure",
    )
    MEMBERS_PROCEDURE_BEGIN = (
        "members:procedure:begin",
        "開始編寫新版作業程序",
        "began the next edition of the procedure",
    )
    MEMBERS_PROCEDURE_DISCARD = "members:procedure:discard", "捨棄作業程序草稿", "discarded a draft of the procedure"
    MEMBERS_PROCEDURE_PROPOSE = "members:procedure:propose", "送交作業程序核准", "sent a procedure for approval"
    MEMBERS_PROCEDURE_PUBLISH = "members:procedure:publish", "發布新版作業程序", "published an edition of the procedure"
    MEMBERS_PROCEDURE_RETURN = "members:procedure:return", "退回作業程序草稿", "sent a draft of the procedure back"
    MEMBERS_PROCEDURE_SAVE = "members:procedure:save", "修改作業程序草稿", "changed a draft of the procedure"
    MEMBERS_RECOVERY_APPROVE = (
        "members:recovery:approve",
        "同意更換管理員，開始等待期間",
        "approved new administrators; the waiting time began",
    )
    MEMBERS_RECOVERY_FILE = "members:recovery:file", "提出更換管理員", "asked for new administrators"
    MEMBERS_RECOVERY_FINISH = "members:recovery:finish", "更換管理員", "replaced the administrators"
    MEMBERS_RECOVERY_OBJECT = "members:recovery:object", "對更換管理員異議", "objected to new administrators"
    MEMBERS_RECOVERY_RECOMMEND = (
        "members:recovery:recommend",
        "對更換管理員提出建議",
        "recommended on new administrators",
    )
    MEMBERS_RECOVERY_REFUSE = "members:recovery:refuse", "不同意更換管理員", "refused new administrators"
    MEMBERS_RECOVERY_RETURN = "members:recovery:return", "退還更換管理員案", "sent a recovery back to its reviewer"
    MEMBERS_RELAY_END = "members:relay:end", "停止轉送一個等級給內部成員", "ended a rule that relays to constituents"
    MEMBERS_RELAY_START = "members:relay:start", "訂定轉送一個等級給內部成員", "made a rule that relays to constituents"
    MEMBERS_REVOCATION_CLOSE = (
        "members:revocation:close",
        "取消審查結案，維持會籍",
        "closed a revocation case; the membership stays",
    )
    MEMBERS_REVOCATION_DECIDE = "members:revocation:decide", "取消會籍", "revoked a membership"
    MEMBERS_REVOCATION_NOTIFY = "members:revocation:notify", "通知取消會籍的意向", "gave notice of intent to revoke"
    MEMBERS_REVOCATION_OPEN = "members:revocation:open", "開始取消審查", "opened a revocation review"
    MEMBERS_REVOCATION_PROPOSE = "members:revocation:propose", "送交取消會籍的決定", "sent a revocation for decision"
    MEMBERS_REVOCATION_RETURN = "members:revocation:return", "退還取消審查", "sent a revocation back to review"
    MEMBERS_ROSTER_FIX = "members:roster:fix", "修正匯入檔的列", "corrected rows of a roster file"
    MEMBERS_ROSTER_FORGET = "members:roster:forget", "清除匯入檔", "erased a roster file"
    MEMBERS_ROSTER_KEEP = "members:roster:keep", "讀入名冊檔", "read in a roster file"
    MEMBERS_ROSTER_MAP = "members:roster:map", "指定匯入檔的欄位", "said which column of a roster file holds what"
    MEMBERS_SCREENING_RUN = "members:screening:run", "以名單比對一份名冊", "compared a roster with a list"
    MEMBERS_STATEMENT_FILE = "members:statement:file", "提出陳述", "filed a statement"
    MEMBERS_TERMINATION_GRANT = (
        "members:termination:grant",
        "同意終止，會籍結束",
        "granted a termination; the membership ended",
    )
    MEMBERS_TERMINATION_LAPSE = (
        "members:termination:lapse",
        "會籍已取消，終止申請失效",
        "let a request for termination lapse",
    )
    MEMBERS_TERMINATION_RECOMMEND = (
        "members:termination:recommend",
        "送交終止申請的決定",
        "sent a termination for decision",
    )
    MEMBERS_TERMINATION_REFUSE = "members:termination:refuse", "不同意終止", "refused a termination"
    MEMBERS_TERMINATION_REQUEST = "members:termination:request", "申請終止會籍", "requested the end of a membership"
    MEMBERS_TERMINATION_RETURN = "members:termination:return", "退還終止審查", "sent a termination back to review"
    MEMBERS_TERMINATION_WITHDRAW = "members:termination:withdraw", "撤回終止申請", "withdrew a request for termination"
    NOTICES_NOTICE_SEND = "notices:notice:send", "寄出一則通知", "sent a notice"
    OUTBOX_DELIVERY_BOUNCE = "outbox:delivery:bounce", "登記一封信被退回", "recorded that a mail came back"
    OUTBOX_DELIVERY_CLAIM = "outbox:delivery:claim", "開始寄送一封信", "began to deliver a mail"
    OUTBOX_DELIVERY_FAIL = "outbox:delivery:fail", "一封信無法寄達，不再嘗試", "gave up delivering a mail"
    OUTBOX_DELIVERY_LOSE = (
        "outbox:delivery:lose",
        "一封信是否寄出無法確定",
        "lost track of a mail while sending it",
    )
    OUTBOX_DELIVERY_RESEND = "outbox:delivery:resend", "決定重寄一封信", "decided to deliver a mail again"
    OUTBOX_DELIVERY_RETRY = (
        "outbox:delivery:retry",
        "一封信暫時無法寄達，稍後再試",
        "postponed a mail",
    )
    OUTBOX_DELIVERY_SEND = "outbox:delivery:send", "寄出了一封信", "delivered a mail"
    OUTBOX_DELIVERY_WITHHOLD = (
        "outbox:delivery:withhold",
        "在寄送當下決定不寄一封信",
        "withheld a mail at the moment of sending",
    )
    VAULT_KEY_SHRED = "vault:key:shred", "銷毀一把個人資料金鑰", "destroyed the key of a person's data"
    VAULT_MASTER_ROTATE = "vault:master:rotate", "更換主金鑰", "rotated the master key"
    WEB_PREFERENCES_KEEP = "web:preferences:keep", "記下配色與語言", "kept colours and language"
