"""Who exists: organisations, persons, their accounts, affiliations, duties, tokens, and the operator's settings."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from lianfang.accounts.lifecycle import DUTY, FACTOR_RESET, SETTING
from lianfang.kernel.ids import new_id
from lianfang.policy.facts import Duty, Role, Tlp
from lianfang.vault.fields import SealedText
from lianfang.vault.models import Sealed

# As written on labels: CLEAR, GREEN, AMBER, AMBER+STRICT, RED.
TLPS = [tlp.label.removeprefix("TLP:") for tlp in Tlp]


class Organization(models.Model):
    """A legal body: the coordinator, a group member, or a constituent of one. Never deleted."""

    class Kind(models.TextChoices):
        COORDINATOR = "coordinator"
        TWSE = "twse"
        TPEX = "tpex"
        ASSOCIATION = "association"
        CONSTITUENT = "constituent"
        OTHER = "other"

    class Regime(models.TextChoices):
        """Under which part of the Cyber Security Management Act it falls."""

        NONE = "none"
        AGENCY = "government_agency"
        SPECIFIC = "specific_non_government"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name_zh = models.CharField(max_length=200)
    name_en = models.CharField(max_length=200, blank=True)
    ubn = models.CharField(max_length=8, null=True, blank=True, unique=True)
    ubn_absent_reason = models.CharField(max_length=200, blank=True)
    stock_code = models.CharField(max_length=10, blank=True)
    certificate_number = models.CharField(max_length=60, blank=True)
    address = models.CharField(max_length=300, blank=True)
    sector = models.CharField(max_length=60, blank=True)
    csma_regime = models.CharField(max_length=24, choices=Regime.choices, default=Regime.NONE)
    csma_authority = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(F("kind"), condition=Q(kind="coordinator"), name="accounts_one_coordinator"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class Person(Sealed):
    """A human being. Everything that tells who it is lies sealed under the person's own key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = SealedText()
    title = SealedText(blank=True)
    email = SealedText()
    phone = SealedText(blank=True)
    email_index = models.BinaryField(unique=True, null=True, editable=False)
    language = models.CharField(max_length=10, default="zh-hant")
    entered_by_other = models.BooleanField(default=True)
    first_contact_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class AccountManager(BaseUserManager["Account"]):
    def get_by_natural_key(self, username: str | None) -> Account:
        """Django's backends ask by log-in name; ours is the address, in whatever case it was typed."""
        return self.get(email__iexact=username)


class Account(AbstractBaseUser):
    """What somebody signs in with. `email` is the one personal value outside the vault: sign-in must find it."""

    class Theme(models.TextChoices):
        SYSTEM = "system"
        LIGHT = "light"
        DARK = "dark"

    # Without the field Django does not write the account at every sign-in; `SignIn` keeps those instead.
    last_login = None

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.OneToOneField(Person, on_delete=models.PROTECT, related_name="account")
    email = models.EmailField(max_length=254, unique=True)
    is_active = models.BooleanField(default=True)
    theme = models.CharField(max_length=8, choices=Theme.choices, default=Theme.SYSTEM)
    language = models.CharField(max_length=10, default="zh-hant")
    created_at = models.DateTimeField()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[AccountManager] = AccountManager()

    def __str__(self) -> str:
        return str(self.pk)

    def check_password(self, raw_password: str | None) -> bool:
        """Compare only. Django's own would also write a stronger hash, outside every audited action."""
        return check_password(raw_password, self.password)


