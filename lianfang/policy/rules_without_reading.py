"""The rules about everything that is done without reading: on metadata, going outside, deciding (sections 3 to 5).

Who holds a right is a permit `G-<right>`; all else is denied. What belongs to disclosure outside the audience is
denied by a rule that says so until it can be recorded.
"""

from __future__ import annotations

from lianfang.policy.compare import is_wider
from lianfang.policy.facts import Duty, Kind, Right, Role, State
from lianfang.policy.predicates import (
    OF_FORMER,
    OF_LINKS,
    OF_SUBJECTS,
    a_source,
    former_source_admin,
    member_people,
    on_duty,
    people,
    speaks_for_source,
    submitted_it,
    the_only_source,
)
from lianfang.policy.registry import Question, forbid, permit

# --- 3. on metadata, without reading --------------------------------------------------------------------------------


@permit(
    "G-submit",
    clause="2.1",
    zh="會籍有效的組織與其內部成員的人，以及分析員，可以提交情資。",
    en="People of organisations in force, constituents too, and analysts may submit.",
    rights={Right.SUBMIT},
)
def g_submit(q: Question) -> bool:
    return member_people(q.subject) or on_duty(q.subject, Duty.ANALYST)


@permit(
    "G-validate",
    clause="3.1",
    zh="分析員可以驗證隔離中的情資。",
    en="An analyst may validate.",
    rights={Right.VALIDATE},
)
def g_validate(q: Question) -> bool:
    return q.label is not None and on_duty(q.subject, Duty.ANALYST)


@permit(
    "G-relabel",
    clause="2.1, 2.2",
    zh="改得更嚴：來源的管理員、資安聯絡人或分析員；改得更寬：要每一個來源；隔離中由提交人設定。",
    en="To stricter: the source's member_admin or security_contact, or an analyst; to wider: each source; while "
    "quarantined, the person who submitted it.",
    rights={Right.RELABEL},
)
def g_relabel(q: Question) -> bool:
    subject, label, becomes = q.subject, q.label, q.request.becomes
    if label is None or becomes is None:
        return False
    sets_first_label = label.state is State.QUARANTINED and submitted_it(subject, label)
    if sets_first_label and people(subject) and the_only_source(subject, label):
        return True
    if not is_wider(old=label, new=becomes):
        return speaks_for_source(subject, label) or on_duty(subject, Duty.ANALYST)
    return speaks_for_source(subject, label) and label.owners <= q.request.agreed_by | {subject.pair}


@permit(
    "G-recall",
    clause="2.3",
    zh="來源的管理員、資安聯絡人，以及分析員，可以召回。",
    en="The source's member_admin or security_contact, and an analyst, may recall.",
    rights={Right.RECALL},
)
@permit(
    "G-redact",
    clause="2.2",
    zh="來源的管理員、資安聯絡人，以及分析員，可以製作遮蔽版。",
    en="The source's member_admin or security_contact, and an analyst, may redact.",
    rights={Right.REDACT},
)
def g_source_or_analyst(q: Question) -> bool:
    return q.label is not None and (speaks_for_source(q.subject, q.label) or on_duty(q.subject, Duty.ANALYST))


@permit(
    "G-decide_consent",
    clause="2.2",
    zh="來源的管理員或資安聯絡人決定是否同意。",
    en="The source's member_admin or security_contact decides on consent.",
    rights={Right.DECIDE_CONSENT},
)
def g_decide_consent(q: Question) -> bool:
    return q.label is not None and speaks_for_source(q.subject, q.label)


