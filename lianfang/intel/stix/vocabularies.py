"""Open vocabularies of STIX 2.1 (§10), relationships that its tables suggest, and countries (ISO 3166-1)."""

from __future__ import annotations

from lianfang.intel.stix.schemas import OBSERVABLES


def _terms(text: str) -> frozenset[str]:
    return frozenset(text.split())


ATTACK_MOTIVATION = _terms("""
    accidental coercion dominance ideology notoriety organizational-gain personal-gain personal-satisfaction
    revenge unpredictable
""")
ATTACK_RESOURCE_LEVEL = _terms("""
    individual club contest team organization government
""")
GROUPING_CONTEXT = _terms("""
    suspicious-activity malware-analysis unspecified
""")
IDENTITY_CLASS = _terms("""
    individual group system organization class unknown
""")
IMPLEMENTATION_LANGUAGE = _terms("""
    applescript bash c c++ c# go java javascript lua objective-c perl php powershell python ruby rust scala swift
    typescript visual-basic x86-32 x86-64
""")
INDICATOR_TYPE = _terms("""
    anomalous-activity anonymization benign compromised malicious-activity attribution unknown
""")
INDUSTRY_SECTOR = _terms("""
    agriculture aerospace automotive chemical commercial communications construction defense education energy
    entertainment financial-services government emergency-services government-local government-national
    government-public-services government-regional healthcare hospitality-leisure infrastructure dams nuclear
    water insurance legal manufacturing mining non-profit pharmaceuticals retail technology telecommunications
    transportation utilities
""")
INFRASTRUCTURE_TYPE = _terms("""
    amplification anonymization botnet command-and-control control-system exfiltration firewall hosting-malware
    hosting-target-lists phishing reconnaissance routers-switches staging workstation unknown
""")
MALWARE_RESULT = _terms("""
    malicious suspicious benign unknown
""")
MALWARE_TYPE = _terms("""
    adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware remote-access-trojan
    resource-exploitation rogue-security-software rootkit screen-capture spyware trojan unknown virus webshell
    wiper worm
""")
MALWARE_CAPABILITIES = _terms("""
    accesses-remote-machines anti-debugging anti-disassembly anti-emulation anti-memory-forensics anti-sandbox
    anti-vm captures-input-peripherals captures-output-peripherals captures-system-state-data
    cleans-traces-of-infection commits-fraud communicates-with-c2 compromises-data-availability
    compromises-data-integrity compromises-system-availability controls-local-machine degrades-security-software
    degrades-system-updates determines-c2-server emails-spam escalates-privileges evades-av exfiltrates-data
    fingerprints-host hides-artifacts hides-executing-code infects-files infects-remote-machines
    installs-other-components persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion
    probes-network-environment self-modifies steals-authentication-credentials
    violates-system-operational-integrity
""")
PATTERN_TYPE = _terms("""
    stix pcre sigma snort suricata yara
""")
PROCESSOR_ARCHITECTURE = _terms("""
    alpha arm ia-64 mips powerpc sparc x86 x86-64
""")
REGION = _terms("""
    africa eastern-africa middle-africa northern-africa southern-africa western-africa americas
    latin-america-caribbean south-america caribbean central-america northern-america asia central-asia
    eastern-asia southern-asia south-eastern-asia western-asia europe eastern-europe northern-europe
    southern-europe western-europe oceania australia-new-zealand melanesia micronesia polynesia antarctica
""")
REPORT_TYPE = _terms("""
    threat-report attack-pattern campaign identity indicator intrusion-set malware observed-data threat-actor tool
    vulnerability
""")
THREAT_ACTOR_TYPE = _terms("""
    activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled nation-state
    sensationalist spy terrorist unknown
""")
THREAT_ACTOR_ROLE = _terms("""
    agent director independent infrastructure-architect infrastructure-operator malware-author sponsor
""")
THREAT_ACTOR_SOPHISTICATION = _terms("""
    none minimal intermediate advanced expert innovator strategic
""")
TOOL_TYPE = _terms("""
    denial-of-service exploitation information-gathering network-capture credential-exploitation remote-access
    vulnerability-scanning unknown
""")
ACCOUNT_TYPE = _terms("""
    unix windows-local windows-domain ldap tacacs radius nis openid facebook skype twitter kavi
""")

