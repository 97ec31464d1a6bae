"""How products that fetch by TAXII 2.1 are set up: their own documented field names, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from lianfang.accounts.models import Token
from lianfang.kernel.text import Bilingual


@dataclass(frozen=True, slots=True)
class Product:
    """One product: what to know, and the lines to paste with the places filled in."""

    name: str
    note: Bilingual
    template: str


@dataclass(frozen=True, slots=True)
class Settings:
    """A product's settings for one token."""

    name: str
    note: Bilingual
    lines: str


# taxii2-client: README of the package. OpenCTI: docker-compose.yml of external-import/taxii2 in its connectors
# repository. MISP: form of "TAXII servers". Sentinel: "Add server" of the Threat intelligence - TAXII connector.
PRODUCTS = (
    Product(
        "Python taxii2-client",
        Bilingual(
            zh="列出可用的集合，再逐頁取得。每次測試都實際執行這個程式。",
            en="Lists the collections, then fetches page by page. This very client runs in our tests.",
        ),
        """from taxii2client.v21 import Server, as_pages

server = Server("{discovery}", user="{user}", password="{secret}")
for collection in server.api_roots[0].collections:
    for page in as_pages(collection.get_objects, per_request=100):
        print(collection.title, len(page.get("objects", [])))""",
    ),
    Product(
        "OpenCTI connector-taxii2",
        Bilingual(
            zh="寫在connector的環境變數；依其說明，沒有在此實際執行。",
            en="Environment of the connector, by its documentation; not run here.",
        ),
        """TAXII2_DISCOVERY_URL={discovery}
TAXII2_USERNAME={user}
TAXII2_PASSWORD={secret}
TAXII2_USE_TOKEN=false
TAXII2_V21=true
TAXII2_COLLECTIONS=*.*
TAXII2_VERIFY_SSL=true""",
    ),
    Product(
        "MISP, TAXII servers",
        Bilingual(
            zh="MISP以此推送資料；Api root與Collection在填好前幾項後由MISP列出。依其表單與原始碼，沒有在此實際執行。",
            en="MISP pushes through this; it lists Api root and Collection once the lines above are filled in. By its"
            " form and source; not run here.",
        ),
        """Discovery Url: {discovery}
Authentication Type: Basic
Username: {user}
Password: {secret}""",
    ),
    Product(
        "Microsoft Sentinel, Threat intelligence - TAXII",
        Bilingual(
            zh="填API root，不是discovery；Collection ID見上方。依其文件，沒有在此實際執行。",
            en="Give the API root, not the discovery address; Collection ID: see above. By its documentation; not run"
            " here.",
        ),
        """Friendly name: Lianfang
API root URL: {api_root}
Username: {user}
Password: {secret}""",
    ),
)

_HIDDEN = "********"


def settings_for(*, token: Token, secret: str, discovery: str, api_root: str) -> list[Settings]:
    """Return the settings of every product for a token; the secret's place is starred unless it was just made."""
    places = {
        "discovery": discovery,
        "api_root": api_root,
        "user": str(token.pk),
        "secret": secret or _HIDDEN,
    }
    return [Settings(one.name, one.note, _filled(one.template, places)) for one in PRODUCTS]


def _filled(template: str, places: dict[str, str]) -> str:
    for name, value in places.items():
        template = template.replace("{" + name + "}", value)
    return template
