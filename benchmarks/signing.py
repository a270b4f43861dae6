"""DKIM: signatures a second beside what `cryptography` makes of bare RSA, on the same cores and in turns.

    python -m benchmarks.signing [--rounds N] [--letters N]

bare      RSA-2048 over 32 bytes and nothing else, in a thread per core
sign      our signature of a whole letter, in the same threads
carry     letters through the signing provider to one that accepts all at once: taken, signed ahead, settled
"""

import argparse
import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from mailer.message import Message
from mailer.message.dkim import Key, Signer
from mailer.providers import Desk, LetterDesk, Receipt
from mailer.providers.signing import THREADS, Signing

SIZE = 31_000
HEAD = (
    b"From: Exempelpartiet <brev@example.org>\r\nReply-To: <svar@example.org>\r\nTo: Anna <anna@example.net>\r\n"
    b"Subject: Ny skola\r\nDate: Thu, 19 Nov 2026 07:00:00 +0000\r\nMessage-ID: <a0123456789@example.org>\r\n"
    b"Content-Language: sv\r\nList-Unsubscribe: <https://m.example.org/u/a0123456789>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Id: Veckobrevet <brev.example.org>\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
)
LETTER = HEAD + (b"x" * 74 + b"\r\n") * (SIZE // 76)


class Accepting:
    """Takes everything at once."""

    async def carry(self, desk: Desk) -> None:
        while (outgoing := desk.take()) is not None:
            if desk.start(outgoing):
                desk.settle(outgoing, Receipt("ok"))

    async def close(self) -> None:
        """Nothing is open."""


def in_threads(call: Callable[[], object], number: int) -> None:
    def some() -> None:
        for _ in range(number // THREADS):
            call()

    with ThreadPoolExecutor(THREADS) as pool:
        for done in [pool.submit(some) for _ in range(THREADS)]:
            done.result()


def carried(signer: Signer, number: int) -> None:
    desk = LetterDesk([Message("brev@example.org", "anna@example.net", LETTER)] * number)
    asyncio.run(Signing(Accepting(), signer.sign).carry(desk))
    assert len(desk.outcomes) == number


def timed(way: Callable[[], object]) -> tuple[float, float]:
    """Return seconds by the wall and of the processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--letters", type=int, default=4000)
    arguments = parser.parse_args()
    letters = arguments.letters
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    signer = Signer([Key(b"example.org", b"2026a", private)])
    ways: dict[str, Callable[[], None]] = {
        "bare": lambda: in_threads(partial(private.sign, bytes(32), PKCS1v15(), SHA256()), letters),
        "sign": lambda: in_threads(partial(signer.sign, LETTER), letters),
        "carry": lambda: carried(signer, letters),
    }
    rounds = [{name: timed(way) for name, way in ways.items()} for _ in range(arguments.rounds)]
    print(f"{len(LETTER)} bytes, {THREADS} threads, median of {len(rounds)} rounds; ratios to bare of the same round")
    print("       letters/s  ratio   CPU us a letter  ratio")
    for name in ways:
        walls, cpus = ([each[name][of] for each in rounds] for of in (0, 1))
        by_wall, by_cpu = (median(each["bare"][of] / each[name][of] for each in rounds) for of in (0, 1))
        rate, cost = letters / median(walls), median(cpus) / letters * 1e6
        print(f"{name:6} {rate:9,.0f}  {by_wall:5.2f}   {cost:15.0f}  {by_cpu:5.2f}")


if __name__ == "__main__":
    main()