VOCABULARIES: dict[tuple[str, str], frozenset[str]] = {
    ("grouping", "context"): GROUPING_CONTEXT,
    ("identity", "identity_class"): IDENTITY_CLASS,
    ("identity", "sectors"): INDUSTRY_SECTOR,
    ("indicator", "indicator_types"): INDICATOR_TYPE,
    ("indicator", "pattern_type"): PATTERN_TYPE,
    ("infrastructure", "infrastructure_types"): INFRASTRUCTURE_TYPE,
    ("intrusion-set", "primary_motivation"): ATTACK_MOTIVATION,
    ("intrusion-set", "resource_level"): ATTACK_RESOURCE_LEVEL,
    ("intrusion-set", "secondary_motivations"): ATTACK_MOTIVATION,
    ("location", "region"): REGION,
    ("malware", "architecture_execution_envs"): PROCESSOR_ARCHITECTURE,
    ("malware", "capabilities"): MALWARE_CAPABILITIES,
    ("malware", "implementation_languages"): IMPLEMENTATION_LANGUAGE,
    ("malware", "malware_types"): MALWARE_TYPE,
    ("malware-analysis", "result"): MALWARE_RESULT,
    ("report", "report_types"): REPORT_TYPE,
    ("threat-actor", "personal_motivations"): ATTACK_MOTIVATION,
    ("threat-actor", "primary_motivation"): ATTACK_MOTIVATION,
    ("threat-actor", "resource_level"): ATTACK_RESOURCE_LEVEL,
    ("threat-actor", "roles"): THREAT_ACTOR_ROLE,
    ("threat-actor", "secondary_motivations"): ATTACK_MOTIVATION,
    ("threat-actor", "sophistication"): THREAT_ACTOR_SOPHISTICATION,
    ("threat-actor", "threat_actor_types"): THREAT_ACTOR_TYPE,
    ("tool", "tool_types"): TOOL_TYPE,
    ("user-account", "account_type"): ACCOUNT_TYPE,
}
"""Which vocabulary a property of a type should draw from."""

