"""Signatures without a mailing: bare RSA of `cryptography`, or whole letters as DKIM signs them; on all cores.

python -m benchmarks.delivery.signing FOLDER DATABASE bare|letters COUNT
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from benchmarks.delivery import stage
from benchmarks.delivery.processes import work_when_told
from benchmarks.delivery.stage import Installation
from mailer import signing

_SOME = 50  # signatures that a thread makes at a stretch


def main() -> None:
    folder, database, what, count = sys.argv[1:]
    installation = Installation(Path(folder), database).signing()
    if what == "bare":
        private = signing.load(installation.folder / stage.DKIM_KEY)
        work_when_told(lambda: _on_all_cores(lambda: private.sign(b"headers", PKCS1v15(), SHA256()), int(count)))
    else:
        letter, signer = stage.sample(installation), installation.signer()
        work_when_told(lambda: _on_all_cores(lambda: signer.sign(letter), int(count)))


def _on_all_cores(sign: Callable[[], bytes], count: int) -> None:
    def some() -> None:
        for _ in range(_SOME):
            sign()

    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for done in [pool.submit(some) for _ in range(count // _SOME)]:
            done.result()


if __name__ == "__main__":
    main()
