import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
GUIDE = (ROOT / "docs" / "adding-a-provider.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```python\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.mark.parametrize("code", SHOWN)
def test_the_guide_shows_providers_as_they_are(code: str):
    providers = ROOT / "mailer" / "providers"
    assert any(code in (providers / name).read_text(encoding="utf-8") for name in ("catch.py", "mailgun.py"))


@pytest.mark.parametrize("path", re.findall(r"`((?:mailer|tests)/[\w/]+\.py)`", GUIDE))
def test_every_file_that_the_guide_names_is_there(path: str):
    assert (ROOT / path).is_file()