SUGGESTED: dict[tuple[str, str], frozenset[str]] = {
    ("attack-pattern", "delivers"): _terms("malware"),
    ("attack-pattern", "targets"): _terms("identity location vulnerability"),
    ("attack-pattern", "uses"): _terms("malware tool"),
    ("campaign", "attributed-to"): _terms("intrusion-set threat-actor"),
    ("campaign", "compromises"): _terms("infrastructure"),
    ("campaign", "originates-from"): _terms("location"),
    ("campaign", "targets"): _terms("identity location vulnerability"),
    ("campaign", "uses"): _terms("attack-pattern infrastructure malware tool"),
    ("course-of-action", "investigates"): _terms("indicator"),
    ("course-of-action", "mitigates"): _terms("attack-pattern indicator malware tool vulnerability"),
    ("course-of-action", "remediates"): _terms("malware vulnerability"),
    ("domain-name", "resolves-to"): _terms("domain-name ipv4-addr ipv6-addr"),
    ("identity", "located-at"): _terms("location"),
    ("indicator", "based-on"): _terms("observed-data"),
    ("indicator", "indicates"): _terms(
        "attack-pattern campaign infrastructure intrusion-set malware threat-actor tool"
    ),
    ("infrastructure", "communicates-with"): _terms("domain-name infrastructure ipv4-addr ipv6-addr url"),
    ("infrastructure", "consists-of"): _terms("infrastructure observed-data") | OBSERVABLES,
    ("infrastructure", "controls"): _terms("infrastructure malware"),
    ("infrastructure", "delivers"): _terms("malware"),
    ("infrastructure", "has"): _terms("vulnerability"),
    ("infrastructure", "hosts"): _terms("malware tool"),
    ("infrastructure", "located-at"): _terms("location"),
    ("infrastructure", "uses"): _terms("infrastructure"),
    ("intrusion-set", "attributed-to"): _terms("threat-actor"),
    ("intrusion-set", "compromises"): _terms("infrastructure"),
    ("intrusion-set", "hosts"): _terms("infrastructure"),
    ("intrusion-set", "originates-from"): _terms("location"),
    ("intrusion-set", "owns"): _terms("infrastructure"),
    ("intrusion-set", "targets"): _terms("identity location vulnerability"),
    ("intrusion-set", "uses"): _terms("attack-pattern infrastructure malware tool"),
    ("ipv4-addr", "belongs-to"): _terms("autonomous-system"),
    ("ipv4-addr", "resolves-to"): _terms("mac-addr"),
    ("ipv6-addr", "belongs-to"): _terms("autonomous-system"),
    ("ipv6-addr", "resolves-to"): _terms("mac-addr"),
    ("malware", "authored-by"): _terms("intrusion-set threat-actor"),
    ("malware", "beacons-to"): _terms("infrastructure"),
    ("malware", "communicates-with"): _terms("domain-name ipv4-addr ipv6-addr url"),
    ("malware", "controls"): _terms("malware"),
    ("malware", "downloads"): _terms("file malware tool"),
    ("malware", "drops"): _terms("file malware tool"),
    ("malware", "exfiltrates-to"): _terms("infrastructure"),
    ("malware", "exploits"): _terms("vulnerability"),
    ("malware", "originates-from"): _terms("location"),
    ("malware", "targets"): _terms("identity infrastructure location"),
    ("malware", "uses"): _terms("attack-pattern infrastructure malware tool"),
    ("malware", "variant-of"): _terms("malware"),
    ("malware-analysis", "analysis-of"): _terms("malware"),
    ("malware-analysis", "av-analysis-of"): _terms("malware"),
    ("malware-analysis", "characterizes"): _terms("malware"),
    ("malware-analysis", "dynamic-analysis-of"): _terms("malware"),
    ("malware-analysis", "static-analysis-of"): _terms("malware"),
    ("threat-actor", "attributed-to"): _terms("identity"),
    ("threat-actor", "compromises"): _terms("infrastructure"),
    ("threat-actor", "hosts"): _terms("infrastructure"),
    ("threat-actor", "impersonates"): _terms("identity"),
    ("threat-actor", "located-at"): _terms("location"),
    ("threat-actor", "owns"): _terms("infrastructure"),
    ("threat-actor", "targets"): _terms("identity location vulnerability"),
    ("threat-actor", "uses"): _terms("attack-pattern infrastructure malware tool"),
    ("tool", "delivers"): _terms("malware"),
    ("tool", "drops"): _terms("malware"),
    ("tool", "has"): _terms("vulnerability"),
    ("tool", "targets"): _terms("identity infrastructure location vulnerability"),
    ("tool", "uses"): _terms("infrastructure"),
}
"""(source, relationship) -> targets, from the tables of sections 4 and 6."""

COUNTRIES = _terms("""
    AC AD AE AF AG AI AL AM AN AO AP AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BU
    BV BW BX BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CS CT CU CV CW CX CY CZ DD DE DG DJ DK DM DO DY DZ EA
    EC EE EF EG EH EM EP ER ES ET EU EV EW EZ FI FJ FK FL FM FO FQ FR FX GA GB GC GD GE GF GG GH GI GL GM GN GP GQ
    GR GS GT GU GW GY HK HM HN HR HT HU HV IB IC ID IE IL IM IN IO IQ IR IS IT JA JE JM JO JP JT KE KG KH KI KM KN
    KP KR KW KY KZ LA LB LC LF LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MI MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NH NI NL NO NP NQ NR NT NU NZ OA OM PA PC PE PF PG PH PI PK PL PM PN PR PS PT PU PW
    PY PZ QA RA RB RC RE RH RI RL RM RN RO RP RS RU RW SA SB SC SD SE SF SG SH SI SJ SK SL SM SN SO SR SS ST SU SV
    SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TP TR TT TV TW TZ UA UG UK UM UN US UY UZ VA VC VD VE VG VI VN VU
    WF WG WK WL WO WS WV YD YE YT YU YV ZA ZM ZR ZW
""")
"""Codes of ISO 3166-1 alpha-2, those that were given up or are reserved included."""