class SignIn(models.Model):
    """One successful sign-in; the network address is not kept."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sign_ins")
    at = models.DateTimeField()
    second_factor = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["account", "-at"])]

    def __str__(self) -> str:
        return f"{self.account_id} {self.at.isoformat()}"


class AffiliationQuerySet(models.QuerySet["Affiliation"]):
    def live(self, at: datetime) -> Self:
        """Those in force at that instant: [started_at, left_at)."""
        return self.filter(Q(left_at__isnull=True) | Q(left_at__gt=at), started_at__lte=at)


class Affiliation(models.Model):
    """A person acting for an organisation within one group. Rights never add up across affiliations."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="affiliations")
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="affiliations")
    group = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="group_affiliations")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    # Null while the invitation is open: nobody acts for an organisation before agreeing to.
    started_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)

    objects = AffiliationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "organization", "group"],
                condition=Q(left_at__isnull=True),
                name="accounts_one_live_affiliation",
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True) | Q(left_at__gte=F("started_at")), name="accounts_left_after_start"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class DutyGrant(Sealed):
    """A duty of a coordinator's person: proposed by one duty granter, granted by another.

    The reason is text about that person, so it is sealed under his key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="duty_grants")
    duty = models.CharField(max_length=20, choices=[(duty.value, duty.value) for duty in Duty])
    state = models.CharField(max_length=10, default=DUTY.initial)
    reason = SealedText(max_length=500, blank=True)
    # Null only for the two that `bootstrap` makes on a database that holds nobody who could propose.
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    granted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    granted_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "duty"], condition=Q(state__in=["proposed", "granted"]), name="accounts_one_live_duty"
            ),
            models.CheckConstraint(condition=Q(state__in=DUTY.check_constraint_values()), name="accounts_duty_state"),
            models.CheckConstraint(
                condition=~Q(granted_by=F("person")) & ~Q(granted_by=F("proposed_by")), name="accounts_duty_four_eyes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.duty} {self.person_id}"


class Invitation(models.Model):
    """A secret link, mailed: to join, or to set sign-in means again after a lost second factor. Used once."""

    class Kind(models.TextChoices):
        JOIN = "join"
        REENROL = "reenrol"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    affiliation = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="invitations")
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.JOIN)
    secret_digest = models.BinaryField(unique=True)
    invited_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    sent_count = models.PositiveSmallIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["affiliation"],
                condition=Q(accepted_at__isnull=True, withdrawn_at__isnull=True),
                name="accounts_one_open_invitation",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_open(self, at: datetime) -> bool:
        """Whether the link still works at that instant."""
        return self.accepted_at is None and self.withdrawn_at is None and at < self.expires_at


class FactorReset(models.Model):
    """Somebody lost the second factor: two others vouch, then it is removed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="factor_resets")
    state = models.CharField(max_length=10, default=FACTOR_RESET.initial)
    asked_at = models.DateTimeField()
    vouched_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    vouched_at = models.DateTimeField(null=True)
    how = models.CharField(max_length=20, blank=True)
    decided_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=Q(state__in=["asked", "vouched"]), name="accounts_one_open_reset"
            ),
            models.CheckConstraint(
                condition=Q(state__in=FACTOR_RESET.check_constraint_values()), name="accounts_reset_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | ~Q(decided_by=F("vouched_by")), name="accounts_reset_two_persons"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Token(models.Model):
    """A machine's key for one affiliation, narrower than its owner. Only a keyed digest of the secret is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    affiliation = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    secret_digest = models.BinaryField(unique=True)
    # Limits reading, not writing.
    max_tlp = models.CharField(max_length=12, choices=[(name, name) for name in TLPS])
    rights = ArrayField(models.CharField(max_length=30))
    # Collections or views that it may use; empty = all that its owner may.
    views = ArrayField(models.CharField(max_length=80), default=list, blank=True)
    # Networks in CIDR form from which it works; empty = any.
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)
    purpose = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    """Since when a security hold keeps it from working; the hold says why."""
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")

    class Meta:
        indexes = [models.Index(fields=["expires_at"], condition=Q(revoked_at__isnull=True), name="token_expiry")]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="accounts_token_expires_later"),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def is_live(self, at: datetime) -> bool:
        """Whether the token itself works at that instant; its owner's standing is another question."""
        held = self.held_at is not None and self.held_at <= at
        return (
            self.created_at <= at < self.expires_at and (self.revoked_at is None or at < self.revoked_at) and not held
        )


class TokenUse(models.Model):
    """When a token was last seen, to the minute; beside the token so that a poll does not write the guarded row."""

    token = models.OneToOneField(Token, on_delete=models.PROTECT, primary_key=True, related_name="use")
    last_used_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.token_id)


class TokenWarning(models.Model):
    """A reminder of a token's end that was sent, so that none is sent twice."""

    append_only = True

    id = models.BigAutoField(primary_key=True)
    token = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="warnings")
    days_before = models.PositiveSmallIntegerField()
    sent_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "days_before"], name="accounts_one_warning")]

    def __str__(self) -> str:
        return f"{self.token_id} {self.days_before}"


