from dataclasses import replace

from lianfang.policy.facts import Duty, Kind, Right, Standing, Subject
from tests.policy.cast import ALPHA, PUBLIC, Asked, admin, case, link, person, staff

GRANTER = staff(Duty.DUTY_GRANTER)
APPROVER = staff(Duty.APPROVER)
OTHER = frozenset({Subject(kind=Kind.PERSON, person=ALPHA.group).person})
DECIDING = {
    "G-apply": Asked(PUBLIC, Right.APPLY),
    "G-link": Asked(link(Right.ANSWER_CORRECTION), Right.ANSWER_CORRECTION, case()),
    "G-enter_members_plane": Asked(person(mfa=False), Right.ENTER_MEMBERS_PLANE),
    "G-read_directory": Asked(person(), Right.READ_DIRECTORY, replace(case(), kind="directory", state="both")),
    "G-enter_staff_plane": Asked(staff(Duty.OPERATOR), Right.ENTER_STAFF_PLANE),
    "G-start_stop": Asked(staff(Duty.OPERATOR), Right.START_STOP),
    "G-place_hold": Asked(staff(Duty.ANALYST), Right.PLACE_HOLD),
    "G-lift_hold": Asked(APPROVER, Right.LIFT_HOLD, case(decided_by=OTHER)),
    "G-end_stop": Asked(staff(Duty.ANALYST), Right.END_STOP, case(decided_by=OTHER)),
    "G-take_up": Asked(staff(Duty.REVIEWER), Right.TAKE_UP, case()),
    "G-review": Asked(staff(Duty.REVIEWER), Right.REVIEW, case()),
    "G-import_list": Asked(staff(Duty.REVIEWER), Right.IMPORT_LIST),
    "G-approve": Asked(APPROVER, Right.APPROVE, case()),
    "G-revoke": Asked(APPROVER, Right.REVOKE, case()),
    "G-decide_appeal": Asked(APPROVER, Right.DECIDE_APPEAL, case()),
    "G-change_setting": Asked(APPROVER, Right.CHANGE_SETTING),
    "G-grant_duty": Asked(GRANTER, Right.GRANT_DUTY, case()),
    "G-edit_charter": Asked(staff(Duty.PUBLISHER), Right.EDIT_CHARTER),
    "G-view_audit": Asked(staff(Duty.AUDITOR), Right.VIEW_AUDIT),
    "G-handle_privacy_case": Asked(staff(Duty.PRIVACY_OFFICER), Right.HANDLE_PRIVACY_CASE, case()),
    "G-manage_people": Asked(admin(), Right.MANAGE_PEOPLE, case()),
    "G-file_change": Asked(admin(), Right.FILE_CHANGE, case()),
    "G-make_token": Asked(admin(), Right.MAKE_TOKEN),
    "S-review": Asked(APPROVER, Right.APPROVE, case(reviewed_by=OTHER)),
    "S-appeal": Asked(APPROVER, Right.DECIDE_APPEAL, case(decided_by=OTHER)),
    "S-second": Asked(GRANTER, Right.GRANT_DUTY, case(decided_by=OTHER)),
    "S-author": Asked(APPROVER, Right.APPROVE, case(authored_by=OTHER)),
    "S-self": Asked(GRANTER, Right.GRANT_DUTY, case(concerns=ALPHA.group)),
    "S-conflict": Asked(APPROVER, Right.APPROVE, case(conflicted=OTHER)),
}
MORE_DECIDING = {
    "a revoked member's admin appeals": Asked(admin(standing=Standing.REVOKED), Right.FILE_APPEAL, case()),
    "contact data by signed link": Asked(link(Right.CONFIRM_CONTACT), Right.CONFIRM_CONTACT, case()),
    "an appeal by signed link": Asked(link(Right.FILE_APPEAL), Right.FILE_APPEAL, case()),
}