@permit(
    "G-see_notice",
    clause="2.3",
    zh="收到過的組織、來源自己的人和分析員看得到召回通知；曾公開的，任何人都看得到。",
    en="Who received a recalled item, its source and analysts see the notice of its recall; of a public one, anybody.",
    rights={Right.SEE_NOTICE},
)
def g_see_notice(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None or label.state is not State.RECALLED:
        return False
    if label.publication is not None and subject.kind not in (Kind.LINK, Kind.SYSTEM):
        return True
    return people(subject) and (q.request.received or a_source(subject, label) or on_duty(subject, Duty.ANALYST))


@permit(
    "G-see_receipts",
    clause="2.2",
    zh="來源自己的人看得到誰收到自己的情資（類別與數量），稽核與分析員也看得到。",
    en="A source's people see who received its items (classes and counts); auditors and analysts see it too.",
    rights={Right.SEE_RECEIPTS},
)
@permit(
    "G-see_ledger",
    clause="2.2",
    zh="來源自己的人、稽核與分析員看得到揭露簿。",
    en="A source's people, auditors and analysts see the ledger of disclosures.",
    rights={Right.SEE_LEDGER},
)
def g_source_auditor_analyst(q: Question) -> bool:
    subject, label = q.subject, q.label
    if label is None:
        return False
    return (member_people(subject) and a_source(subject, label)) or on_duty(subject, Duty.AUDITOR, Duty.ANALYST)


# --- 4. going outside: not yet --------------------------------------------------------------------------------------


@permit(
    "D-former",
    clause="2.2, 3.3",
    zh="會籍結束的來源，其管理員以第二道驗證在離會專區看自己情資的標題、版本與標示，可以召回、答覆徵詢、提出申訴。",
    en="A source whose membership ended remains source: its member_admin, with a second factor, sees title, version "
    "and label of its own items on the exit page, answers what is put to it, may recall, and may appeal.",
    rights=OF_FORMER,
)
def d_former(q: Question) -> bool:
    return former_source_admin(q)


@permit(
    "G-publish",
    clause="2.2",
    zh="發布人員可以公開。",
    en="A publisher may publish.",
    rights={Right.PUBLISH},
)
@permit(
    "G-edit_charter",
    clause="4.1",
    zh="發布人員可以編修規章，由兩位核准人核准。",
    en="A publisher edits the charter; two approvers approve it.",
    rights={Right.EDIT_CHARTER},
)
def g_publisher(q: Question) -> bool:
    return on_duty(q.subject, Duty.PUBLISHER)


@permit(
    "G-release_to_authority",
    clause="2.2",
    zh="分析員可以移交主管機關，由第二人核准。",
    en="An analyst may release to an authority; a second person approves.",
    rights={Right.RELEASE_TO_AUTHORITY},
)
def g_release_to_authority(q: Question) -> bool:
    return q.label is not None and on_duty(q.subject, Duty.ANALYST)


@permit(
    "G-release_to_law_enforcement",
    clause="3.2",
    zh="法務人員可以移交執法機關，由另一位核准人核准。",
    en="Legal staff may release to law enforcement; a different approver approves.",
    rights={Right.RELEASE_TO_LAW_ENFORCEMENT},
)
def g_release_to_law_enforcement(q: Question) -> bool:
    return q.label is not None and on_duty(q.subject, Duty.LEGAL)


@forbid(
    "D-consent",
    clause="2.2",
    zh="尚未開放：揭露要每一個來源的同意，徵詢與同意的功能還沒有上線。",
    en="Not yet: disclosing needs the consent of each source, and consent cannot be asked for or given here yet.",
    rights={Right.REQUEST_DISCLOSURE, Right.DISCLOSE, Right.DECIDE_CONSENT},
)
@forbid(
    "D-publish",
    clause="2.2",
    zh="尚未開放：公開要來源同意公開並載明出處，公開的功能還沒有上線。",
    en="Not yet: publishing needs each source's consent to the public, which cannot be recorded here yet.",
    rights={Right.PUBLISH},
)
@forbid(
    "D-authority",
    clause="2.2",
    zh="尚未開放：移交主管機關的功能還沒有上線。",
    en="Not yet: releases to the authority cannot be recorded here yet.",
    rights={Right.RELEASE_TO_AUTHORITY},
)
@forbid(
    "D-enforcement",
    clause="3.2",
    zh="尚未開放：移交執法機關的功能還沒有上線。",
    en="Not yet: releases to law enforcement cannot be recorded here yet.",
    rights={Right.RELEASE_TO_LAW_ENFORCEMENT},
)
@forbid(
    "D-derived",
    clause="2.1, 2.2",
    zh="尚未開放：遮蔽版要保留與每一個來源的關係，這個功能還沒有上線。",
    en="Not yet: a redacted item keeps its lineage to every source, which cannot be recorded here yet.",
    rights={Right.REDACT},
)
@forbid(
    "D-ledger",
    clause="2.2",
    zh="尚未開放：還沒有揭露可登載，揭露簿的功能還沒有上線。",
    en="Not yet: no disclosure beyond the audience can happen here yet, so there is no ledger of them to show.",
    rights={Right.SEE_LEDGER},
)
def d_not_yet(q: Question) -> bool:  # noqa: ARG001  (nobody, until disclosure can be recorded)
    return True


# --- 5. deciding: holders -------------------------------------------------------------------------------------------


@permit("G-apply", clause="1.3", zh="任何人都可以提出入會申請。", en="Anybody may apply.", rights={Right.APPLY})
def g_apply(q: Question) -> bool:
    return q.subject.kind is not Kind.SYSTEM


@permit(
    "G-link",
    clause="1.3, 1.4",
    zh="簽章連結在到期前，可以對它的那一件案子做它載明的事。",
    en="A signed link does what it names, on its one case, until it expires.",
    rights=OF_LINKS,
)
def g_link(q: Question) -> bool:
    subject, caveats = q.subject, q.subject.caveats
    return (
        subject.kind is Kind.LINK
        and caveats is not None
        and q.right in caveats.rights
        and (caveats.expires_at is None or q.at < caveats.expires_at)
        and q.case is not None
        and q.case.id == subject.case
    )


@permit(
    "G-enter_members_plane",
    clause="2.1",
    zh="會籍有效的組織與其內部成員的人可以進入會員區。",
    en="People of organisations in force, constituents too, enter the members' plane.",
    rights={Right.ENTER_MEMBERS_PLANE},
)
def g_enter_members_plane(q: Question) -> bool:
    return member_people(q.subject)


@permit(
    "G-read_directory",
    clause="3.1",
    zh="會員自己的人看得到名錄中的會員，要兩邊都選擇列入；內部成員、協調中心與金鑰都不行。",
    en="A member's own people see a member in the directory if both chose to stand in it; constituents, the "
    "coordinator and tokens do not.",
    rights={Right.READ_DIRECTORY},
)
def g_read_directory(q: Question) -> bool:
    subject, case = q.subject, q.case
    if subject.kind is not Kind.PERSON or subject.is_constituent or not member_people(subject):
        return False
    return case is None or (case.kind == "directory" and case.state == "both")


@permit(
    "G-enter_staff_plane",
    clause="1.4",
    zh="協調中心有任一職務的人可以進入工作區。",
    en="Staff with any duty enter the staff plane.",
    rights={Right.ENTER_STAFF_PLANE},
)
@permit(
    "G-start_stop",
    clause="2.3",
    zh="有任一職務的人可以啟動停止揭露。",
    en="Staff with any duty may start the stop of disclosure.",
    rights={Right.START_STOP},
)
@permit(
    "G-place_hold",
    clause="2.3",
    zh="有任一職務的人可以對帳號或金鑰設下安全保全。",
    en="Staff with any duty may place a security hold on an account or a key.",
    rights={Right.PLACE_HOLD},
)
def g_any_duty(q: Question) -> bool:
    return on_duty(q.subject, *Duty)


@permit(
    "G-end_stop",
    clause="2.3",
    zh="結束停止揭露要分析員或核准人兩位。",
    en="Two of analysts and approvers end the stop.",
    rights={Right.END_STOP},
)
def g_end_stop(q: Question) -> bool:
    return on_duty(q.subject, Duty.ANALYST, Duty.APPROVER)


@permit("G-take_up", clause="1.3", zh="審查人可以承辦。", en="A reviewer takes up.", rights={Right.TAKE_UP})
@permit("G-review", clause="1.3", zh="審查人可以審查。", en="A reviewer reviews.", rights={Right.REVIEW})
@permit(
    "G-import_list",
    clause="1.3",
    zh="審查人可以匯入名單。",
    en="A reviewer imports lists.",
    rights={Right.IMPORT_LIST},
)
def g_reviewer(q: Question) -> bool:
    return on_duty(q.subject, Duty.REVIEWER)


@permit("G-approve", clause="1.3", zh="核准人可以核准。", en="An approver approves.", rights={Right.APPROVE})
@permit("G-revoke", clause="1.4", zh="核准人可以取消會籍。", en="An approver revokes.", rights={Right.REVOKE})
@permit(
    "G-decide_appeal",
    clause="1.4",
    zh="核准人可以決定申訴。",
    en="An approver decides an appeal.",
    rights={Right.DECIDE_APPEAL},
)
@permit(
    "G-lift_hold",
    clause="2.3",
    zh="核准人可以解除安全保全，不能是設下的人。",
    en="An approver lifts a security hold, not the one who placed it.",
    rights={Right.LIFT_HOLD},
)
@permit(
    "G-change_setting",
    clause="4.1",
    zh="兩位核准人可以變更設定。",
    en="Two approvers change a setting.",
    rights={Right.CHANGE_SETTING},
)
def g_approver(q: Question) -> bool:
    return on_duty(q.subject, Duty.APPROVER)


@permit(
    "G-grant_duty",
    clause="2.3",
    zh="兩位授權人可以授予職務。",
    en="Two duty granters grant a duty.",
    rights={Right.GRANT_DUTY},
)
def g_duty_granter(q: Question) -> bool:
    return on_duty(q.subject, Duty.DUTY_GRANTER)


@permit(
    "G-view_audit", clause="2.3", zh="稽核可以看稽核紀錄。", en="An auditor views the audit.", rights={Right.VIEW_AUDIT}
)
def g_auditor(q: Question) -> bool:
    return on_duty(q.subject, Duty.AUDITOR)


@permit(
    "G-handle_privacy_case",
    clause="5.1",
    zh="個資窗口可以處理個資案件。",
    en="A privacy officer handles privacy cases.",
    rights={Right.HANDLE_PRIVACY_CASE},
)
def g_privacy_officer(q: Question) -> bool:
    return on_duty(q.subject, Duty.PRIVACY_OFFICER)


@permit(
    "G-manage_people",
    clause="2.4",
    zh="管理員本人可以管理自己組織的人員。",
    en="A member_admin, in person, manages the people of its own organisation.",
    rights={Right.MANAGE_PEOPLE},
)
@permit(
    "G-file_change",
    clause="2.4",
    zh="管理員本人可以為自己組織提出異動申請；協調中心沒有會籍。",
    en="A member_admin, in person, files changes of its own organisation's data; the coordinator is no member.",
    rights={Right.FILE_CHANGE},
)
@permit(
    "G-make_token",
    clause="2.3",
    zh="管理員本人可以為自己組織建立金鑰；協調中心沒有金鑰。",
    en="A member_admin, in person, makes tokens for its own organisation; the coordinator has none.",
    rights={Right.MAKE_TOKEN},
)
def g_member_admin(q: Question) -> bool:
    subject, case = q.subject, q.case
    if subject.kind is not Kind.PERSON or subject.role is not Role.MEMBER_ADMIN or subject.pair is None:
        return False
    if q.right is Right.FILE_CHANGE and subject.is_coordinator:
        return False
    if q.right is Right.MAKE_TOKEN and subject.is_coordinator and not subject.terms.staff_tokens:
        return False
    return case is None or case.organization == subject.pair.organization


# --- 5. deciding: four eyes -----------------------------------------------------------------------------------------


@forbid(
    "S-review",
    clause="1.3, 1.4",
    zh="審查這件的人不能決定同一件（四眼原則）。",
    en="Who reviewed a case does not decide it.",
    rights={Right.APPROVE, Right.REVOKE, Right.DECIDE_APPEAL},
)
def s_review(q: Question) -> bool:
    return q.case is not None and q.subject.person in q.case.reviewed_by


@forbid(
    "S-appeal",
    clause="1.4",
    zh="決定取消會籍的人不能決定其申訴。",
    en="Who decided a revocation does not decide its appeal.",
    rights={Right.DECIDE_APPEAL},
)
@forbid(
    "S-second",
    clause="2.3",
    zh="需要兩人的決定，第二位不能是同一人。",
    en="Where two must sign, the second is somebody else.",
    rights={Right.APPROVE, Right.GRANT_DUTY, Right.CHANGE_SETTING, Right.START_STOP, Right.END_STOP, Right.LIFT_HOLD},
)
def s_decided_before(q: Question) -> bool:
    return q.case is not None and q.subject.person in q.case.decided_by


@forbid(
    "S-author",
    clause="2.2, 4.1",
    zh="撰寫的人不能核准或發布自己寫的。",
    en="Who wrote it neither approves nor publishes it.",
    rights={Right.APPROVE, Right.PUBLISH},
)
def s_author(q: Question) -> bool:
    return q.case is not None and q.subject.person in q.case.authored_by


@forbid(
    "S-self",
    clause="2.3",
    zh="不能授予自己職務。",
    en="Nobody grants a duty to oneself.",
    rights={Right.GRANT_DUTY},
)
def s_self(q: Question) -> bool:
    return q.case is not None and q.case.concerns is not None and q.case.concerns == q.subject.person


@forbid(
    "S-conflict",
    clause="1.4",
    zh="申報利益衝突的人不能參與這一件。",
    en="Who declared a conflict of interest takes no part in the case.",
    rights=OF_SUBJECTS,
)
def s_conflict(q: Question) -> bool:
    return q.case is not None and q.subject.person in q.case.conflicted
