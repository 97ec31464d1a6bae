"""Pages of this app: signing in, people, connections, duties and settings."""

from lianfang.accounts.views.connections import (
    connection,
    connections,
    new_connection,
    revoke_connection,
    rotate_connection,
)
from lianfang.accounts.views.governance import (
    add_colleague,
    colleague_leaves,
    decide_duty,
    decide_setting,
    duties,
    leave_duty,
    resend_colleague,
    setting,
    settings_page,
)
from lianfang.accounts.views.holds import holds, lift_hold, place_hold
from lianfang.accounts.views.people import change_role, invite, leave, people, resend, sign_out
from lianfang.accounts.views.sign_in import (
    factor_setup,
    help_one,
    helping,
    invitation,
    lost_factor,
    lost_factor_proof,
    sign_options,
)

__all__ = [
    "add_colleague",
    "change_role",
    "colleague_leaves",
    "connection",
    "connections",
    "decide_duty",
    "decide_setting",
    "duties",
    "factor_setup",
    "help_one",
    "helping",
    "holds",
    "invitation",
    "invite",
    "leave",
    "leave_duty",
    "lift_hold",
    "lost_factor",
    "lost_factor_proof",
    "new_connection",
    "people",
    "place_hold",
    "resend",
    "resend_colleague",
    "revoke_connection",
    "rotate_connection",
    "setting",
    "settings_page",
    "sign_options",
    "sign_out",
]