class SettingDecision(models.Model):
    """A change of one of the operator's settings: proposed by one approver, approved by another."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=60)
    value = models.JSONField()
    reason = models.CharField(max_length=500)
    effective_at = models.DateTimeField()
    state = models.CharField(max_length=10, default=SETTING.initial)
    proposed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    approved_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["name", "-effective_at"])]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SETTING.check_constraint_values()), name="accounts_setting_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="approved") | ~Q(approved_by=F("proposed_by")), name="accounts_setting_four_eyes"
            ),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state="proposed"), name="accounts_one_setting_proposal"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class IdentityProvider(Sealed):
    """An organisation's own identity provider: what it is, and whether it signs its people in.

    It says who somebody is and nothing more: which organisation, role or duty that person has stays as it is here.
    """

    class Protocol(models.TextChoices):
        OIDC = "oidc", "OpenID Connect"
        SAML = "saml", "SAML 2.0"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    organization = models.OneToOneField(Organization, on_delete=models.PROTECT, related_name="identity_provider")
    protocol = models.CharField(max_length=4, choices=Protocol.choices)
    address = models.CharField(max_length=43, unique=True)
    """The random part of the sign-in address; it tells nothing of whose it is."""
    issuer = models.CharField(max_length=500)
    """The issuer of OpenID Connect, or the entity id of SAML."""
    client_id = models.CharField(max_length=255, blank=True)
    client_secret = SealedText(blank=True)
    # Of SAML: where the browser is sent, and the certificates (PEM) by which answers are checked.
    sso_url = models.CharField(max_length=500, blank=True)
    certificates = ArrayField(models.TextField(), default=list, blank=True)
    # Values of acr and amr by which the provider says that it asked for a second factor; none = its word is not taken.
    factor_values = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    only = models.BooleanField(default=False)
    """Whether the others must use it: everybody but the administrators named for emergencies."""
    set_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    tried_at = models.DateTimeField(null=True)
    """Since when it is known that an administrator got in by it as it is set up now."""
    on_at = models.DateTimeField(null=True)
    held_at = models.DateTimeField(null=True)
    """Since when a security hold keeps it from working; the hold says why."""

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(on_at__isnull=True) | Q(tried_at__isnull=False), name="accounts_provider_tried_first"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    ASKS = Q(only=True, on_at__isnull=False, held_at__isnull=True)
    """It works, and the organisation asks its people to come by it."""

    @property
    def works(self) -> bool:
        """Whether it signs anybody in."""
        return self.on_at is not None and self.held_at is None


class EmergencyAccess(models.Model):
    """An administrator who can always sign in here, whatever becomes of the organisation's provider."""

    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, related_name="emergency")
    affiliation = models.ForeignKey(Affiliation, on_delete=models.PROTECT, related_name="emergency")
    named_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "affiliation"], name="accounts_one_emergency_access"),
        ]

    def __str__(self) -> str:
        return str(self.affiliation_id)


class ProviderLink(models.Model):
    """That a provider's subject is one of our accounts, as its owner confirmed. A keyed digest names the subject."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, related_name="links")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="provider_links")
    subject_digest = models.BinaryField()
    linked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "subject_digest"],
                condition=Q(ended_at__isnull=True),
                name="accounts_one_account_of_subject",
            ),
            models.UniqueConstraint(
                fields=["provider", "account"],
                condition=Q(ended_at__isnull=True),
                name="accounts_one_subject_of_account",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class SecurityHold(Sealed):
    """An account, a key or an identity provider that must not be used for now, e.g. because it was stolen.

    It is no state of a membership, which the charter does not know: person, roles, duties and membership stay as they
    are, and another act lifts it. The reason is text about a person, so it is sealed under his key.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="holds")
    token = models.ForeignKey(Token, on_delete=models.PROTECT, null=True, related_name="holds")
    provider = models.ForeignKey(IdentityProvider, on_delete=models.PROTECT, null=True, related_name="holds")
    reason = SealedText()
    review_on = models.DateField()
    """By when somebody looks whether it is still needed; nothing happens by itself."""
    placed_by = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField()
    lifted_by = models.ForeignKey(Person, on_delete=models.PROTECT, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = SealedText(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(account__isnull=False, token__isnull=True, provider__isnull=True)
                | Q(account__isnull=True, token__isnull=False, provider__isnull=True)
                | Q(account__isnull=True, token__isnull=True, provider__isnull=False),
                name="accounts_hold_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(lifted_by__isnull=True) | ~Q(lifted_by=F("placed_by")), name="accounts_hold_two_persons"
            ),
            models.UniqueConstraint(
                fields=["account"], condition=Q(lifted_at__isnull=True), name="accounts_one_hold_of_account"
            ),
            models.UniqueConstraint(
                fields=["token"], condition=Q(lifted_at__isnull=True), name="accounts_one_hold_of_token"
            ),
            models.UniqueConstraint(
                fields=["provider"], condition=Q(lifted_at__isnull=True), name="accounts_one_hold_of_provider"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)
