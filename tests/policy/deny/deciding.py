from dataclasses import replace

from lianfang.policy.facts import Duty, Right, Standing, Subject
from tests.policy.cast import BETA, ME, NOW, Asked, admin, case, link, person, staff, token
from tests.policy.ground import PERSONS

GRANTER = staff(Duty.DUTY_GRANTER)
APPROVER = staff(Duty.APPROVER)
REVIEWER = staff(Duty.REVIEWER)
DECIDING = {
    "G-apply": Asked(Subject.system("sweep"), Right.APPLY),
    "G-link": Asked(link(Right.ANSWER_CORRECTION, expires=NOW), Right.ANSWER_CORRECTION, case()),
    "G-enter_members_plane": Asked(REVIEWER, Right.ENTER_MEMBERS_PLANE),
    "G-enter_staff_plane": Asked(staff(), Right.ENTER_STAFF_PLANE),
    "G-start_stop": Asked(admin(), Right.START_STOP),
    "G-place_hold": Asked(admin(), Right.PLACE_HOLD),
    "G-lift_hold": Asked(staff(Duty.ANALYST), Right.LIFT_HOLD, case()),
    "G-end_stop": Asked(staff(Duty.OPERATOR), Right.END_STOP),
    "G-take_up": Asked(APPROVER, Right.TAKE_UP, case()),
    "G-review": Asked(APPROVER, Right.REVIEW, case()),
    "G-import_list": Asked(APPROVER, Right.IMPORT_LIST),
    "G-read_directory": Asked(person(), Right.READ_DIRECTORY, replace(case(), kind="directory", state="one")),
    "G-approve": Asked(REVIEWER, Right.APPROVE, case()),
    "G-revoke": Asked(REVIEWER, Right.REVOKE, case()),
    "G-decide_appeal": Asked(REVIEWER, Right.DECIDE_APPEAL, case()),
    "G-change_setting": Asked(REVIEWER, Right.CHANGE_SETTING),
    "G-grant_duty": Asked(APPROVER, Right.GRANT_DUTY, case()),
    "G-edit_charter": Asked(APPROVER, Right.EDIT_CHARTER),
    "G-view_audit": Asked(staff(Duty.OPERATOR), Right.VIEW_AUDIT),
    "G-handle_privacy_case": Asked(staff(Duty.LEGAL), Right.HANDLE_PRIVACY_CASE, case()),
    "G-manage_people": Asked(admin(BETA), Right.MANAGE_PEOPLE, case()),
    "G-file_change": Asked(admin(BETA), Right.FILE_CHANGE, case()),
    "G-make_token": Asked(person(), Right.MAKE_TOKEN),
    "S-review": Asked(APPROVER, Right.REVOKE, case(reviewed_by=ME)),
    "S-appeal": Asked(APPROVER, Right.DECIDE_APPEAL, case(decided_by=ME)),
    "S-second": Asked(GRANTER, Right.GRANT_DUTY, case(decided_by=ME)),
    "S-author": Asked(APPROVER, Right.APPROVE, case(authored_by=ME)),
    "S-self": Asked(GRANTER, Right.GRANT_DUTY, case(concerns=PERSONS[0])),
    "S-conflict": Asked(REVIEWER, Right.REVIEW, case(conflicted=ME)),
}
MORE_DECIDING = {
    "a link opens one case only": Asked(link(Right.FILE_APPEAL, case="A-2026-0002"), Right.FILE_APPEAL, case()),
    "who placed a hold does not lift it": Asked(APPROVER, Right.LIFT_HOLD, case(decided_by=ME)),
    "a link does not approve": Asked(link(Right.APPROVE), Right.APPROVE, case()),
    "another former member's case": Asked(admin(BETA, standing=Standing.REVOKED), Right.FILE_APPEAL, case()),
    "a member in force has nothing to appeal": Asked(admin(), Right.FILE_APPEAL, case()),
    "an admin's token makes no tokens": Asked(token(admin(), Right.MAKE_TOKEN), Right.MAKE_TOKEN),
    "staff without a second factor decide nothing": Asked(staff(Duty.APPROVER, mfa=False), Right.APPROVE, case()),
    "staff make no tokens": Asked(admin(staff().pair, is_coordinator=True), Right.MAKE_TOKEN),  # type: ignore[arg-type]
}
